import {onMounted, onWillUnmount} from "@odoo/owl";
import {browser} from "@web/core/browser/browser";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {
    ProgressBarField,
    progressBarField,
} from "@web/views/fields/progress_bar/progress_bar_field";

/** How often work that goes on in the background is looked at. */
const INTERVAL = 2000;

/**
 * A progress bar that moves: while the work is running, its record is read again.
 */
export class FollowupProgressField extends ProgressBarField {
    setup() {
        super.setup();
        this.isLoading = false;
        onMounted(() => {
            this.interval = browser.setInterval(() => this.refresh(), INTERVAL);
        });
        onWillUnmount(() => browser.clearInterval(this.interval));
    }

    async refresh() {
        const {record} = this.props;
        if (record.data.state !== "running" || this.isLoading || document.hidden) {
            return;
        }
        this.isLoading = true;
        try {
            await record.load();
        } finally {
            this.isLoading = false;
        }
    }
}

export const followupProgressField = {
    ...progressBarField,
    component: FollowupProgressField,
    displayName: _t("Progress of a Run or a Change"),
};

registry.category("fields").add("followup_progress", followupProgressField);
