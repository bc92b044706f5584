import {markup, useExternalListener} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {useService} from "@web/core/utils/hooks";
import {formatMonetary} from "@web/views/fields/formatters";

const MODEL = "sales.followup.dashboard";

/** What others may listen to: the figures were asked for anew. */
export const FIGURES_LOADED = "SALES_FOLLOWUP:FIGURES-LOADED";

/** How long figures are good enough, when one comes back to the browser's tab. */
const FRESH_FOR = 60 * 1000;

/**
 * @typedef {{amount: Number, currency_id: Number}} Amount in one currency
 */

/**
 * Write what is at stake, one amount for each currency: they are never added up.
 *
 * @param {Amount[]} amounts
 * @returns {String}
 */
export function formatAmounts(amounts) {
    return amounts
        .map(({amount, currency_id: currencyId}) =>
            formatMonetary(amount, {currencyId})
        )
        .join(" + ");
}

/**
 * Say a figure in words, for those who do not see where it stands.
 *
 * @param {String} label
 * @param {Number} count
 * @param {Amount[]} [amounts]
 * @returns {String}
 */
export function describeFigure(label, count, amounts = []) {
    if (!amounts.length) {
        return _t("%(label)s: %(count)s", {label, count});
    }
    return _t("%(label)s: %(count)s, %(amount)s at stake", {
        label,
        count,
        amount: formatAmounts(amounts),
    });
}

/**
 * What one does with figures: open the list behind one, or remind.
 *
 * @returns {{
 *  open: (key: String, whose?: String|Number|false) => Promise,
 *  logCall: (onClose: Function) => Promise,
 *  remind: (onClose: Function) => Promise,
 * }}
 */
export function useFigureActions() {
    const orm = useService("orm");
    const action = useService("action");
    const openDialog = (name, context, onClose) =>
        action.doAction(
            {
                type: "ir.actions.act_window",
                name,
                res_model: "sales.followup.remind",
                views: [[false, "form"]],
                target: "new",
                context,
            },
            {onClose}
        );
    return {
        async open(key, whose = "mine") {
            const list = await orm.call(MODEL, "get_action", [key, whose]);
            // what the server wrote, and no user
            return action.doAction({...list, help: markup(list.help)});
        },
        logCall: (onClose) =>
            openDialog(_t("Log a Call"), {default_channel: "phone"}, onClose),
        remind: (onClose) => openDialog(_t("New Reminder"), {}, onClose),
    };
}

/**
 * Do something when one comes back to the browser's tab after a while.
 *
 * @param {() => Promise} callback
 */
export function useComeBack(callback) {
    let lastTime = Date.now();
    useExternalListener(document, "visibilitychange", () => {
        const now = Date.now();
        if (document.visibilityState === "visible" && now - lastTime > FRESH_FOR) {
            lastTime = now;
            callback();
        }
    });
}
