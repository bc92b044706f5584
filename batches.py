"""Working on many records so that a bad one costs only itself."""

from psycopg2 import InterfaceError, OperationalError


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
