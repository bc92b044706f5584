"""Wings use only what is below them."""

import ast
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

from odoo.tests import BaseCase, tagged
from odoo.tools import file_path

#: what each wing may use, beside what these use themselves
WINGS = {
    "representatives": (),
    "changes": ("representatives",),
    "territories": ("changes",),
    "reminders": ("representatives",),
    "verdict": ("reminders",),
    "letters": (),
    "sending": ("reminders", "verdict", "letters"),
    "answers": ("reminders", "sending"),
    "runs": ("reminders", "verdict", "sending", "letters"),
    "dashboard": ("reminders",),
}
#: what a document is: all wings use it, and it uses none
GROUND = "what a document is"
GROUND_FILES = (
    "sales_followup_guarded",
    "sales_followup_document_type",
    "sales_followup_document_link",
)
#: the documents and the settings, which use all wings
ROOF = "the documents"

RELATIONS = ("Many2one", "One2many", "Many2many")


def get_allowed(wing):
    """Return the wings whose modules and models a wing may use."""
    if wing == GROUND:
        return {GROUND}
    allowed = {wing, GROUND}
    for used in WINGS[wing]:
        allowed |= get_allowed(used)
    return allowed


class Source:
    """One file of ``models``: what it defines, and what it uses."""

    def __init__(self, path, models):
        self.path = path.relative_to(models)
        #: as in ``reminders.sales_followup_agenda``
        self.parts = self.path.with_suffix("").parts
        self.tree = ast.parse(path.read_text())
        self.constants = self._read_constants()

    @property
    def wing(self):
        if len(self.parts) > 1:
            return self.parts[0]
        return GROUND if self.parts[0] in GROUND_FILES else ROOF

    def _read_constants(self):
        """Return what each name may stand for, whatever the branch: a set of texts."""
        constants = defaultdict(set)
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Assign):
                targets, values = node.targets, node.value
            elif isinstance(node, (ast.AnnAssign, ast.NamedExpr, ast.For)):
                targets = [node.target]
                values = node.iter if isinstance(node, ast.For) else node.value
            elif isinstance(node, ast.comprehension):
                targets, values = [node.target], node.iter
            else:
                continue
            for target in targets:
                if isinstance(target, ast.Name):
                    constants[target.id] |= set(_texts(values))
        return constants

    def get_modules(self):
        """Yield (line, parts of a module below ``models``) for each import."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield node.lineno, self._below_models(alias.name.split("."))
            elif isinstance(node, ast.ImportFrom):
                base = (node.module or "").split(".") if node.module else []
                if node.level:
                    here = ("models", *self.parts)
                    base = [*here[: len(here) - node.level], *base]
                    if node.level > len(here):
                        continue  # above the addon
                    inside = base[:1] == ["models"]
                    base = base[1:] if inside else None
                else:
                    base = self._below_models(base)
                if base is None:
                    continue
                for alias in node.names:
                    yield node.lineno, [*base, alias.name]

    @staticmethod
    def _below_models(parts):
        prefix = ["odoo", "addons", "sales_followup", "models"]
        return parts[len(prefix) :] if parts[: len(prefix)] == prefix else None

    def get_defined(self):
        """Yield the models that begin here."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ClassDef):
                for name in _texts(_attribute(node, "_name")):
                    if name.startswith("sales.followup."):
                        yield name

    def get_methods(self):
        """Yield the names of the methods that stand here."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef):
                yield node.name

    def get_called(self):
        """Yield (line, name) for each method of ours that is called on any model.

        Only names with this prefix are told apart from those of Odoo's methods.
        """
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute) and node.attr.startswith("_followup_"):
                yield node.lineno, node.attr

    def get_models(self, imported):
        """Yield (line, model) for each model that is named.

        :param imported: what the names of other files may stand for
        """
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ClassDef):
                for name in _texts(_attribute(node, "_inherit")):
                    yield node.lineno, name
                for name in _texts(_attribute(node, "_inherits")):
                    yield node.lineno, name
            elif isinstance(node, ast.Subscript) and _is_registry(node.value):
                for name in self._resolve(node.slice, imported):
                    yield node.lineno, name
            elif isinstance(node, ast.Call) and _is_relation(node.func):
                named = [kw.value for kw in node.keywords if kw.arg == "comodel_name"]
                for argument in [*node.args[:1], *named]:
                    for name in self._resolve(argument, imported):
                        yield node.lineno, name

    def _resolve(self, node, imported):
        if isinstance(node, ast.Name):
            return self.constants.get(node.id) or imported.get(node.id) or ()
        if isinstance(node, ast.Attribute):  # a constant of a class, or of a module
            return self.constants.get(node.attr) or imported.get(node.attr) or ()
        return _texts(node)


def _attribute(class_, name):
    for node in class_.body:
        if isinstance(node, ast.Assign):
            if any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
                return node.value
    return None


def _texts(node):
    """Yield the texts that an expression may be, or hold."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        for element in node.elts:
            yield from _texts(element)
    elif isinstance(node, ast.Dict):
        for key in node.keys:
            yield from _texts(key)
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)


