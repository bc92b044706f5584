from datetime import timedelta

from odoo import Command, fields
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, tagged

from ..common_bulk import BulkCommon


@tagged("post_install", "-at_install")
class TestBulkProposal(BulkCommon):
    """What a bulk run proposes, and how a person adjusts it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order = cls._create_quotation(validity_date="2020-03-31")

    def _line(self, run=None, document=None):
        return self._get_lines(run or self._propose(), document or self.order)

    # --- which documents --------------------------------------------------------

    def test_proposes_what_its_types_say_to_chase(self):
        sale = self._create_order(self.customer, state="sale")
        invoice = self._create_invoice(
            self.customer, post=True, invoice_user_id=self.alice.id
        )
        self._create_order(self.customer)
        self._create_order(self.customer, state="cancel")
        self._create_invoice(self.customer, "out_refund", post=True)
        self._create_quotation(self._create_customer(self.bob, name="Bob's"))
        self.assertProposed(self._propose(), self.order, sale, invoice)

    def test_line_tells_what_to_know_of_the_document(self):
        self._remind(
            self.order, channel="phone", note="Call the boss", next_date="2020-05-01"
        )
        run = self._propose()
        line = self._line(run)
        self.assertEqual(line.document_name, self.order.name)
        self.assertEqual(line.document_type_id, self._type("quotation"))
        self.assertEqual(line.partner_id, self.customer)
        self.assertEqual(line.due_date, fields.Date.to_date("2020-03-31"))
        today = self.company._followup_today()
        self.assertEqual(line.late_days, (today - line.due_date).days)
        self.assertEqual(line.amount, 100)
        self.assertEqual(line.currency_id, self.order.currency_id)
        self.assertEqual(line.last_date.date(), fields.Date.today())
        self.assertEqual(line.last_note, "Call the boss")
        self.assertEqual(line.planned_date, fields.Date.to_date("2020-05-01"))
        self.assertEqual(line.suggested_template_id, self.first)
        self.assertEqual(line.template_id, self.first)
        self.assertEqual(line.channel, "email")
        self.assertEqual(line.next_date, fields.Date.add(fields.Date.today(), days=15))
        self.assertFalse(line.reason)

    def test_due_date_to_come_is_not_late(self):
        self.order.validity_date = fields.Date.today() + timedelta(days=3)
        self.assertEqual(self._line().late_days, 0)

    def test_document_without_due_date_is_proposed(self):
        self.order.validity_date = False
        line = self._line()
        self.assertFalse(line.due_date)
        self.assertEqual(line.channel, "email")

    def test_contact_is_listed_under_its_company(self):
        contact = self._create_contact(self.customer, email="c@customer.example.com")
        order = self._create_quotation(contact)
        self.assertEqual(self._line(document=order).partner_id, self.customer)

    def test_next_level_is_suggested_and_after_the_last_the_last(self):
        self._remind(self.order, template_id=self.first.id)
        line = self._line()
        self.assertEqual(line.suggested_template_id, self.last)
        self.assertEqual(line.last_template_id, self.first)
        self.assertEqual(line.next_date, fields.Date.add(fields.Date.today(), days=7))
        self._remind(self.order, template_id=self.last.id)
        line = self._line()
        self.assertEqual(line.suggested_template_id, self.last)
        # not twice a day
        self.assertEqual(line.channel, "none")
        self.assertIn("sent on", line.reason)

    def test_template_for_letters_suggests_a_letter(self):
        self.first.channel = "letter"
        self.assertEqual(self._line().channel, "letter")

    def test_template_without_letter_text_suggests_the_email(self):
        self.first.write({"channel": "letter", "letter_body": False})
        self.assertEqual(self._line().channel, "email")

    def test_document_no_template_fits_is_listed_with_the_reason(self):
        self.env["sales.followup.series"].search(
            [("document_type_id", "=", self._type("quotation").id)]
        ).active = False
        line = self._line()
        self.assertEqual(line.channel, "none")
        self.assertIn("no template", line.reason)
        with self.assertRefused("choose a template"):
            line.channel = "email"

    def test_proposing_again_starts_anew(self):
        run = self._propose()
        self._line(run).action_none()
        other = self._create_quotation()
        run.action_propose()
        self.assertProposed(run, self.order, other)
        self.assertEqual(self._line(run).channel, "email")

    def test_proposal_of_nothing_is_empty(self):
        run = self._propose(team_id=self.env["crm.team"].create({"name": "New"}).id)
        self.assertFalse(run.line_ids)
        self.assertTrue(run.proposed_date)
        with self.assertRefused("no document"):
            run.action_launch()

    # --- filters ----------------------------------------------------------------

    def test_filter_by_customers_representative(self):
        contact = self._create_contact(self.customer)
        contact.followup_rep_ids = [Command.set(self.alice.ids)]
        of_contact = self._create_quotation(contact)
        self.assertProposed(
            self._propose(customer_rep_id=self.alice.id), self.order, of_contact
        )
        self.assertProposed(self._propose(customer_rep_id=self.bob.id))

    def test_filter_by_representative_who_left(self):
        self.customer.followup_rep_ids = [Command.link(self.carol.id)]
        self.order.followup_rep_ids = [Command.link(self.carol.id)]
        self.carol.active = False
        for name in ("customer_rep_id", "document_rep_id"):
            with self.subTest(name):
                self.assertProposed(self._propose(**{name: self.carol.id}), self.order)

    def test_filter_by_documents_representative(self):
        other = self._create_quotation()
        other.followup_rep_ids = [Command.link(self.bob.id)]
        self.assertProposed(self._propose(document_rep_id=self.bob.id), other)

    def test_filter_by_team(self):
        team = self.env["crm.team"].create({"name": "Team of Alice"})
        other = self._create_quotation(team_id=team.id)
        self.assertProposed(self._propose(team_id=team.id), other)

    def test_filter_by_type(self):
        sale = self._create_order(self.customer, state="sale")
        types = [Command.set(self._type("sale_order").ids)]
        self.assertProposed(self._propose(document_type_ids=types), sale)

    def test_type_that_is_not_chased_proposes_nothing(self):
        types = [Command.set(self._type("purchase_order").ids)]
        self.assertProposed(self._propose(document_type_ids=types))

    def test_filter_by_due_date_includes_both_days(self):
        later = self._create_quotation(validity_date="2020-04-02")
        self._create_quotation().validity_date = False
        for start, end, documents in (
            ("2020-03-31", "2020-04-02", self.order + later),
            ("2020-04-01", False, later),
            (False, "2020-04-01", self.order),
            ("2020-04-01", "2020-04-01", later.browse()),
            ("0001-01-01", "9999-12-31", self.order + later),
        ):
            with self.subTest(start=start, end=end):
                run = self._propose(due_from=start, due_to=end)
                self.assertProposed(run, *documents)

    def test_due_dates_that_end_before_they_begin_are_refused(self):
        run = self._propose()
        with self.assertRaisesRegex(ValidationError, "from 04/03/2020 to 04/02/2020"):
            run.write({"due_from": "2020-04-03", "due_to": "2020-04-02"})

    def test_filter_by_due_date_asks_the_next_instalment(self):
        invoice = self._create_invoice(
            self.customer,
            post=True,
            invoice_user_id=self.alice.id,
            invoice_date="2020-06-01",
            invoice_date_due="2020-06-15",
        )
        found = self._propose(due_from="2020-06-14", due_to="2020-06-16")
        self.assertProposed(found, invoice)
        self.assertProposed(self._propose(due_from="2020-06-16", due_to="2020-06-17"))

    def test_due_day_is_that_of_the_company(self):
        self.company.resource_calendar_id.tz = "Pacific/Auckland"
        sale = self._create_order(self.customer, state="sale")
        # the next day in Auckland
        sale.commitment_date = "2020-06-14 20:00:00"
        run = self._propose(due_from="2020-06-15", due_to="2020-06-15")
        self.assertProposed(run, sale)
        self.assertEqual(run.line_ids.due_date, fields.Date.to_date("2020-06-15"))

    def test_filter_never_reminded(self):
        other = self._create_quotation()
        self._remind(self.order, channel="phone")
        self.assertProposed(self._propose(never_reminded=True), other)

    def test_filter_by_country_and_tag(self):
        tag = self.env["res.partner.category"].create({"name": "Followed"})
        french = self._create_customer(
            self.alice, country_id=self.env.ref("base.fr").id, category_id=tag.ids
        )
        of_contact = self._create_quotation(self._create_contact(french))
        country = [Command.set(self.env.ref("base.fr").ids)]
        self.assertProposed(self._propose(country_ids=country), of_contact)
        tags = [Command.set(tag.ids)]
        self.assertProposed(self._propose(category_ids=tags), of_contact)

    def test_filter_by_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        french = self._create_quotation(self._create_customer(self.alice, lang="fr_FR"))
        self.assertProposed(self._propose(lang="fr_FR"), french)
        self.assertProposed(self._propose(lang="en_US"), self.order)

    def test_filter_by_series(self):
        tag = self.env["res.partner.category"].create({"name": "Special"})
        series = self._create_series(
            sequence=-2, domain=f"[('partner_id.category_id', 'in', {tag.ids})]"
        )
        self._create_template(series=series)
        special = self._create_quotation(
            self._create_customer(self.alice, category_id=tag.ids)
        )
        run = self._propose(series_ids=[Command.set(series.ids)])
        self.assertProposed(run, special)
        self.assertEqual(run.line_ids.suggested_template_id.series_id, series)

    def test_my_series_are_those_i_am_in_the_middle_of(self):
        other = self._create_quotation()
        self._create_quotation()
        self.customer.followup_rep_ids = [Command.link(self.bob.id)]
        other.followup_rep_ids = [Command.link(self.bob.id)]
        self._remind(other, user=self.bob, template_id=self.first.id)
        self._remind(self.order, template_id=self.first.id)
        self.assertProposed(self._propose(my_series=True), self.order)

    def test_drafts_can_be_added_and_are_left_out(self):
        draft = self._create_order(self.customer)
        run = self._propose(with_drafts=True)
        self.assertProposed(run, self.order, draft)
        line = self._line(run, draft)
        self.assertEqual(line.channel, "none")
        self.assertIn("not been sent", line.reason)
        line.channel = "email"
        self.assertEqual(run.overruled_count, 1)

    # --- what speaks against it -------------------------------------------------

    def test_line_starts_as_none_where_something_speaks_against_it(self):
        tomorrow = fields.Date.today() + timedelta(days=2)
        stops = {
            "Do not remind": lambda: self.order.write({"followup_exclude": True}),
            "paused until": lambda: self.order.write(
                {"followup_pause_until": tomorrow}
            ),
            "customer is marked": lambda: self.customer.write(
                {"followup_exclude": True}
            ),
            "customer is paused": lambda: self.customer.write(
                {"followup_pause_until": tomorrow}
            ),
            "answered": lambda: self._answer(self.order),
            "blacklisted": lambda: self._blacklist(self.customer),
            "came back": lambda: self.customer.write({"message_bounce": 1}),
        }
        for words, stop in stops.items():
            with self.subTest(words), self.env.cr.savepoint() as savepoint:
                stop()
                line = self._line()
                self.assertEqual(line.channel, "none")
                self.assertIn(words, line.reason)
                # a person may overrule it
                line.channel = "email"
                savepoint.rollback()
                self.env.invalidate_all()

    def test_customer_reminded_lately_is_left_out(self):
        self._remind(self.order, template_id=self.first.id)
        self._set_company(followup_min_days=3)
        other = self._create_quotation()
        line = self._line(document=other)
        self.assertEqual(line.channel, "none")
        self.assertIn("not again before", line.reason)

    def test_with_a_minimum_of_days_the_oldest_of_a_customer_goes(self):
        self._set_company(followup_min_days=3)
        older = self._create_quotation(validity_date="2020-03-01")
        newer = self._create_quotation(validity_date="2020-04-30")
        run = self._propose()
        channels = {line.order_id: line.channel for line in run.line_ids}
        self.assertEqual(channels, {older: "email", self.order: "none", newer: "none"})
        self.assertIn("reminded of first", self._line(run, newer).reason)

    def test_without_address_a_line_says_why_and_cannot_be_email(self):
        self.customer.email = False
        line = self._line()
        self.assertEqual(line.channel, "letter")
        self.assertIn("no e-mail address", line.reason)
        with self.assertRefused("no e-mail address"):
            line.channel = "email"
        line.run_id.action_all_email()
        self.assertEqual(line.channel, "letter")

    def test_invalid_address_cannot_be_email(self):
        self.customer.email = "azure at home"
        line = self._line()
        self.assertIn("not valid", line.reason)
        with self.assertRefused("not valid"):
            line.channel = "email"

    def test_without_any_address_a_line_is_none(self):
        order = self._create_quotation(self._create_customer(self.alice))
        line = self._line(document=order)
        self.assertEqual(line.channel, "none")
        with self.assertRefused("no postal address"):
            line.channel = "letter"

    # --- adjusting --------------------------------------------------------------

    def test_all_at_once(self):
        unreachable = self._create_quotation(self._create_customer(self.alice))
        stopped = self._create_quotation()
        stopped.followup_exclude = True
        self.first.channel = "letter"
        run = self._propose()
        usual, other, none = (
            self._line(run, document) for document in (self.order, stopped, unreachable)
        )
        self.assertEqual(usual.channel, "letter")
        for action, channel in (
            (run.action_all_email, "email"),
            (run.action_all_letter, "letter"),
            (run.action_none, "none"),
            (run.action_suggested, "letter"),
        ):
            with self.subTest(channel):
                action()
                self.assertEqual(usual.channel, channel)
                # what a reason speaks against is overruled line by line
                self.assertEqual((other | none).mapped("channel"), ["none"] * 2)

    def test_all_letter_where_only_the_address_is_bad(self):
        self._blacklist(self.customer)
        run = self._propose()
        run.action_all_email()
        self.assertEqual(self._line(run).channel, "none")
        run.action_all_letter()
        self.assertEqual(self._line(run).channel, "letter")
        self.assertEqual(run.overruled_count, 0)

    def test_suggested_gives_back_template_and_date(self):
        run = self._propose()
        line = self._line(run)
        before = line.template_id, line.next_date, line.channel
        line.write(
            {"template_id": self.last.id, "next_date": "2030-01-01", "channel": "none"}
        )
        run.action_suggested()
        self.assertEqual((line.template_id, line.next_date, line.channel), before)

    def test_template_of_other_documents_is_refused(self):
        line = self._line()
        with self.assertRefused("other documents"):
            line.template_id = self._create_template("sale_order")

    def test_template_without_text_is_refused(self):
        self.last.letter_body = False
        line = self._line()
        line.channel = "letter"
        with self.assertRefused("no text"):
            line.template_id = self.last

    def test_other_template_brings_its_next_date(self):
        run = self._propose()
        with Form(run) as form, form.line_ids.edit(0) as line:
            line.template_id = self.last
        self.assertEqual(
            self._line(run).next_date, fields.Date.add(fields.Date.today(), days=7)
        )

    def test_counts_and_sums(self):
        self._create_quotation()
        excluded = self._create_quotation()
        excluded.followup_exclude = True
        run = self._propose()
        self._line(run).channel = "letter"
        self.assertEqual(
            (run.line_count, run.email_count, run.letter_count, run.none_count),
            (3, 1, 1, 1),
        )
        self.assertEqual((run.waiting_count, run.stopped_count), (2, 1))
        self.assertEqual(run.progress, 0)
        run.action_none()
        self.assertEqual((run.waiting_count, run.none_count), (0, 3))

    def test_currencies_are_not_added_up(self):
        currency = self.env["res.currency"].create(
            {"name": "FUP", "symbol": "Ƒ", "position": "after"}
        )
        pricelist = self.env["product.pricelist"].create(
            {"name": "In FUP", "currency_id": currency.id}
        )
        other = self._create_quotation(pricelist_id=pricelist.id)
        other.order_line.price_unit = 250
        self._create_quotation()
        run = self._propose()
        self.assertEqual(
            sorted(run.total_amount.replace("\xa0", " ").split(" + ")),
            ["$ 200.00", "250.00 Ƒ"],
        )
        self._line(run, other).channel = "letter"
        self.assertEqual(run.letter_amount.replace("\xa0", " "), "250.00 Ƒ")

    # --- rights -----------------------------------------------------------------

    def test_salesperson_has_own_runs_and_manager_all(self):
        mine = self._create_run()
        others = self._create_run(self.manager)
        runs = mine + others
        visible = runs.browse().with_user(self.alice).search([("id", "in", runs.ids)])
        self.assertEqual(visible, mine)
        visible = runs.browse().with_user(self.manager).search([("id", "in", runs.ids)])
        self.assertEqual(visible, runs)
        with self.assertRaises(AccessError):
            others.with_user(self.alice).action_propose()

    def test_without_follow_up_there_are_no_runs(self):
        clerk = self._create_user("seller", "sales_team.group_sale_manager")
        with self.assertRaises(AccessError):
            self._create_run(clerk)

    def test_who_sees_no_document_is_proposed_none(self):
        user = self._create_user("follower", "sales_followup.group_user")
        self.assertProposed(self._propose(user))

    def test_user_forges_nothing(self):
        run = self._propose()
        for values in (
            {"state": "done"},
            {"user_id": self.bob.id},
            {"origin": "auto"},
            {"attachment_id": 1},
            {"printed_date": "2020-01-01 00:00:00"},
            {"reminder_ids": [Command.clear()]},
        ):
            with self.subTest(values):
                with self.assertRaises(AccessError):
                    run.write(values)
                with self.assertRaises(AccessError):
                    self._create_run(**values)
        forged = (
            run.browse()
            .with_context(default_state="running", default_user_id=self.bob.id)
            .create({})
        )
        self.assertEqual(forged.state, "draft")
        self.assertEqual(forged.user_id, self.alice)

    def test_user_decides_and_forges_no_line(self):
        line = self._line()
        line.sudo().email_problem = "There is no address"
        for values in (
            {"state": "done"},
            {"reason": "Because"},
            {"known_reasons": ["answered|"]},
            {"email_problem": False},
            {"run_id": self._create_run().id},
        ):
            with self.subTest(values), self.assertRaises(AccessError):
                line.write(values)
        with self.assertRaises(AccessError):
            line.create({"run_id": line.run_id.id, "order_id": self.order.id})
        with self.assertRaises(AccessError):
            line.unlink()

    def test_copy_proposes_anew_by_the_same_filters(self):
        run = self._propose(never_reminded=True)
        copy = run.copy()
        self.assertTrue(copy.never_reminded)
        self.assertFalse(copy.line_ids)
        self.assertEqual(copy.state, "draft")
        self.assertNotEqual(copy.name, run.name)

    def test_draft_may_be_thrown_away(self):
        run = self._propose()
        lines = run.line_ids
        run.unlink()
        self.assertFalse(lines.exists())

    def test_draft_that_nobody_launches_goes_by_itself(self):
        old, new = self._propose(), self._propose()
        old.sudo().date = fields.Datetime.now() - timedelta(days=31)
        self.env["sales.followup.run"]._gc_drafts()
        self.assertFalse(old.exists())
        self.assertTrue(new.exists())

    # --- companies --------------------------------------------------------------

    def test_run_proposes_documents_of_its_company(self):
        other = self.env["res.company"].create({"name": "Other Company"})
        self.alice.company_ids = [Command.link(other.id)]
        foreign = self._create_quotation(company_id=other.id)
        self.assertProposed(self._propose(), self.order)
        runs = self.env["sales.followup.run"].with_user(self.alice)
        there = runs.with_context(allowed_company_ids=[other.id]).create({})
        self.assertEqual(there.company_id, other)
        # whichever company is chosen by then
        there.with_context(
            allowed_company_ids=[self.company.id, other.id]
        ).action_propose()
        self.assertProposed(there, foreign)
        with self.assertRaises(AccessError):
            there.with_context(allowed_company_ids=self.company.ids).action_propose()

    # --- cost -------------------------------------------------------------------

    def test_queries_do_not_grow_with_the_documents(self):
        self._create_quotations(20)
        self._count_queries()
        few = self._count_queries()
        self._create_quotations(20)
        many = self._count_queries()
        self.assertLessEqual(many - few, 4)

    def _count_queries(self):
        run = self._create_run()
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        run.action_propose()
        self.env.flush_all()
        return self.env.cr.sql_log_count - before
