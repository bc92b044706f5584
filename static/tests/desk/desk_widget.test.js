import {expect, test} from "@odoo/hoot";
import {queryAllTexts} from "@odoo/hoot-dom";
import {
    contains,
    defineModels,
    fields,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";
import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import "@sales_followup/desk/desk_widget.esm";

class Reminder extends models.Model {
    _name = "reminder";

    name = fields.Char();
    is_last = fields.Boolean();
    is_open = fields.Boolean();
    may_change = fields.Boolean();
    state = fields.Selection({
        selection: [
            ["done", "Done"],
            ["cancelled", "Cancelled"],
        ],
    });
    telephone = fields.Char();

    _records = [
        {
            id: 1,
            name: "mine",
            is_last: true,
            is_open: true,
            may_change: true,
            state: "done",
            telephone: "+41 44 668 18 00",
        },
        {
            id: 2,
            name: "a colleague's",
            is_last: true,
            is_open: true,
            may_change: false,
            state: "done",
            telephone: false,
        },
        {
            id: 3,
            name: "on a closed document",
            is_last: true,
            is_open: false,
            may_change: true,
            state: "done",
            telephone: false,
        },
    ];
}

defineMailModels();
defineModels([Reminder]);

const ARCHES = {
    list: `<list><field name="name"/><widget name="followup_desk"/></list>`,
    kanban: `<kanban><templates><t t-name="card">
        <field name="name"/><widget name="followup_desk"/>
    </t></templates></kanban>`,
};

for (const type of ["list", "kanban"]) {
    test(`a reminder is called, logged and postponed from its ${type}`, async () => {
        onRpc("reminder", "action_postpone", ({args}) => {
            expect.step(["postpone", ...args]);
            return false;
        });
        onRpc("reminder", "action_log_call", ({args}) => {
            expect.step(["log", ...args]);
            return false;
        });
        await mountView({
            type,
            resModel: "reminder",
            arch: ARCHES[type],
            selectRecord: () => expect.step("opened"),
        });
        expect(".o_followup_desk").toHaveCount(3);
        expect(".o_followup_log").toHaveCount(3);
        expect(".o_followup_remind").toHaveCount(2);
        expect(".o_followup_postpone").toHaveCount(1);
        expect("a.o_followup_call").toHaveCount(1);
        expect("a.o_followup_call").toHaveAttribute("href", "tel:+41 44 668 18 00");
        await contains(".o_followup_postpone").click();
        expect(queryAllTexts(".o-dropdown-item")).toEqual([
            "Tomorrow",
            "In 3 Days",
            "In a Week",
            "In Two Weeks",
            "On a Date…",
        ]);
        await contains(".o-dropdown-item:contains(In a Week)").click();
        await contains(".o_followup_log:first").click();
        expect.verifySteps([
            ["postpone", [1], 7],
            ["log", [1]],
        ]);
    });
}
