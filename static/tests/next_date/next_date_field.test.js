import {expect, test} from "@odoo/hoot";
import {mockDate} from "@odoo/hoot-mock";
import {queryAllTexts} from "@odoo/hoot-dom";
import {
    defineModels,
    fields,
    models,
    mountView,
    serverState,
} from "@web/../tests/web_test_helpers";
import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import "@sales_followup/next_date/next_date_field.esm";

class Reminder extends models.Model {
    _name = "reminder";

    next_date = fields.Date();

    _records = [
        {id: 1, next_date: "2026-11-27"},
        {id: 2, next_date: "2026-11-30"},
        {id: 3, next_date: "2026-12-01"},
        {id: 4, next_date: "2026-12-02"},
        {id: 5, next_date: "2027-12-02"},
        {id: 6, next_date: false},
    ];
}

defineMailModels();
defineModels([Reminder]);

const VIEW = {
    type: "list",
    resModel: "reminder",
    arch: `<list><field name="next_date" widget="followup_next_date"/></list>`,
};

test("days are counted in days, also over the end of a month", async () => {
    mockDate("2026-11-30 12:00:00");
    await mountView(VIEW);
    expect(queryAllTexts(".o_followup_days")).toEqual([
        "3 days ago",
        "Today",
        "Tomorrow",
        "In 2 days",
        "Dec 2, 2027",
    ]);
    expect(queryAllTexts(".o_followup_day")).toEqual([
        "Fri, Nov 27",
        "Mon, Nov 30",
        "Tue, Dec 1",
        "Wed, Dec 2",
    ]);
    expect(".o_followup_days.text-danger").toHaveCount(1);
    expect(".o_followup_days.text-warning").toHaveCount(1);
});

test("days are told in the language of the reader", async () => {
    serverState.lang = "fr_FR";
    mockDate("2026-11-30 12:00:00");
    await mountView(VIEW);
    expect(queryAllTexts(".o_followup_days")[3]).toBe("Après-demain");
    expect(queryAllTexts(".o_followup_day")[3]).toBe("mer. 2 déc.");
});
