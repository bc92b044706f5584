import {registry} from "@web/core/registry";

/**
 * Ask on the form of a document whether it would be sent a reminder.
 *
 * @param {Object[]} answer steps that look at what is said
 * @returns {Object[]} steps
 */
function ask(answer) {
    return [
        {
            trigger: "a[name=followup_reminders]",
            run: "click",
        },
        {
            trigger: "button[name=action_followup_verdict]",
            run: "click",
        },
        ...answer,
        {
            content: "It merely tells",
            trigger: ".modal footer button:contains(Close)",
            run: "click",
        },
        {
            trigger: "body:not(:has(.modal))",
        },
    ];
}

registry.category("web_tour.tours").add("sales_followup_verdict_yes", {
    steps: () =>
        ask([
            {
                trigger: ".modal div[name=yes]:contains(First)",
            },
            {
                content: "The message that would go is shown",
                trigger: ".modal div[name=preview]:contains(Dear Touring Customer)",
            },
            {
                trigger: ".modal:not(:has(div[name=no]:visible))",
            },
        ]),
});

registry.category("web_tour.tours").add("sales_followup_verdict_no", {
    steps: () =>
        ask([
            {
                trigger: ".modal div[name=no] li:contains(customer answered)",
            },
            {
                trigger: ".modal:not(:has(div[name=yes]:visible))",
            },
        ]),
});
