from dataset import TODAY
from goals import Queries, Ratio, Value
from measure import Way
from product import FIRST_REMINDER, find_due, switch_on

from odoo.tools import SQL

from . import Row

#: how many are found at a time, and how often
PAGE, PAGES = 1_000, 10
READ = ("sale_order", "sales_followup_reminder")


class Candidates(Row):
    """Find the next quotations that are due for their first reminder, the oldest first.

    The older ones were reminded, and are still open. The floor is told with which one
    the others begin, and has an index that fits. One page after the other is found, as
    by a run of the scheduled action.
    """

    code = "4"
    title = "find the next due documents"
    tables = READ
    goals = (
        Ratio("ours", "floor", at_most=2),
        Ratio("plain", "ours"),
        Queries("ours"),
    )

    @property
    def remarks(self):
        sizes = self.data.sizes
        return (
            f"{PAGE} at a time, of {sizes.quotations - sizes.reminders} among"
            f" {sizes.orders + sizes.quotations} orders and quotations with"
            f" {sizes.reminders} reminders",
            "plain: a search for documents without such a reminder, without our"
            " indexes, the first time only",
        )

    def why_not(self):
        if self.data.sizes.quotations - self.data.sizes.reminders < 2 * PAGE * PAGES:
            return f"there are not {2 * PAGE * PAGES} quotations to chase"
        return super().why_not()

    def ways(self):
        return [
            Way("ours", self.ours, PAGE * PAGES, su=True),
            Way("floor", self.floor, PAGE * PAGES, su=True),
            Way("plain", self.plain, PAGE, su=True, slow=True),
        ]

    def measure(self):
        results, goals = super().measure()
        return results, [*goals, self._measure_reading()]

    def _measure_reading(self):
        """Tell how much the database reads: it grows with neither documents nor
        reminders."""
        way = Way("ours", self.ours, PAGE * PAGES, su=True)
        trial = self.bench.run_once(way, 0, self.tables, way.records)
        each = trial.read / trial.records
        return Value("rows read for each one found", each, at_most=3)

    def ours(self, trial):
        template = switch_on(trial.env, FIRST_REMINDER)
        before = _rows_read(trial.env)
        with trial.lap():
            found = find_due(template, trial.records, PAGE)
        trial.read = _rows_read(trial.env) - before
        self._check(trial, found)

    def floor(self, trial):
        env, found = trial.env, []
        env.cr.execute(
            "CREATE INDEX ON sale_order (validity_date, id) WHERE state = 'sent'"
        )
        template = switch_on(env, FIRST_REMINDER)
        first = env["sale.order"].browse(self._get_first())
        after = (first.validity_date, first.id - 1)
        with trial.lap():
            while len(found) < trial.records:
                rows = env.execute_query(self._get_page(env, template, after))
                after = rows[-1]
                found += [id_ for _day, id_ in rows]
        self._check(trial, found)

    def _get_page(self, env, template, after):
        return SQL(
            """
            SELECT validity_date, id FROM sale_order
             WHERE state = 'sent' AND company_id = %s
               AND (validity_date, id) > (%s, %s) AND validity_date <= %s
               AND NOT EXISTS (SELECT 1 FROM sales_followup_reminder sent
                                WHERE sent.order_id = sale_order.id
                                  AND sent.template_id = %s
                               OFFSET 0)
          ORDER BY validity_date, id
             LIMIT %s
            """,
            env.company.id,
            *after,
            TODAY,
            template.id,
            PAGE,
        )

    def plain(self, trial):
        env = trial.env
        _drop_own_indexes(env)
        template = switch_on(env, FIRST_REMINDER)
        sent = [("template_id", "=", template.id)]
        with trial.lap():
            found = env["sale.order"].search(
                [
                    ("state", "=", "sent"),
                    ("validity_date", "<=", TODAY),
                    ("followup_reminder_ids", "not any", sent),
                ],
                order="validity_date, id",
                limit=trial.records,
            )
        self._check(trial, found.ids)

    def _get_first(self):
        return self.data.quotation_ids(1)[0]

    def _check(self, trial, found):
        first = self._get_first()
        found = found[: trial.records]
        assert found == list(range(first, first + trial.records)), found[:3]


def _rows_read(env):
    """Return how many rows this transaction has read from the tables concerned."""
    [[count]] = env.execute_query(
        SQL(
            """
            SELECT SUM(COALESCE(seq_tup_read, 0) + COALESCE(idx_tup_fetch, 0))
              FROM pg_stat_xact_user_tables WHERE relname = ANY(%s)
            """,
            list(READ),
        )
    )
    return int(count)


def _drop_own_indexes(env):
    rows = env.execute_query(
        SQL(
            """
            SELECT indexname FROM pg_indexes
             WHERE tablename = 'sale_order' AND indexname LIKE '%%followup%%'
            """
        )
    )
    for (name,) in rows:
        env.cr.execute(SQL("DROP INDEX %s", SQL.identifier(name)))
