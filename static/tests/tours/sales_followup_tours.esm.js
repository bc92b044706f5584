import {registry} from "@web/core/registry";

/**
 * Select the customers of the test in the list of contacts and choose an action on
 * them.
 *
 * @param {Number} count of the customers to tick
 * @param {String} action label in the Actions menu
 * @returns {Object[]} steps
 */
function chooseAction(count, action) {
    return [
        {
            content: "Look for the customers of this tour",
            trigger: ".o_searchview_input",
            run: "edit Touring Customer",
        },
        {
            trigger: ".o_searchview_autocomplete .o-dropdown-item:first",
            run: "click",
        },
        {
            content: "Only they are listed",
            trigger: `.o_list_view:not(:has(.o_data_row:eq(${count})))`,
        },
        {
            trigger: ".o_list_view thead .o_list_record_selector input",
            run: "click",
        },
        {
            trigger: `.o_selection_box:contains(${count})`,
        },
        {
            trigger: ".o_cp_action_menus button:contains(Actions)",
            run: "click",
        },
        {
            trigger: `.o-dropdown--menu .o-dropdown-item:contains(${action})`,
            run: "click",
        },
    ];
}

registry.category("web_tour.tours").add("sales_followup_assign", {
    steps: () => [
        ...chooseAction(3, "Assign representatives"),
        {
            content: "The wizard says what is missing",
            trigger: ".modal div[name=missing]:contains(Choose at least one)",
        },
        {
            trigger: ".modal div[name=user_ids] input",
            run: "edit Bob",
        },
        {
            trigger: ".o-autocomplete--dropdown-item:contains(Bob)",
            run: "click",
        },
        {
            content: "The wizard says beforehand what will change",
            trigger: ".modal div[name=outlook]:contains(To change: 3)",
        },
        {
            trigger: ".modal footer button:visible:contains(Assign)",
            run: "click",
        },
        {
            content: "The change is told",
            trigger: ".o_notification:contains(3 customers and contacts changed)",
        },
        {
            content: "Bob stands in the list",
            trigger: ".o_data_row:eq(2) td[name=followup_rep_ids] .o_tag:contains(Bob)",
        },
    ],
});

registry.category("web_tour.tours").add("sales_followup_propagate", {
    steps: () => [
        ...chooseAction(3, "Automatic contact update"),
        {
            trigger: ".modal button[name=action_preview]",
            run: "click",
        },
        {
            content: "Three quotations will change",
            trigger: ".modal div[name=summary] tr:contains(Quotations):contains(3)",
        },
        {
            content: "Untick the first of them",
            trigger:
                ".modal .o_data_row:first td[name=selected] .o_boolean_toggle input:checked",
            run: "click",
        },
        {
            trigger:
                ".modal .o_data_row:first td[name=selected] .o_boolean_toggle input:not(:checked)",
        },
        {
            trigger: ".modal button[name=action_apply]",
            run: "click",
        },
        {
            content: "Two of them changed",
            trigger: ".o_form_view div[name=changed_count]:contains(2)",
        },
        {
            trigger: "button[name=action_open_undo]",
            run: "click",
        },
        {
            content: "What the undo will do is told beforehand",
            trigger: ".modal:contains(2 of 2 records come back as they were before)",
        },
        {
            trigger: ".modal button[name=action_undo]",
            run: "click",
        },
        {
            content: "They are as they were",
            trigger: ".o_notification:contains(2 of 2 records are as before)",
        },
        {
            trigger:
                ".o_statusbar_status button[data-value=undone].o_arrow_button_current",
        },
    ],
});
