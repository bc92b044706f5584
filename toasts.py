"""The word after an action: what was done, and where to see it."""


def toast(message, kind="success", links=(), then=None, sticky=False):
    """Return an action that shows a short message, and closes the dialog.

    :param message: a whole sentence; ``%s`` stands for each of the links
    :param kind: ``success``, ``info``, ``warning`` or ``danger``
    :param links: (label, address) pairs
    :param then: the action to go on with, instead of closing
    :param sticky: whether it stays until it is closed
    :return: dict of an action
    """
    return {
        "type": "ir.actions.client",
        "tag": "display_notification",
        "params": {
            "type": kind,
            "message": message,
            "links": [{"label": label, "url": url} for label, url in links],
            "sticky": sticky,
            "next": then or {"type": "ir.actions.act_window_close"},
        },
    }
