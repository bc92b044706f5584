import {Component} from "@odoo/owl";
import {describeFigure, formatAmounts} from "./figures.esm";

const ICONS = {
    overdue: "fa-clock-o",
    today: "fa-calendar-check-o",
    week: "fa-calendar",
    later: "fa-calendar-o",
    failed: "fa-exclamation-triangle",
    waiting: "fa-hourglass-half",
};

/** How a card looks that has something in it. */
const LOOKS = {
    overdue: {card: "border-danger", count: "text-danger"},
    today: {card: "border-warning", count: ""},
    failed: {card: "border-danger text-bg-danger", count: ""},
};

/**
 * A figure of the dashboard: how many, and what is at stake.
 */
export class FigureCard extends Component {
    static template = "sales_followup.FigureCard";
    static props = {
        card: {
            type: Object,
            shape: {
                key: String,
                section: String,
                label: String,
                count: Number,
                amounts: Array,
            },
        },
        onOpen: Function,
    };

    get icon() {
        return ICONS[this.props.card.key] || "fa-file-text-o";
    }

    get look() {
        const {key, count} = this.props.card;
        if (!count) {
            return {card: "", count: "text-muted"};
        }
        return LOOKS[key] || {card: "border-primary", count: ""};
    }

    get amounts() {
        return formatAmounts(this.props.card.amounts);
    }

    get description() {
        const {label, count, amounts} = this.props.card;
        return describeFigure(label, count, amounts);
    }
}
