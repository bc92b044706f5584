import {registry} from "@web/core/registry";
import {stepUtils} from "@web_tour/tour_utils";

/**
 * @param {String} key of a card
 * @param {Number} count
 * @returns {String} selector of the card that shows this number
 */
function card(key, count) {
    return `.o_followup_card[data-card=${key}]:has(.o_followup_count:contains(/^${count}$/))`;
}

/**
 * @param {String} title of the list that is open
 * @returns {String} selector
 */
function breadcrumb(title) {
    return `.o_breadcrumb .active:contains(${title})`;
}

/**
 * @param {String} menu XML id without its module
 * @returns {String} selector
 */
function menu(name) {
    return `[data-menu-xmlid='sales_followup.${name}']`;
}

registry.category("web_tour.tours").add("sales_followup_morning_salesperson", {
    steps: () => [
        {
            content: "One reminder is overdue, another one failed",
            trigger: `${card("overdue", 1)}:contains(100)`,
        },
        {
            trigger: card("failed", 1),
        },
        {
            content: "It can be seen from everywhere",
            trigger: ".o_followup_due_menu .o_followup_due_count:contains(1)",
        },
        {
            trigger: card("overdue", 1),
            run: "click",
        },
        {
            trigger: breadcrumb("Overdue Reminders"),
        },
        {
            content: "Whom to call",
            trigger: ".o_data_row:contains(Waiting Customer) td[name=partner_id]",
            run: "click",
        },
        {
            trigger: ".o_form_view button[name=action_open_document]",
            run: "click",
        },
        {
            content: "What it is about",
            trigger: ".o_form_view .o_field_widget[name=order_line]",
        },
        {
            trigger: ".o_followup_due_menu",
            run: "click",
        },
        {
            trigger: ".o-dropdown-item:contains(Follow-up Dashboard)",
            run: "click",
        },
        {
            trigger: ".o_followup_log_call",
            run: "click",
        },
        {
            trigger: ".modal div[name=order_id] input",
            run: "edit Waiting Customer",
        },
        {
            trigger: ".o-autocomplete--dropdown-item:contains(Waiting Customer)",
            run: "click",
        },
        {
            content: "The document is known, and whom to call",
            trigger: ".modal div[name=contact_id] input:value(Waiting Customer)",
        },
        {
            content: "It stays a call",
            trigger: ".modal footer button[name=action_apply]:visible:contains(Log)",
        },
        {
            trigger: ".modal div[name=note] textarea",
            run: "edit Signs on Friday",
        },
        {
            trigger: ".modal footer button[name=action_apply]:visible:contains(Log)",
            run: "click",
        },
        {
            content: "The figures have changed",
            trigger: card("overdue", 0),
        },
        {
            trigger: card("later", 1),
        },
        {
            trigger: ".o_followup_due_menu:not(:has(.o_followup_due_count))",
        },
        {
            trigger: card("overdue", 0),
            run: "click",
        },
        {
            content: "Nothing is left",
            trigger: ".o_view_nocontent_smiling_face:contains(All done)",
        },
    ],
});

registry.category("web_tour.tours").add("sales_followup_morning_manager", {
    steps: () => [
        {
            content: "Nothing of her own",
            trigger: ".o_followup_idle",
        },
        {
            content: "Alice is late",
            trigger:
                ".o_followup_people tr:contains(Alice) td[data-column=overdue] button:contains(1)",
            run: "click",
        },
        {
            trigger: breadcrumb("Alice: Overdue Reminders"),
        },
        {
            content: "It is Alice's reminder, and no other",
            trigger: ".o_list_view:not(:has(.o_data_row:eq(1))) .o_data_row",
        },
        {
            trigger: ".o_data_row:contains(Waiting Customer)",
        },
        {
            content: "Back to the team",
            trigger:
                ".o_breadcrumb .o_back_button a, .o_breadcrumb a:contains(Follow-up)",
            run: "click",
        },
        {
            trigger: ".o_followup_people tfoot td[data-column=overdue] button",
        },
        {
            trigger: menu("sales_followup_report_menu"),
            run: "click",
        },
        {
            content: "What reminders led to",
            trigger: ".o_pivot_view .o_pivot table",
        },
    ],
});

registry.category("web_tour.tours").add("sales_followup_morning_back_office", {
    steps: () => [
        {
            content: "Invoices that are overdue",
            trigger: ".o_searchview_dropdown_toggler",
            run: "click",
        },
        {
            trigger: ".o_filter_menu .o_menu_item:contains(/^Overdue$/)",
            run: "click",
        },
        {
            trigger: ".o_searchview_facet:contains(Overdue)",
        },
        {
            content: "What is not due yet is not listed",
            trigger: ".o_list_view:not(:has(.o_data_row:contains(Prompt Customer)))",
        },
        {
            trigger: ".o_data_row:contains(Late Customer) td[name=name]",
            run: "click",
        },
        {
            trigger: "a[name=followup_reminders]",
            run: "click",
        },
        {
            trigger: "button[name=action_followup_remind]",
            run: "click",
        },
        {
            trigger: ".modal div[name=channel] input",
            run: "click",
        },
        {
            trigger: ".o_select_menu_item:contains(Letter)",
            run: "click",
        },
        {
            trigger: ".modal div[name=preview]:contains(Dear Late Customer)",
        },
        {
            trigger: ".modal footer button:visible:contains(Print Letter)",
            run: "click",
        },
        {
            content: "The letter stands in the tab",
            trigger: "div[name=followup_reminder_ids] .o_data_row:contains(Level 1)",
        },
        stepUtils.showAppsMenuItem(),
        {
            trigger: `.o_app${menu("sales_followup_menu")}`,
            run: "click",
        },
        {
            trigger: ".o_followup_dashboard",
        },
        {
            trigger: `.o_menu_sections ${menu("sales_followup_run_menu")}`,
            run: "click",
        },
        {
            trigger: `.o-dropdown--menu ${menu("sales_followup_run_new_menu")}`,
            run: "click",
        },
        {
            content: "Everything else at once: nothing is sent before it is seen",
            trigger: "button[name=action_propose]",
        },
        {
            trigger: `.o_menu_sections ${menu("sales_followup_run_menu")}`,
            run: "click",
        },
        {
            trigger: `.o-dropdown--menu ${menu("sales_followup_run_files_menu")}`,
            run: "click",
        },
        {
            content: "What was printed last time",
            trigger: ".o_list_view .o_data_row:contains(.pdf)",
        },
    ],
});
