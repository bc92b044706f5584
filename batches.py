"""Working on many records so that a bad one costs only itself."""

import logging
import random
import time

from psycopg2 import InterfaceError, OperationalError

from odoo.tools import config

from odoo.addons.base.models.ir_cron import MIN_TIME_PER_JOB

from .rules.pace import is_time_to_end

_logger = logging.getLogger(__name__)

#: how often a step of a single record is tried while others write what it needs
MAX_CONFLICTS = 5


def find_conflict(error):
    """Return the conflict with another transaction, or the loss of the connection, that
    is behind an error; ``None`` where something else is.

    What renders texts and reports wraps errors into its own. The document is not to
    blame for a conflict: the transaction has to be tried again.
    """
    while error and not isinstance(error, (OperationalError, InterfaceError)):
        error = error.__cause__
    return error


def halve(cr, items, work, alone):
    """Work on all items at once; where that fails, on each half, down to single items.

    What fails is rolled back. A conflict with another transaction is raised: the
    caller's transaction has to be tried again.

    :param items: a sequence, or a recordset
    :param work: method taking some of the items, returning a dict
    :param alone: method taking one item (as a slice) and the error it failed with,
        returning a dict
    :return: what both returned, in one dict
    """
    if not items:
        return {}
    try:
        with cr.savepoint():
            return work(items)
    except Exception as error:  # noqa: BLE001 whatever texts, PDF and addons may raise
        if conflict := find_conflict(error):
            raise conflict from None
        if len(items) == 1:
            return alone(items, error)
    half = len(items) // 2
    return {
        **halve(cr, items[:half], work, alone),
        **halve(cr, items[half:], work, alone),
    }


def get_job_age(env):
    """Return for how many seconds the scheduled action has run, all its calls together.

    Odoo calls it ten times at least, however long each call takes.
    """
    end = env.context.get("cron_end_time")
    return time.monotonic() - (end - MIN_TIME_PER_JOB) if end else 0


def is_job_over(env):
    """Tell whether a scheduled action ends itself before its worker is killed."""
    limit = config["limit_time_real_cron"]
    if limit < 0:
        limit = config["limit_time_real"]
    return is_time_to_end(get_job_age(env), limit)


def work_off(env, steps, paces, set_aside, count_left):
    """Take steps, and commit each, until there is nothing left or time is over.

    After a conflict with another transaction the steps start again, with half as many
    records; a record that conflicts even alone is set aside for a later call.

    :param steps: method returning a generator; it yields how many records each step
        was about, and reads their number off ``paces``
    :param paces: some :class:`~.rules.pace.Pace`
    :param set_aside: method setting aside what the next step begins with; returns
        whether it did
    :param count_left: method returning how many records are left, for the progress
    :return: whether there was time for all
    """
    crons, conflicts = env["ir.cron"], 0
    while True:
        try:
            for count in steps():
                left = crons._commit_progress(count, remaining=count_left())
                conflicts = 0
                if not left or is_job_over(env):
                    return False
            return True
        except OperationalError:
            if env.cr.closed:
                raise
            env.cr.rollback()
            _logger.info("A step starts again with fewer records", exc_info=True)
            alone = all(pace.size == 1 for pace in paces)
            conflicts += 1
            for pace in paces:
                pace.conflicted()
            if alone and conflicts > MAX_CONFLICTS:
                if not set_aside():
                    raise
                conflicts = 0
            time.sleep(random.uniform(0, 0.05) * conflicts)
