import {Component, onWillStart, useState} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";
import {formatMonetary} from "@web/views/fields/formatters";
import {Layout} from "@web/search/layout";
import {standardActionServiceProps} from "@web/webclient/actions/action_service";

/** How a card looks that has something in it. */
const COLORS = {
    overdue: "text-bg-danger",
    today: "text-bg-warning",
    failed: "text-bg-danger",
};

/**
 * What a salesperson sees first: figures, and the list behind each.
 */
export class FollowupDashboard extends Component {
    static template = "sales_followup.Dashboard";
    static components = {Layout};
    static props = {...standardActionServiceProps};

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.state = useState({cards: [], people: []});
        this.periods = [
            {key: "overdue", label: _t("Overdue")},
            {key: "today", label: _t("Today")},
            {key: "week", label: _t("This Week")},
            {key: "later", label: _t("Later")},
        ];
        onWillStart(() => this.load());
    }

    get display() {
        return {controlPanel: {}};
    }

    get nextCards() {
        return this.state.cards.slice(0, 6);
    }

    get forgottenCards() {
        return this.state.cards.slice(6);
    }

    /**
     * Ask for the figures anew.
     */
    async load() {
        Object.assign(
            this.state,
            await this.orm.call("sales.followup.dashboard", "get_figures", [])
        );
    }

    /**
     * @param {Object} card
     * @returns {String} what is at stake, one amount for each currency
     */
    formatAmounts(card) {
        return card.amounts
            .map(({amount, currency_id}) =>
                formatMonetary(amount, {currencyId: currency_id})
            )
            .join(" + ");
    }

    /**
     * @param {Object} card
     * @returns {String} the color of its number
     */
    getColor(card) {
        if (!card.count) {
            return "bg-secondary-subtle text-secondary-emphasis";
        }
        return COLORS[card.key] || "text-bg-primary";
    }

    /**
     * Open the list behind a figure.
     *
     * @param {Object} action
     */
    open(action) {
        this.action.doAction(action);
    }

    /**
     * Log a call or another reminder, and count anew.
     */
    logCall() {
        this.action.doAction("sales_followup.sales_followup_remind_action", {
            onClose: () => this.load(),
        });
    }
}

registry.category("actions").add("sales_followup.dashboard", FollowupDashboard);
