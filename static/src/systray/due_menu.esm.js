import {
    FIGURES_LOADED,
    useComeBack,
    useFigureActions,
} from "@sales_followup/dashboard/figures.esm";
import {Component, onMounted, onWillStart, onWillUnmount, useState} from "@odoo/owl";
import {useBus, useService} from "@web/core/utils/hooks";
import {Dropdown} from "@web/core/dropdown/dropdown";
import {DropdownItem} from "@web/core/dropdown/dropdown_item";
import {_t} from "@web/core/l10n/translation";
import {browser} from "@web/core/browser/browser";
import {registry} from "@web/core/registry";
import {rpcBus} from "@web/core/network/rpc";
import {user} from "@web/core/user";

const GROUP = "sales_followup.group_user";

/** The page itself comes first. */
const LOAD_AFTER = 1500;

/** What changes how many reminders are due, as model/method. */
const CHANGES = [
    "sales.followup.remind/action_apply",
    "sales.followup.amend/action_apply",
    "sales.followup.cancel/action_apply",
    "sales.followup.reminder/action_postpone",
    "sales.followup.reminder/action_retry",
    "sales.followup.reminder/web_save",
    "sales.followup.reminder/web_save_multi",
];

/**
 * How many of my reminders are due, from everywhere.
 *
 * Activities tell how many documents wait, each kind with whatever else is planned on
 * them; this tells of reminders alone, on documents I follow too, and of those that
 * failed. Who has no reminders asks for nothing.
 */
export class DueMenu extends Component {
    static template = "sales_followup.DueMenu";
    static components = {Dropdown, DropdownItem};
    static props = {};

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.figureActions = useFigureActions();
        this.state = useState({isUser: false, overdue: 0, today: 0, failed: 0});
        onWillStart(async () => {
            // told by the session: it takes no request
            this.state.isUser = await user.hasGroup(GROUP);
        });
        let timeout = null;
        onMounted(() => {
            timeout = browser.setTimeout(() => this.load(), LOAD_AFTER);
        });
        onWillUnmount(() => browser.clearTimeout(timeout));
        useComeBack(() => this.load());
        useBus(this.env.bus, FIGURES_LOADED, ({detail}) => {
            browser.clearTimeout(timeout);
            this.show(detail.cards);
        });
        useBus(rpcBus, "RPC:RESPONSE", ({detail}) => {
            const {model, method} = detail.data.params;
            if (!detail.error && CHANGES.includes(`${model}/${method}`)) {
                this.load();
            }
        });
    }

    get items() {
        return [
            {key: "overdue", label: _t("Overdue"), isUrgent: true},
            {key: "today", label: _t("Today")},
            {key: "failed", label: _t("Failed"), isUrgent: true},
        ];
    }

    get due() {
        return this.state.overdue + this.state.today;
    }

    get title() {
        return _t("Reminders: %(overdue)s overdue, %(today)s today", this.state);
    }

    /**
     * Count anew, without a word where that is not possible: nobody asked for it.
     */
    async load() {
        if (!this.state.isUser) {
            return;
        }
        try {
            const due = await this.orm.silent.call(
                "sales.followup.dashboard",
                "get_due",
                []
            );
            Object.assign(this.state, due);
        } catch {
            // what was there stays
        }
    }

    /**
     * Take the figures the dashboard has just got.
     *
     * @param {Object[]} cards
     */
    show(cards) {
        for (const {key, count} of cards) {
            if (key in this.state) {
                this.state[key] = count;
            }
        }
    }

    openDashboard() {
        return this.action.doAction("sales_followup.sales_followup_dashboard_action", {
            clearBreadcrumbs: true,
        });
    }
}

registry
    .category("systray")
    .add("sales_followup.due_menu", {Component: DueMenu}, {sequence: 21});
