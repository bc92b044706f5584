import {Component} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";
import {standardFieldProps} from "@web/views/fields/standard_field_props";

const ICONS = {email: "fa-envelope-o", letter: "fa-file-text-o", none: "fa-ban"};

/**
 * How one line of many is sent, by one click: the row need not be opened. What cannot
 * be chosen says why.
 *
 * In a form all of it is saved, so that the figures above the lines are true.
 */
export class FollowupChannelField extends Component {
    static template = "sales_followup.ChannelField";
    static props = {...standardFieldProps};

    setup() {
        this.orm = useService("orm");
    }

    get value() {
        return this.props.record.data[this.props.name];
    }

    get options() {
        const {record, name} = this.props;
        return record.fields[name].selection.map(([value, label]) => {
            const problem = record.data[`${value}_problem`];
            return {
                value,
                label,
                icon: ICONS[value] || "fa-paper-plane-o",
                isActive: value === this.value,
                isDisabled: Boolean(problem),
                title: problem ? `${label}: ${problem}` : label,
            };
        });
    }

    get current() {
        return this.options.find((option) => option.isActive);
    }

    /**
     * @param {String} value the channel chosen
     */
    async choose(value) {
        if (value === this.value) {
            return;
        }
        const {record, name} = this.props;
        await record.update({[name]: value}, {save: true});
        const {root} = record.model;
        if (record.canSaveOnUpdate || !root.resId) {
            return;
        }
        // Not read anew: the page and the place in the list stay
        if (await root.save({reload: false})) {
            await this.refreshFigures(root);
        }
    }

    /**
     * Show what the form adds up to now.
     *
     * @param {Object} root the record of the form
     */
    async refreshFigures(root) {
        const names = Object.keys(root.activeFields).filter((name) =>
            /_(count|amount)$/.test(name)
        );
        const [figures] = await this.orm.read(root.resModel, [root.resId], names);
        root._applyValues(figures);
    }
}

export const followupChannelField = {
    component: FollowupChannelField,
    displayName: _t("Channel of a Reminder"),
    supportedTypes: ["selection"],
    // not that of the row, which need not be in edition
    extractProps: (fieldInfo, dynamicInfo) => ({readonly: dynamicInfo.readonly}),
};

registry.category("fields").add("followup_channel", followupChannelField);
