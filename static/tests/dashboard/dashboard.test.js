import {advanceTime, animationFrame, expect, test} from "@odoo/hoot";
import {
    contains,
    defineModels,
    makeMockEnv,
    mockService,
    models,
    mountWithCleanup,
    onRpc,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";
import {queryAllTexts, queryOne} from "@odoo/hoot-dom";
import {FollowupDashboard} from "@sales_followup/dashboard/dashboard.esm";
import {defineMailModels} from "@mail/../tests/mail_test_helpers";
import {getDefaultConfig} from "@web/views/view";

const MODEL = "sales.followup.dashboard";
const DOLLAR = 1;
const EURO = 2;

class Dashboard extends models.Model {
    _name = MODEL;
}

defineMailModels();
defineModels([Dashboard]);

/**
 * @param {String} section
 * @param {String} key
 * @param {Number} count
 * @param {Object[]} amounts
 * @returns {Object} what the server tells of a card
 */
function makeCard(section, key, count, amounts = []) {
    const label = key[0].toUpperCase() + key.slice(1);
    return {section, key, label, count, amounts};
}

/**
 * @param {Object} counts by key of card
 * @returns {Object} what the server tells a salesperson
 */
function makeFigures(counts = {}) {
    const card = (section, key) => {
        const count = counts[key] || 0;
        const amount = {amount: 100 * count, currency_id: DOLLAR};
        return makeCard(section, key, count, count ? [amount] : []);
    };
    return {
        cards: [
            card("next", "overdue"),
            card("next", "today"),
            card("next", "week"),
            card("next", "later"),
            card("sent", "failed"),
            card("sent", "waiting"),
            card("forgotten", "forgotten_quotation"),
        ],
        people: false,
    };
}

const cells = (overdue, today) => ({overdue, today});

const PEOPLE = {
    columns: [
        {key: "overdue", label: "Overdue"},
        {key: "today", label: "Today"},
    ],
    rows: [
        {
            id: 7,
            name: "Nora Lind",
            cells: cells(2, 0),
            amounts: [{amount: 500, currency_id: DOLLAR}],
        },
        {id: false, name: "Nobody", cells: cells(0, 1), amounts: []},
    ],
    total: {
        cells: cells(2, 1),
        amounts: [
            {amount: 500, currency_id: DOLLAR},
            {amount: 30, currency_id: EURO},
        ],
    },
};

/**
 * Open the dashboard.
 *
 * @param {Object} figures that the server gives
 */
async function mountDashboard(figures) {
    onRpc(MODEL, "get_figures", () => {
        expect.step("get_figures");
        return figures;
    });
    const env = await makeMockEnv({config: getDefaultConfig()});
    await mountWithCleanup(FollowupDashboard, {
        env,
        props: {action: {}, actionId: 1},
    });
}

/**
 * Tell what actions are opened, without opening them.
 *
 * @returns {Object[]} [action, options] of each
 */
function watchActions() {
    const opened = [];
    mockService("action", {
        doAction: (action, options = {}) => opened.push([action, options]),
    });
    return opened;
}

/**
 * Leave the browser's tab, and come back.
 */
async function comeBack() {
    document.dispatchEvent(new Event("visibilitychange"));
    await animationFrame();
}

test("a card shows how many, and what is at stake", async () => {
    await mountDashboard(makeFigures({overdue: 3}));
    expect(queryAllTexts("[data-card=overdue] .card-body > span")).toEqual([
        "Overdue",
        "3",
        "$ 300.00",
    ]);
    expect("[data-card=overdue]").toHaveAttribute(
        "aria-label",
        "Overdue: 3, $\u00a0300.00 at stake"
    );
    expect("[data-card=today]").toHaveAttribute("aria-label", "Today: 0");
    expect(queryAllTexts("h2")).toEqual([
        "My Next Reminders",
        "What I Sent",
        "To Chase, Without a Next Date",
    ]);
    expect.verifySteps(["get_figures"]);
});

test("amounts in two currencies are not added up", async () => {
    const figures = makeFigures({today: 2});
    figures.cards[1].amounts.push({amount: 50, currency_id: EURO});
    await mountDashboard(figures);
    expect("[data-card=today]").toHaveText(/\$\s200\.00 \+ 50\.00\s€/);
    expect.verifySteps(["get_figures"]);
});

test("what failed cannot be taken for what is overdue", async () => {
    await mountDashboard(makeFigures({overdue: 1, failed: 1}));
    expect("[data-card=failed]").toHaveClass("text-bg-danger");
    expect("[data-card=overdue]").not.toHaveClass("text-bg-danger");
    expect("[data-card=failed] .fa-exclamation-triangle").toHaveCount(1);
    expect.verifySteps(["get_figures"]);
});

test("a card opens the list behind it", async () => {
    const opened = watchActions();
    onRpc(MODEL, "get_action", ({args}) => {
        expect.step(args);
        return {type: "ir.actions.act_window", name: "Overdue Reminders"};
    });
    await mountDashboard(makeFigures({overdue: 1}));
    await contains("[data-card=overdue]").click();
    expect.verifySteps(["get_figures", ["overdue", "mine"]]);
    expect(opened[0][0].name).toBe("Overdue Reminders");
});

test("figures are counted anew when the dialog is closed", async () => {
    const opened = watchActions();
    const figures = makeFigures({overdue: 1});
    await mountDashboard(figures);
    await contains("button:contains(Log a Call)").click();
    const [[action, options]] = opened;
    expect(action.res_model).toBe("sales.followup.remind");
    expect(action.context).toEqual({default_channel: "phone"});
    Object.assign(figures, makeFigures({later: 1}));
    options.onClose();
    await animationFrame();
    expect("[data-card=overdue] .o_followup_count").toHaveText("0");
    expect("[data-card=later] .o_followup_count").toHaveText("1");
    expect.verifySteps(["get_figures", "get_figures"]);
});

test("a new reminder is not yet a call", async () => {
    const opened = watchActions();
    await mountDashboard(makeFigures({overdue: 1}));
    await contains("button:contains(New Reminder)").click();
    expect(opened[0][0].context).toEqual({});
    expect.verifySteps(["get_figures"]);
});

test("who comes back after a while sees how it is now", async () => {
    await mountDashboard(makeFigures({overdue: 1}));
    await comeBack();
    expect.verifySteps(["get_figures"]);
    await advanceTime(5 * 60 * 1000);
    await comeBack();
    expect.verifySteps(["get_figures"]);
});

test("where nothing waits, it says what to do next", async () => {
    const opened = watchActions();
    await mountDashboard(makeFigures());
    expect(".o_followup_card").toHaveCount(0);
    expect(".o_followup_idle h2").toHaveText("Nothing waits for you");
    await contains(".o_followup_idle button").click();
    expect(opened[0][0]).toBe("sales_followup.sales_followup_run_action_new");
    expect.verifySteps(["get_figures"]);
});

test("an error is told, and one can try again", async () => {
    const figures = makeFigures({overdue: 1});
    let isBroken = true;
    onRpc(MODEL, "get_figures", () => {
        if (isBroken) {
            throw new Error("The server is gone");
        }
        return figures;
    });
    const env = await makeMockEnv({config: getDefaultConfig()});
    await mountWithCleanup(FollowupDashboard, {env, props: {action: {}, actionId: 1}});
    expect(".o_followup_error[role=alert]").toHaveText(/could not be loaded/);
    expect(".o_followup_card").toHaveCount(0);
    isBroken = false;
    await contains(".o_followup_error button").click();
    expect(".o_followup_error").toHaveCount(0);
    expect("[data-card=overdue] .o_followup_count").toHaveText("1");
});

test("a manager sees who has what to do", async () => {
    await mountDashboard({...makeFigures({overdue: 1}), people: PEOPLE});
    expect(queryAllTexts(".o_followup_people thead th")).toEqual([
        "Colleague",
        "Overdue",
        "Today",
        "At Stake",
    ]);
    expect(queryAllTexts(".o_followup_people tbody tr:first td")).toEqual([
        "2",
        "0",
        "$ 500.00",
    ]);
    expect(".o_followup_people tfoot td:last").toHaveText("$ 500.00 + 30.00 €");
    expect(".o_followup_people caption").toHaveCount(1);
    expect(queryOne(".o_followup_people img").alt).toBe("");
    expect.verifySteps(["get_figures"]);
});

test("a number in the table opens the list of that colleague", async () => {
    watchActions();
    onRpc(MODEL, "get_action", ({args}) => {
        expect.step(args);
        return {type: "ir.actions.act_window"};
    });
    await mountDashboard({...makeFigures(), people: PEOPLE});
    expect("tr:contains(Nora) td[data-column=today] button").toHaveCount(0);
    const number = "tr:contains(Nora) td[data-column=overdue] button";
    expect(number).toHaveAttribute("aria-label", "Nora Lind, Overdue: 2");
    await contains(number).click();
    await contains("tr:contains(Nobody) td[data-column=today] button").click();
    await contains("tfoot td[data-column=overdue] button").click();
    expect.verifySteps([
        "get_figures",
        ["overdue", 7],
        ["today", false],
        ["overdue", "all"],
    ]);
});

test("a salesperson sees no table", async () => {
    await mountDashboard(makeFigures({overdue: 1}));
    expect(".o_followup_people").toHaveCount(0);
    expect.verifySteps(["get_figures"]);
});

test("late answers do not replace newer ones", async () => {
    const answers = [makeFigures({overdue: 1}), makeFigures({overdue: 2})];
    const waiting = [];
    const dashboard = FollowupDashboard.prototype;
    let loads = 0;
    patchWithCleanup(dashboard, {
        async load() {
            loads++;
            return super.load();
        },
    });
    const opened = watchActions();
    await mountDashboard(answers[0]);
    onRpc(MODEL, "get_figures", async () => {
        const figures = answers[waiting.length];
        await new Promise((resolve) => waiting.push(resolve));
        return figures;
    });
    await contains("button:contains(Log a Call)").click();
    opened[0][1].onClose();
    opened[0][1].onClose();
    await animationFrame();
    expect(loads).toBe(3);
    waiting[1]();
    await animationFrame();
    waiting[0]();
    await animationFrame();
    expect("[data-card=overdue] .o_followup_count").toHaveText("2");
    expect.verifySteps(["get_figures"]);
});
