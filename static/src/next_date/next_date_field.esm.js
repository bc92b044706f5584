import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {capitalize} from "@web/core/utils/strings";
import {
    RemainingDaysField,
    remainingDaysField,
} from "@web/views/fields/remaining_days/remaining_days_field";

/** From how many days on a number of days tells less than the date. */
const MANY_DAYS = 99;

/**
 * When to get back to a customer: how many days from now, and on which day.
 *
 * Odoo's own field counts in weeks and months, so that the day after tomorrow is "next
 * month" on the last day but one of a month.
 */
export class FollowupNextDateField extends RemainingDaysField {
    static template = "sales_followup.NextDateField";

    get isNear() {
        return this.diffDays !== null && Math.abs(this.diffDays) <= MANY_DAYS;
    }

    /** @override */
    get diffString() {
        if (!this.isNear) {
            return super.diffString;
        }
        const value = this.props.record.data[this.props.name];
        return capitalize(value.startOf("day").toRelativeCalendar({unit: "days"}));
    }

    get dayString() {
        const value = this.props.record.data[this.props.name];
        return value.toLocaleString({weekday: "short", day: "numeric", month: "short"});
    }
}

export const followupNextDateField = {
    ...remainingDaysField,
    component: FollowupNextDateField,
    displayName: _t("Next Reminder"),
};

registry.category("fields").add("followup_next_date", followupNextDateField);
