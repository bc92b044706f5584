"""How ``ir.actions.report`` prints for the addon."""


class Printing:
    """Passed in the context key ``followup_printing``: an object, so that nothing that
    comes over the network, where contexts are JSON, can pretend to be one.

    :param delay: how long to wait for scripts, in milliseconds; ``None`` as usual
    :param prints: ``sales_followup_document_printer.Prints``, what is printed already
    """

    def __init__(self, delay=None, prints=None):
        self.delay = delay
        self.prints = prints


def get_printing(env):
    """Return how to print: as usual, unless the code that prints says otherwise."""
    printing = env.context.get("followup_printing")
    return printing if isinstance(printing, Printing) else Printing()
