import {registry} from "@web/core/registry";
import {CalendarController} from "@web/views/calendar/calendar_controller";
import {calendarView} from "@web/views/calendar/calendar_view";

/**
 * The calendar of next reminders: a click on a day opens the dialog of a new reminder,
 * with that day as its next date.
 */
export class ReminderCalendarController extends CalendarController {
    /** @override */
    createRecord(record) {
        return this.action.doAction("sales_followup.sales_followup_remind_action", {
            additionalContext: {
                ...this.props.context,
                default_channel: "phone",
                default_next_date: record.start.toISODate(),
            },
            onClose: () => this.model.load(),
        });
    }
}

export const reminderCalendarView = {
    ...calendarView,
    Controller: ReminderCalendarController,
};

registry.category("views").add("followup_reminder_calendar", reminderCalendarView);
