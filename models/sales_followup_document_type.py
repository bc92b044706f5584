from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools.safe_eval import datetime, dateutil, safe_eval, time

from ..rules.periods import days_utc

#: who is followed, who follows and how Odoo itself runs are no documents
REFUSED_MODELS = frozenset({"res.partner", "res.users", "res.groups", "res.company"})
REFUSED_PREFIX = "ir."

DOMAIN_FIELDS = ("domain", "open_domain", "chase_domain", "keep_lead_domain")

#: field of the type → (kinds of field it may name, comodel it must have)
FIELD_KINDS = {
    "partner_field": (("many2one",), "res.partner"),
    "date_field": (("date", "datetime"), None),
    "due_field": (("date", "datetime"), None),
    "amount_field": (("monetary", "float", "integer"), None),
    "lead_field": (("many2one",), "res.users"),
    "reps_field": (("many2many",), "res.users"),
}


class Target(NamedTuple):
    """Where representatives are written.

    :param model: technical name of the records' model
    :param lead_field: name of their Salesperson field, or ``None``
    :param reps_field: name of their representatives field, or ``None``
    """

    model: str
    lead_field: str | None
    reps_field: str | None

    @property
    def fields(self):
        """The names of the fields there are."""
        return tuple(name for name in (self.lead_field, self.reps_field) if name)


