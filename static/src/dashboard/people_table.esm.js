import {Avatar} from "@mail/views/web/fields/avatar/avatar";
import {Component} from "@odoo/owl";
import {describeFigure, formatAmounts} from "./figures.esm";

/** What stands out where it is not nothing. */
const URGENT = ["overdue", "failed"];

/** What there is no room for on a phone. */
const WIDE = ["week", "later", "waiting"];

/** The name stands beside the picture: readers need not hear it twice. */
class PersonAvatar extends Avatar {
    static template = "sales_followup.PersonAvatar";
}

/**
 * Who has what to do, for managers.
 */
export class PeopleTable extends Component {
    static template = "sales_followup.PeopleTable";
    static components = {PersonAvatar};
    static props = {
        people: {
            type: Object,
            shape: {columns: Array, rows: Array, total: Object},
        },
        onOpen: Function,
    };

    /**
     * @param {Object} column
     * @returns {String} classes of its cells
     */
    getColumnClass(column) {
        return WIDE.includes(column.key) ? "d-none d-md-table-cell" : "";
    }

    /**
     * @param {Object} column
     * @returns {String} classes of a number that is not nothing
     */
    getCountClass(column) {
        return URGENT.includes(column.key) ? "text-danger fw-bold" : "";
    }

    /**
     * @param {String} name of whom the row tells
     * @param {Object} row
     * @param {Object} column
     * @returns {String} the cell in words
     */
    describe(name, row, column) {
        return describeFigure(`${name}, ${column.label}`, row.cells[column.key]);
    }

    formatAmounts(row) {
        return formatAmounts(row.amounts);
    }
}
