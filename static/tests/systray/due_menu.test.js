import {advanceTime, animationFrame, expect, test} from "@odoo/hoot";
import {
    contains,
    defineModels,
    getMockEnv,
    mockService,
    models,
    mountWithCleanup,
    onRpc,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";
import {DueMenu} from "@sales_followup/systray/due_menu.esm";
import {FIGURES_LOADED} from "@sales_followup/dashboard/figures.esm";
import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {rpc} from "@web/core/network/rpc";
import {user} from "@web/core/user";

const MODEL = "sales.followup.dashboard";

class Dashboard extends models.Model {
    _name = MODEL;
}

class Remind extends models.Model {
    _name = "sales.followup.remind";

    action_apply() {
        return false;
    }
}

defineMailModels();
defineModels([Dashboard, Remind]);

/**
 * Show the menu, and let some time pass.
 *
 * @param {Object} due that the server tells
 * @param {Boolean} isUser whether reminders are for the user
 */
async function mountMenu(due, isUser = true) {
    patchWithCleanup(user, {hasGroup: async () => isUser});
    onRpc(MODEL, "get_due", () => {
        expect.step("get_due");
        return due;
    });
    await mountWithCleanup(DueMenu);
}

test("it counts what is due, after the page is there", async () => {
    await mountMenu({overdue: 2, today: 1, failed: 4});
    expect.verifySteps([]);
    await advanceTime(5000);
    expect(".o_followup_due_count").toHaveText("3");
    expect(".o_followup_due_menu").toHaveAttribute(
        "aria-label",
        "Reminders: 2 overdue, 1 today"
    );
    expect.verifySteps(["get_due"]);
});

test("who has no reminders asks for nothing", async () => {
    await mountMenu({overdue: 2, today: 1, failed: 0}, false);
    await advanceTime(5000);
    expect(".o_followup_due_menu").toHaveCount(0);
    expect.verifySteps([]);
});

test("it opens my list", async () => {
    mockService("action", {doAction: ({name}) => expect.step(name)});
    onRpc(MODEL, "get_action", ({args}) => ({name: args.join(" ")}));
    await mountMenu({overdue: 2, today: 1, failed: 0});
    await advanceTime(5000);
    await contains(".o_followup_due_menu").click();
    await contains("[data-due=today]").click();
    expect.verifySteps(["get_due", "get_due", "today mine"]);
});

test("it follows what is done, and the dashboard", async () => {
    const due = {overdue: 2, today: 0, failed: 0};
    await mountMenu(due);
    await advanceTime(5000);
    due.overdue = 1;
    await rpc("/web/dataset/call_button/sales.followup.remind/action_apply", {
        model: "sales.followup.remind",
        method: "action_apply",
        args: [[]],
        kwargs: {},
    });
    await animationFrame();
    expect(".o_followup_due_count").toHaveText("1");
    expect.verifySteps(["get_due", "get_due"]);
    getMockEnv().bus.trigger(FIGURES_LOADED, {
        cards: [
            {key: "overdue", count: 0},
            {key: "today", count: 0},
            {key: "forgotten_quotation", count: 9},
        ],
    });
    await animationFrame();
    expect(".o_followup_due_count").toHaveCount(0);
    expect.verifySteps([]);
});
