import {Component} from "@odoo/owl";
import {Dropdown} from "@web/core/dropdown/dropdown";
import {DropdownItem} from "@web/core/dropdown/dropdown_item";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";

const LATER = [
    {days: 1, label: _t("Tomorrow")},
    {days: 3, label: _t("In 3 Days")},
    {days: 7, label: _t("In a Week")},
    {days: 14, label: _t("In Two Weeks")},
];

/**
 * What is done with a reminder every day, on its row, card or form: call, log the call,
 * remind again, postpone.
 */
export class FollowupDeskWidget extends Component {
    static template = "sales_followup.DeskWidget";
    static components = {Dropdown, DropdownItem};
    static props = {...standardWidgetProps};

    get data() {
        return this.props.record.data;
    }

    get isShown() {
        return Boolean(this.props.record.resId);
    }

    /** Only the latest reminder of an open document says when to get back. */
    get isPostponable() {
        const {is_open, is_last, may_change, state} = this.data;
        return is_open && is_last && may_change && state !== "cancelled";
    }

    get later() {
        return LATER;
    }

    get callTitle() {
        return _t("Call %s", this.data.telephone);
    }

    /**
     * Do what a button of the view would.
     *
     * @param {String} name of a method of reminders
     * @param {Array} [args]
     * @returns {Promise}
     */
    run(name, args = []) {
        const {record} = this.props;
        return this.env.onClickViewButton({
            clickParams: {name, type: "object", args: JSON.stringify(args)},
            getResParams: () => ({
                context: record.context,
                evalContext: record.evalContext,
                resModel: record.resModel,
                resId: record.resId,
                resIds: record.resIds,
            }),
        });
    }
}

registry.category("view_widgets").add("followup_desk", {
    component: FollowupDeskWidget,
    fieldDependencies: [
        {name: "is_last", type: "boolean"},
        {name: "is_open", type: "boolean"},
        {name: "may_change", type: "boolean"},
        {name: "state", type: "selection"},
        {name: "telephone", type: "char"},
    ],
});
