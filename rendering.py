"""What is wrong with a text that users write for customers."""

import ast
from typing import NamedTuple

from odoo.tools.rendering_tools import parse_inline_template

from odoo.addons.base.models.ir_qweb import QWebError


class Problem(NamedTuple):
    """Why a text cannot render.

    :param expression: what the user typed, as far as it can be told
    :param message: what Python or QWeb says about it
    """

    expression: str
    message: str


def find_problem(renderer, source, engine, sample):
    """Find the expression of a text that cannot render.

    Only for texts whose author may write expressions: they are evaluated.

    :param renderer: a recordset with Odoo's ``mail.render.mixin``
    :param source: the text, as typed
    :param engine: ``inline_template`` or ``qweb``
    :param sample: a document to try it on; where there is none, only the grammar
        of an inline text is judged
    :return: a :class:`Problem`, or ``None`` where all is well
    """
    if engine == "qweb":
        return _try(renderer, source, engine, sample)
    for _text, expression, _default in parse_inline_template(str(source or "")):
        shown = "{{ %s }}" % expression
        if not expression:
            continue
        try:
            ast.parse(expression.strip(), mode="eval")
        except SyntaxError as error:
            return Problem(shown, error.msg)
        if problem := _try(renderer, shown, engine, sample):
            return problem
    return None


def _try(renderer, source, engine, sample):
    """Render a text on a document: the problem it meets, if any."""
    try:
        renderer._render_template(source or "", sample._name, sample.ids, engine=engine)
    except Exception as error:  # noqa: BLE001 whatever a user's text may raise
        return describe(error, source)
    return None


def describe(error, source=""):
    """Say in short what is wrong with a text that did not render.

    :param error: what Odoo's ``mail.render.mixin`` raised
    :param source: the text, where the error does not tell the expression
    :rtype: Problem
    """
    cause = error.__cause__ or error
    if isinstance(cause, QWebError):
        return Problem(cause.qweb.element or source, cause.qweb.error)
    return Problem(source, str(cause).strip().partition("\n")[0])