def _is_registry(node):
    """Tell whether an expression is ``env``, ``self.env``, ``env.registry``, …"""
    if isinstance(node, ast.Call):  # env(su=True)
        return _is_registry(node.func)
    name = getattr(node, "attr", getattr(node, "id", None))
    return name in ("env", "registry", "pool")


def _is_relation(node):
    return getattr(node, "attr", getattr(node, "id", None)) in (
        *RELATIONS,
        "Representatives",
    )


def find_faults(models):
    """Return a sentence for each use of what is not below."""
    sources = [
        Source(path, models)
        for path in sorted(models.rglob("*.py"))
        if path.parent != models or path.name != "__init__.py"
    ]
    homes = {}
    methods = defaultdict(set)
    constants = defaultdict(set)
    for source in sources:
        for name in source.get_methods():
            methods[name].add(source.wing)
        homes |= {model: source.wing for model in source.get_defined()}
        for name, texts in source.constants.items():
            if name.isupper():
                constants[name] |= texts
    faults = [
        f"models/{source.wing}: no row of HOUSE says what this wing uses"
        for source in sources
        if source.wing not in (*WINGS, GROUND, ROOF)
    ]
    for source in sources:
        if source.wing not in (*WINGS, GROUND):
            continue
        allowed = get_allowed(source.wing)
        for line, parts in source.get_modules():
            if parts is None:
                continue
            used = parts[0] if parts[0] in WINGS else None
            if parts[0] in GROUND_FILES:
                used = GROUND
            elif used is None and (models / f"{parts[0]}.py").exists():
                used = ROOF
            if used and used not in allowed:
                faults.append(
                    f"{source.path}:{line}: {source.wing} imports {'.'.join(parts)},"
                    f" of {used}"
                )
        for line, model in source.get_models(constants):
            used = homes.get(model)
            if used and used not in allowed:
                faults.append(
                    f"{source.path}:{line}: {source.wing} uses {model}, of {used}"
                )
        for line, name in source.get_called():
            if methods[name] and not methods[name] & allowed:
                faults.append(
                    f"{source.path}:{line}: {source.wing} calls {name}, of"
                    f" {', '.join(sorted(methods[name]))}"
                )
    return faults