class SalesFollowupDocumentType(models.Model):
    """A kind of document that representatives are brought onto, as data.

    Models and fields are technical names, so that a type may wait for an app that is
    not installed yet: it is not :attr:`available` until then.
    """

    _name = "sales.followup.document.type"
    _description = "Follow-up Document Type"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(
        required=True,
        help="Technical name under which other code finds this type.",
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    model = fields.Char(
        required=True,
        index=True,
        help="Technical name of the model, for example “sale.order”.",
    )
    model_id = fields.Many2one(
        "ir.model",
        string="Document Model",
        compute="_compute_model_id",
        readonly=False,
        domain=[
            ("is_mail_thread", "=", True),
            ("transient", "=", False),
            ("model", "not in", tuple(REFUSED_MODELS)),
            ("model", "not =like", REFUSED_PREFIX + "%"),
        ],
    )
    domain = fields.Char(
        string="Documents",
        default="[]",
        required=True,
        help="Which records of the model are documents of this type.",
    )
    open_domain = fields.Char(
        string="Open Documents",
        default="[]",
        required=True,
        help="Which of them are open; the others are closed.",
    )
    chase_domain = fields.Char(
        string="To Chase",
        default="[(0, '=', 1)]",
        required=True,
        help="Which of them may be chased by reminders.",
    )
    keep_lead_domain = fields.Char(
        string="Salesperson Kept",
        help="Documents whose Salesperson stays when their representatives change, so "
        "that statistics and commissions stay true. Empty: no document.",
    )
    partner_field = fields.Char(
        string="Customer Field", default="partner_id", required=True
    )
    date_field = fields.Char(
        help="Date of the document; where it is empty, its creation day counts."
    )
    due_field = fields.Char(string="Due Date Field")
    amount_field = fields.Char()
    lead_field = fields.Char(
        string="Salesperson Field",
        help="Empty: the Salesperson of these documents is not written.",
    )
    reps_field = fields.Char(
        string="Representatives Field",
        help="Empty: these documents have no representatives to write.",
    )
    default_checked = fields.Boolean(
        string="Ticked", help="Ticked beforehand in the automatic contact update."
    )
    available = fields.Boolean(
        compute="_compute_available",
        search="_search_available",
        help="The app of these documents is installed and has the fields named here.",
    )

    _code_unique = models.Constraint(
        "UNIQUE(code)", "Another document type has this code; choose a different one."
    )

    chases = fields.Boolean(
        compute="_compute_chases",
        search="_search_chases",
        string="With Reminders",
        help="Customers can be reminded of these documents: they have a tab for "
        "reminders, templates and series.",
    )

    # --- compute ----------------------------------------------------------------

    @api.depends("model", "chase_domain")
    def _compute_chases(self):
        chased_models = self.env["sales.followup.document.link"]._get_document_fields()
        for doc_type in self:
            doc_type.chases = (
                doc_type.model in chased_models.values()
                and not doc_type._get_domain("chase_domain").is_false()
            )

    def _search_chases(self, operator, value):
        if operator != "in":
            return NotImplemented
        # sudo: a handful of records that every employee may read
        types = self.sudo().with_context(active_test=False).search(Domain.TRUE)
        return Domain("id", "in", types.filtered(lambda t: t.chases in value).ids)

    @api.depends("model")
    def _compute_model_id(self):
        # sudo: whoever may read a type may know which model it is about
        models_by_name = {
            model.model: model
            for model in self.env["ir.model"]
            .sudo()
            .search([("model", "in", self.mapped("model"))])
        }
        for doc_type in self:
            doc_type.model_id = models_by_name.get(doc_type.model)

    @api.onchange("model_id")
    def _onchange_model_id(self):
        # no inverse: it would come after the model's column is inserted, and after
        # the fields are checked against the former model
        self.model = self.model_id.model

    @api.depends("model", *DOMAIN_FIELDS, *FIELD_KINDS)
    def _compute_available(self):
        for doc_type in self:
            doc_type.available = (
                doc_type.model in self.env and not doc_type._get_nonsense()
            )

    def _search_available(self, operator, value):
        if operator != "in":
            return NotImplemented
        # sudo: a handful of records that every employee may read
        types = self.sudo().with_context(active_test=False).search(Domain.TRUE)
        return Domain("id", "in", types.filtered(lambda t: t.available in value).ids)

    # --- what is known for good -------------------------------------------------

    def _get_chased(self, model):
        """Return the types of a model whose documents are chased, in their order.

        They are asked for many times for each batch of documents, and hardly change.
        """
        return self.browse(self._get_chased_ids(model))

    @tools.ormcache(
        "self.env.uid",
        "self.env.su",
        "model",
        "self.env.context.get('active_test', True)",
    )
    def _get_chased_ids(self, model):
        return self.search([("model", "=", model), ("chases", "=", True)])._ids

    @api.model_create_multi
    def create(self, vals_list):
        doc_types = super().create(vals_list)
        self.env.registry.clear_cache()
        return doc_types

    def write(self, vals):
        result = super().write(vals)
        self.env.registry.clear_cache()
        return result

    def unlink(self):
        result = super().unlink()
        self.env.registry.clear_cache()
        return result

    # --- constraints ------------------------------------------------------------

    @api.constrains("model", *DOMAIN_FIELDS, *FIELD_KINDS)
    def _check_sense(self):
        for doc_type in self:
            if problem := doc_type._get_nonsense():
                raise ValidationError(
                    self.env._(
                        "Document type “%(name)s”: %(problem)s",
                        name=doc_type.name,
                        problem=problem,
                    )
                )

    def _get_nonsense(self):
        """Say what is wrong with this type.

        :return: a sentence naming model, field or domain and the remedy; ``None`` where
            all is well, or where the model is not installed and cannot be judged
        """
        self.ensure_one()
        if self.model in REFUSED_MODELS or self.model.startswith(REFUSED_PREFIX):
            return self.env._(
                "%(model)s holds no documents; representatives of customers are "
                "changed on the customers.",
                model=self.model,
            )
        if self.model not in self.env:
            return None
        if not hasattr(self.env[self.model], "message_post"):
            return self.env._(
                "%(model)s has no chatter; choose a model that inherits mail.thread.",
                model=self.model,
            )
        if not (self.lead_field or self.reps_field):
            return self.env._(
                "Name a Salesperson field or a representatives field, or there is "
                "nothing to write."
            )
        for name in FIELD_KINDS:
            if self[name] and (problem := self._get_field_nonsense(name)):
                return problem
        for name in DOMAIN_FIELDS:
            if problem := self._get_domain_nonsense(name):
                return problem
        return None

    def _get_field_nonsense(self, name):
        """Say what is wrong with the field that ``self[name]`` names, or ``None``."""
        label = self._fields[name]._description_string(self.env)
        field = self.env[self.model]._fields.get(self[name])
        kinds, comodel = FIELD_KINDS[name]
        values = {"label": label, "field": self[name], "model": self.model}
        if field is None:
            return self.env._(
                "%(label)s: %(model)s has no field “%(field)s”.", **values
            )
        if field.type not in kinds or (comodel and field.comodel_name != comodel):
            if comodel == "res.users":
                return self.env._(
                    "%(label)s: “%(field)s” of %(model)s is not a user field.",
                    **values,
                )
            return self.env._(
                "%(label)s: “%(field)s” of %(model)s has the wrong type (%(kinds)s).",
                kinds=", ".join(kinds),
                **values,
            )
        if not field.store or field.inherited or field.company_dependent:
            return self.env._(
                "%(label)s: “%(field)s” of %(model)s is not stored on the document.",
                **values,
            )
        return None

    def _get_domain_nonsense(self, name):
        """Say what is wrong with the domain ``self[name]``, or ``None``."""
        try:
            self._get_domain(name).validate(self.env[self.model])
        except Exception as error:  # noqa: BLE001 whatever a user's text may raise
            return self.env._(
                "%(label)s: %(domain)s is not a valid filter of %(model)s (%(error)s).",
                label=self._fields[name]._description_string(self.env),
                domain=self[name],
                model=self.model,
                error=error,
            )
        return None

    # --- documents --------------------------------------------------------------

    def _get_domain(self, name="domain"):
        """Evaluate one of the type's domains, with dates and ``user`` at hand.

        :param name: one of :data:`DOMAIN_FIELDS`
        :rtype: Domain
        """
        self.ensure_one()
        if not self[name]:
            return Domain.FALSE if name == "keep_lead_domain" else Domain.TRUE
        return Domain(safe_eval(self[name], self._get_eval_context()))

    def _get_open_domain(self):
        """Select the documents of this type that are open.

        :rtype: Domain
        """
        return self._get_domain() & self._get_domain("open_domain")

    def _get_eval_context(self):
        """Return the names a type's domain may use."""
        return {
            # as in record rules: the same whatever the caller's context
            # pylint: disable-next=context-overridden
            "user": self.env.user.with_context({}),
            "uid": self.env.uid,
            "datetime": datetime,
            "dateutil": dateutil,
            "time": time,
            "relativedelta": relativedelta,
            "context_today": lambda: fields.Date.context_today(self),
        }

    def _get_target(self):
        """Return where representatives of these documents are written.

        :rtype: Target
        """
        self.ensure_one()
        return Target(self.model, self.lead_field or None, self.reps_field or None)

    def _get_scope_domain(self, scope):
        """Select the documents of this type that are open, closed, or all.

        :param scope: ``open``, ``closed`` or ``all``
        :rtype: Domain
        """
        domain = self._get_domain()
        if scope == "open":
            domain &= self._get_domain("open_domain")
        elif scope == "closed":
            domain &= ~self._get_domain("open_domain")
        return domain

    def _get_documents_model(self):
        """Return the model of this type's documents, archived ones included."""
        self.ensure_one()
        return self.env[self.model].with_context(active_test=False)

    def _get_documents_domain(self, customers, date_from, date_to, scope):
        """Select documents of customers.

        :param customers: these partners alone, without the contacts of companies
        :param date_from: first document day in the user's time zone, or ``False``
        :param date_to: last document day, included, or ``False``
        :param scope: ``open``, ``closed`` or ``all``
        :rtype: Domain
        """
        self.ensure_one()
        domain = self._get_scope_domain(scope) & Domain(
            self.partner_field, "in", customers.ids
        )
        if date_from or date_to:
            domain &= self._get_period_domain(date_from, date_to)
        return domain

    def _get_period_domain(self, date_from, date_to):
        """Select documents dated in a period, both days included."""
        start, end = days_utc(date_from or None, date_to or None, self.env.tz)
        created = _between("create_date", start, end)
        if not self.date_field:
            return created
        if self.env[self.model]._fields[self.date_field].type == "datetime":
            dated = _between(self.date_field, start, end)
        else:
            dated = Domain(self.date_field, "!=", False)
            if date_from:
                dated &= Domain(self.date_field, ">=", date_from)
            if date_to:
                dated &= Domain(self.date_field, "<=", date_to)
        return dated | (Domain(self.date_field, "=", False) & created)


def _between(name, start, end):
    """Select where ``start <= name < end``, ``None`` leaving a side open."""
    domain = Domain(name, "!=", False)
    if start:
        domain &= Domain(name, ">=", start)
    if end:
        domain &= Domain(name, "<", end)
    return domain
