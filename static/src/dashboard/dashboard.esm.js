import {Component, onWillStart, useState} from "@odoo/owl";
import {FIGURES_LOADED, useComeBack, useFigureActions} from "./figures.esm";
import {FigureCard} from "./figure_card.esm";
import {KeepLast} from "@web/core/utils/concurrency";
import {Layout} from "@web/search/layout";
import {PeopleTable} from "./people_table.esm";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {standardActionServiceProps} from "@web/webclient/actions/action_service";
import {useService} from "@web/core/utils/hooks";

/**
 * What a salesperson sees first: figures, and the list behind each.
 */
export class FollowupDashboard extends Component {
    static template = "sales_followup.Dashboard";
    static components = {FigureCard, Layout, PeopleTable};
    static props = {...standardActionServiceProps};

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.figureActions = useFigureActions();
        this.keepLast = new KeepLast();
        this.display = {controlPanel: {}};
        this.state = useState({
            cards: [],
            people: false,
            isLoading: false,
            hasFailed: false,
            reason: "",
        });
        onWillStart(() => this.load());
        useComeBack(() => this.load());
    }

    /**
     * @returns {Object[]} the groups of cards, those without any left out
     */
    get sections() {
        return [
            {
                key: "next",
                title: _t("My Next Reminders"),
                columns: "row-cols-2 row-cols-md-4",
                width: "col-12",
            },
            {
                key: "sent",
                title: _t("What I Sent"),
                columns: "row-cols-2",
                width: "col-12 col-lg-5 col-xl-6",
            },
            {
                key: "forgotten",
                title: _t("To Chase, Without a Next Date"),
                columns: "row-cols-2 row-cols-md-3",
                width: "col-12 col-lg-7 col-xl-6",
            },
        ]
            .map((section) => ({
                ...section,
                cards: this.state.cards.filter((card) => card.section === section.key),
            }))
            .filter((section) => section.cards.length);
    }

    get isIdle() {
        return this.state.cards.every((card) => !card.count);
    }

    /**
     * Ask for the figures anew. What is shown stays until they are there; where they
     * cannot be had, say so, and let one try again.
     */
    async load() {
        this.state.isLoading = true;
        try {
            const figures = await this.keepLast.add(
                this.orm.call("sales.followup.dashboard", "get_figures", [])
            );
            Object.assign(this.state, figures, {hasFailed: false});
            this.env.bus.trigger(FIGURES_LOADED, figures);
        } catch (error) {
            this.state.hasFailed = true;
            // the server's own words; others say nothing to who reads them
            this.state.reason = error.data?.message || "";
        }
        this.state.isLoading = false;
    }

    open(key, whose) {
        return this.figureActions.open(key, whose);
    }

    logCall() {
        return this.figureActions.logCall(() => this.load());
    }

    remind() {
        return this.figureActions.remind(() => this.load());
    }

    openBulk() {
        return this.action.doAction("sales_followup.sales_followup_run_action_new");
    }
}

registry.category("actions").add("sales_followup.dashboard", FollowupDashboard);