@tagged("post_install", "-at_install")
class TestWings(BaseCase):
    def setUp(self):
        super().setUp()
        self.models = Path(file_path("sales_followup/models"))

    def test_a_wing_uses_only_what_is_below_it(self):
        self.assertFalse(find_faults(self.models), "\n".join(find_faults(self.models)))

    def test_every_wing_is_in_the_plan(self):
        wings = {path.parent.name for path in self.models.glob("*/__init__.py")}
        self.assertLessEqual({"representatives", "reminders", "runs"}, wings)
        self.assertLessEqual(wings, WINGS.keys())

    # --- that it would tell -----------------------------------------------------

    def _plant(self, wing, text):
        """Return the faults of a house in which a wing says this, too."""
        with TemporaryDirectory() as folder:
            models = Path(folder, "models")
            for name, model in (
                ("representatives", "sales.followup.mixin"),
                ("reminders", "sales.followup.reminder"),
                ("runs", "sales.followup.run"),
            ):
                (models / name).mkdir(parents=True)
                file = models / name / f"{model.replace('.', '_')}.py"
                file.write_text(
                    f"class Model:\n    _name = {model!r}\n"
                    f"    def _followup_of_{name}(self):\n        pass\n"
                )
            (models / "sale_order.py").write_text("")
            (models / "sales_followup_document_type.py").write_text("")
            folder = models / wing if wing in WINGS else models
            file = folder / ("planted.py" if wing in WINGS else f"{wing}.py")
            file.write_text(text)
            return find_faults(models)

    def test_calls_upwards_are_found(self):
        for wing, text in (
            ("reminders", "self.env['sales.followup.run'].create({})"),
            ("reminders", "env['sales.followup.run'].sudo()"),
            ("reminders", "cls.env(su=True)['sales.followup.run']"),
            ("reminders", "RUN = 'sales.followup.run'\nself.env[RUN]"),
            ("reminders", "class A:\n    run = 'sales.followup.run'\nenv[self.run]"),
            ("reminders", "name = 'x' if y else 'sales.followup.run'\nenv[name]"),
            ("reminders", "for name in ('sales.followup.run',):\n    env[name]"),
            ("reminders", "x = {env[m] for m in ['sales.followup.run']}"),
            ("reminders", "self.env.registry['sales.followup.run']"),
            ("reminders", "class A:\n    _inherit = 'sales.followup.run'"),
            ("reminders", "class A:\n    _inherit = ['x', 'sales.followup.run']"),
            ("reminders", "class A:\n    a = fields.Many2one('sales.followup.run')"),
            ("reminders", "a = Many2many(comodel_name='sales.followup.run')"),
            ("reminders", "from ..runs import sales_followup_run"),
            ("reminders", "from ..runs.sales_followup_run import RUN"),
            ("reminders", "from .. import runs"),
            ("reminders", "from odoo.addons.sales_followup.models.runs import a"),
            ("reminders", "import odoo.addons.sales_followup.models.runs"),
            ("reminders", "def a():\n    from ..runs import sales_followup_run"),
            ("reminders", "from ..sale_order import SaleOrder"),
            ("representatives", "env['sales.followup.reminder']"),
            ("sales_followup_document_type", "env['sales.followup.reminder']"),
            ("sales_followup_document_type", "from .reminders import anything"),
            ("sales_followup_document_type", "self._followup_of_representatives()"),
            ("reminders", "any(p._followup_of_runs() for p in self)"),
        ):
            with self.subTest(wing=wing, text=text):
                self.assertEqual(len(self._plant(wing, text)), 1)

    def test_calls_downwards_are_not(self):
        for wing, text in (
            ("runs", "self.env['sales.followup.reminder'].create({})"),
            ("runs", "class A:\n    _inherit = 'sales.followup.mixin'"),
            ("runs", "from ..reminders.sales_followup_reminder import A"),
            ("runs", "from ...rules.runs import A"),
            ("runs", "from ..sales_followup_document_type import A"),
            ("runs", "from . import sales_followup_run"),
            ("runs", "self.partner_id._followup_of_reminders()"),
            ("reminders", "self._followup_elsewhere()"),
            ("reminders", "self.env['res.partner']"),
            ("reminders", "'sales.followup.run'"),
            ("sale_order", "env['sales.followup.run']"),
            ("sale_order", "from .runs.sales_followup_run import A"),
        ):
            with self.subTest(wing=wing, text=text):
                self.assertFalse(self._plant(wing, text))
