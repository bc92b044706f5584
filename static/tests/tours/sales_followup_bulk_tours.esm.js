import {registry} from "@web/core/registry";

const LINES = ".o_field_widget[name=line_ids]";

/**
 * The row of a customer's document in the list of lines.
 *
 * @param {String} customer name
 * @returns {String} selector
 */
function row(customer) {
    return `${LINES} .o_data_row:contains(${customer})`;
}

/**
 * @param {String} customer name
 * @param {String} channel technical name
 * @returns {String} selector of the button that chooses it
 */
function button(customer, channel) {
    return `${row(customer)} [name=channel] button[data-value=${channel}]`;
}

registry.category("web_tour.tours").add("sales_followup_bulk", {
    steps: () => [
        {
            content: "Nothing is proposed yet",
            trigger: "div[name=introduction]:contains(Nothing is sent before)",
        },
        {
            trigger: "button[name=action_propose]:contains(Propose)",
            run: "click",
        },
        {
            content: "The figures tell what was found",
            trigger: "div[name=figures] button:contains(2):contains(E-mails)",
        },
        {
            content: "What something speaks against is left out, and says why",
            trigger: `${row("Stopped Customer")}:contains(Do not remind)`,
        },
        {
            trigger: `${button("Stopped Customer", "none")}[aria-checked=true]`,
        },
        {
            content: "Who has no address cannot be written an e-mail",
            trigger: `${button("Postal Customer", "email")}:disabled`,
        },
        {
            content: "One click makes it a letter",
            trigger: button("First Customer", "letter"),
            run: "click",
        },
        {
            content: "The figures follow",
            trigger: "div[name=figures] button:contains(2):contains(Letters)",
        },
        {
            content: "And there is nothing left to save",
            trigger: ".o_form_view:not(:has(.o_form_button_save:visible))",
        },
        {
            trigger: "button[name=action_confirm_launch]",
            run: "click",
        },
        {
            content: "E-mails and letters are counted before they go",
            trigger: ".modal div[name=email_count]:contains(1)",
        },
        {
            trigger: ".modal div[name=letter_count]:contains(2)",
        },
        {
            trigger: ".modal footer button[name=action_launch]",
            run: "click",
        },
        {
            content: "All of it was sent",
            trigger: "div[name=figures] button:contains(3):contains(Sent)",
        },
        {
            content: "The merged file is there",
            trigger: "div[name=file_name]:contains(.pdf)",
        },
        {
            trigger: "button[name=action_confirm_printed]",
            run: "click",
        },
        {
            content: "Printed is noted, posted is not",
            trigger: ".o_form_view:not(:has(button[name=action_confirm_printed]))",
        },
        {
            trigger: "button[name=action_confirm_posted]",
        },
        {
            content: "A figure opens the list behind it",
            trigger: "div[name=figures] button:contains(Not Sent)",
            run: "click",
        },
        {
            trigger: ".o_list_view .o_data_row:contains(Stopped Customer)",
        },
        {
            trigger: ".o_list_view:not(:has(.o_data_row:eq(1)))",
        },
    ],
});

registry.category("web_tour.tours").add("sales_followup_bulk_progress", {
    steps: () => [
        {
            content: "The run goes on in the background",
            trigger: ".o_statusbar_status button[aria-checked=true]:contains(Running)",
        },
        {
            content: "Somebody else pauses it",
            trigger: "button[name=action_pause]",
            async run() {
                const [id] = window.location.pathname.match(/\d+$/);
                await odoo.loader.modules
                    .get("@web/core/network/rpc")
                    .rpc("/web/dataset/call_kw/sales.followup.run/action_pause", {
                        model: "sales.followup.run",
                        method: "action_pause",
                        args: [[Number(id)]],
                        kwargs: {},
                    });
            },
        },
        {
            content: "The form shows it by itself",
            trigger: "button[name=action_resume]",
        },
    ],
});
