import {registry} from "@web/core/registry";

/**
 * Choose how to remind in the dialog.
 *
 * @param {String} channel label
 * @returns {Object[]} steps
 */
function chooseChannel(channel) {
    return [
        {
            trigger: ".modal div[name=channel] input",
            run: "click",
        },
        {
            trigger: `.o_select_menu_item:contains(${channel})`,
            run: "click",
        },
    ];
}

/**
 * Choose the document in the dialog.
 *
 * @param {String} field of the document
 * @param {String} name of the document, which is the only one offered
 * @returns {Object[]} steps
 */
function chooseOnlyDocument(field, name) {
    return [
        {
            trigger: `.modal div[name=${field}] input`,
            run: "click",
        },
        {
            content: "No other customer's documents are offered",
            trigger: `.o-autocomplete--dropdown-menu:not(:has(li:contains(Stranger)))`,
        },
        {
            trigger: `.o-autocomplete--dropdown-item:contains(${name})`,
            run: "click",
        },
    ];
}

registry.category("web_tour.tours").add("sales_followup_log_call", {
    steps: () => [
        {
            trigger: "a[name=followup_reminders]",
            run: "click",
        },
        {
            trigger: "button[name=action_followup_remind]",
            run: "click",
        },
        {
            content: "The document is the one on the form",
            trigger: ".modal div[name=order_id]:contains(Touring Customer)",
        },
        ...chooseChannel("Phone"),
        {
            content: "A call needs no template",
            trigger: ".modal:not(:has(div[name=template_id]))",
        },
        {
            trigger: ".modal div[name=result_id] input",
            run: "edit Wants to think",
        },
        {
            trigger: ".o-autocomplete--dropdown-item:contains(Wants to think)",
            run: "click",
        },
        {
            trigger: ".modal div[name=note] textarea",
            run: "edit Decides after the fair",
        },
        {
            trigger: ".modal footer button:visible:contains(Log)",
            run: "click",
        },
        {
            content: "The call stands in the tab",
            trigger:
                "div[name=followup_reminder_ids] .o_data_row:contains(Decides after the fair)",
        },
        {
            content: "Colleagues see it in the chatter",
            trigger: ".o-mail-Message:contains(Phone, Wants to think)",
        },
        {
            content: "The next reminder is an activity",
            trigger: ".o-mail-Activity:contains(Wants to think)",
        },
    ],
});

registry.category("web_tour.tours").add("sales_followup_email_customer", {
    steps: () => [
        {
            trigger: "a[name=followup_reminders]",
            run: "click",
        },
        {
            trigger: "button[name=action_followup_remind]",
            run: "click",
        },
        ...chooseOnlyDocument("order_id", "Touring Customer"),
        {
            content: "The e-mail is shown before it goes",
            trigger: ".modal div[name=preview]:contains(Dear Touring Customer)",
        },
        {
            trigger: ".modal footer button:visible:contains(Send E-mail)",
            run: "click",
        },
        {
            content: "The e-mail stands in the tab of the customer",
            trigger: "div[name=followup_reminder_ids] .o_data_row:contains(First)",
        },
    ],
});

registry.category("web_tour.tours").add("sales_followup_letter", {
    steps: () => [
        {
            trigger:
                "button[data-menu-xmlid='sales_followup.sales_followup_reminder_menu']",
            run: "click",
        },
        {
            trigger: "a[data-menu-xmlid='sales_followup.sales_followup_remind_menu']",
            run: "click",
        },
        {
            trigger: ".modal div[name=order_id] input",
            run: "edit Touring Customer",
        },
        {
            trigger: ".o-autocomplete--dropdown-item:contains(Touring Customer)",
            run: "click",
        },
        {
            content:
                "What the document asks for is known, so that it does not come late",
            trigger: ".modal footer button:visible:contains(Send E-mail)",
        },
        ...chooseChannel("Letter"),
        {
            trigger: ".modal div[name=preview]:contains(Dear Touring Customer)",
        },
        {
            trigger: ".modal footer button:visible:contains(Print Letter)",
            run: "click",
        },
        {
            content: "The letter is made, and the dialog is gone",
            trigger: ".o_list_view",
        },
        {
            trigger: "body:not(:has(.modal))",
        },
    ],
});

registry.category("web_tour.tours").add("sales_followup_calendar", {
    steps: () => [
        {
            trigger: ".o_cp_switch_buttons .o_calendar, .o_switch_view.o_calendar",
            run: "click",
        },
        {
            content: "The customer comes first in the label",
            trigger: ".fc-event:contains(/^Touring Customer, S/)",
            run: "click",
        },
        {
            content: "The popover shows the document",
            trigger:
                ".o_cw_popover:contains(Touring Customer) .list-group-item:contains(S)",
        },
        {
            trigger: ".o_cw_popover .o_cw_popover_close",
            run: "click",
        },
        {
            content: "A click on a day logs a call",
            trigger: ".fc-day-today .fc-daygrid-day-frame",
            run: "click",
        },
        {
            trigger: ".modal div[name=channel] input:value(Phone)",
        },
        {
            content: "which leads to a next reminder on that day",
            trigger: ".modal div[name=next_date]",
        },
        {
            trigger: ".modal footer button[special=cancel]",
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal))",
        },
    ],
});
