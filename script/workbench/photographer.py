"""Walks through the addon in a real Chromium and keeps what it sees.

Runs in a virtual environment of its own, with Playwright, on the web client of
a fresh demo database: ``python -m workbench.photographer ADDRESS CHROMIUM FOLDER``.
"""

import ast
import base64
import re
import sys
from pathlib import Path

import pypdfium2
from playwright.sync_api import Error, sync_playwright

_ROOT = Path(__file__).resolve().parents[2]
_CUSTOMERS = ("Harbour Kitchens", "Menuiserie Lacroix", "Officine Bellini")
_QUOTED = "Menuiserie Lacroix"
_ANSWERED = "Cantieri Rossi"
_GOING_ON = "Northgate Schools"
_TEMPLATE = "Shall We Talk?"
_USER = "ines"
_PATIENCE = 60_000  # milliseconds; the first page builds Odoo's assets
_FLEETING = ".o_popover, .o-tooltip, .o_notification, .o_loading_indicator"
_SCROLL_BELOW_HEADER = """row => {
    row.style.scrollMarginTop = `${row.closest("table").tHead.offsetHeight}px`;
    row.scrollIntoView();
}"""
_BANNER = """\
<!DOCTYPE html>
<style>
    * {{ margin: 0; }}
    body {{
        height: 280px; overflow: hidden; position: relative;
        background: linear-gradient(105deg, #fff 0%, #f3e9f0 47%, #714b67 47.2%,
            #4d2f46 100%);
        font-family: Roboto, sans-serif; color: #3c2636;
    }}
    .words {{ position: absolute; left: 28px; top: 32px; width: 190px; }}
    .icon {{ width: 80px; margin-left: -9px; }}
    h1 {{ font-size: 34px; line-height: 1.05; margin: 6px 0 12px; }}
    h1 span {{ white-space: nowrap; }}
    p {{ font-size: 15px; line-height: 1.4; color: #6b5164; text-wrap: balance; }}
    .shot {{
        position: absolute; left: 254px; top: 44px; width: 560px; height: 400px;
        border-radius: 5px; box-shadow: 0 6px 28px rgba(30, 8, 25, 0.45);
        overflow: hidden;
    }}
    /* What is behind the dialog shines through its border. */
    .shot img {{ width: 564px; margin: -2px; }}
</style>
<div class="words">
    <img class="icon" src="{icon}">
    <h1>{name}</h1>
    <p>{summary}</p>
</div>
<div class="shot"><img src="{shot}"></div>
"""


class Photographer:
    """One user's browser window on the web client.

    :param folder: where the pictures go
    """

    def __init__(self, browser, address, folder):
        self.browser = browser
        self.address = address
        self.folder = folder
        self.page = browser.new_page(viewport={"width": 1400, "height": 900})
        self.page.set_default_timeout(_PATIENCE)

    def log_in(self):
        page = self.page
        page.goto(f"{self.address}/web/login")
        page.fill("input[name=login]", _USER)
        page.fill("input[name=password]", _USER)
        page.click("button[type=submit]")
        page.wait_for_selector(".o_web_client .o_main_navbar")

    def take(self, name, width=1400, height=900):
        self.page.set_viewport_size({"width": width, "height": height})
        self._settle()
        self.page.screenshot(path=self.folder / name, animations="disabled")

    def take_partner(self):
        self._open_contacts()
        self.page.click(f"{_row(_CUSTOMERS[0])} td[name=complete_name]")
        self.page.click(".o_form_view a[name=sales_purchases]")
        self.page.wait_for_selector("div[name=followup_rep_ids] .o_tag:visible")
        self.take("partner.png", 1300, 716)

    def take_assign(self):
        self._open_contacts()
        self._choose_action("Assign representatives")
        self.page.click(".modal div[name=user_ids] input")
        self.page.click(".o-autocomplete--dropdown-item:has-text('Hugo Martin')")
        self.page.wait_for_selector(".modal div[name=outlook]:has-text('To change:')")
        self.page.click(".modal .modal-title")
        self.take("assign.png")
        self.page.click(".modal footer button:visible:has-text('Cancel')")

    def take_preview(self):
        """Leave the preview open, for what comes of it."""
        self._open_contacts()
        self._choose_action("Automatic contact update")
        self.page.click(".modal button[name=action_preview]")
        self.page.wait_for_selector(".modal button[name=action_apply]:visible")
        self.take("propagate_preview.png")
        dialog = self.page.locator(".modal-content")
        return dialog.screenshot(animations="disabled")

    def take_change(self):
        self.page.click(".modal button[name=action_apply]")
        self.page.wait_for_selector(".o_form_view button[name=action_open_undo]")
        self.take("change.png", height=660)
        self.page.click("button[name=action_open_undo]")
        self.page.click(".modal-footer .btn-primary")
        self.page.wait_for_selector("button[data-value=undone].o_arrow_button_current")

    def take_dashboard(self):
        self.page.goto(f"{self.address}/odoo/followup")
        self.page.wait_for_selector(".o_followup_dashboard .card")
        self.take("dashboard.png", 1400, 740)

    def take_phone(self):
        """Show the dashboard as a telephone does."""
        self.page.set_viewport_size({"width": 390, "height": 844})
        self.page.goto(f"{self.address}/odoo/followup")
        self.page.wait_for_selector(".o_followup_dashboard .card")
        self.take("phone.png", 390, 844)
        self.page.set_viewport_size({"width": 1400, "height": 900})

    def take_reminders(self):
        self._open_reminders()
        self.take("reminders.png", 1400, 590)

    def take_bulk(self):
        """Show what is proposed, before anything is sent."""
        self.page.goto(f"{self.address}/odoo/bulk-reminders")
        self.page.click("button[name=action_propose]:visible")
        self.page.wait_for_selector("div[name=line_ids] .o_data_row")
        self.take("bulk.png", 1400, 800)

    def take_quotation(self):
        """Show what a quotation says at a glance."""
        self._open_quotation(_GOING_ON, _TEMPLATE)
        self.page.click("a[name=followup_reminders]")
        self.page.wait_for_selector("div[name=followup_outlook]:visible")
        self.take("quotation.png", 1400, 800)

    def take_verdict(self):
        """Show why nothing goes out to a customer who answered."""
        self._open_quotation(_ANSWERED, _TEMPLATE)
        self.page.click("a[name=followup_reminders]")
        self.page.click("button[name=action_followup_verdict]")
        self.page.wait_for_selector(".modal div[name=reasons] li")
        self.take("verdict.png", 1400, 760)
        self.page.click(".modal footer button:visible")

    def take_forecast(self):
        self.page.goto(f"{self.address}/odoo/reminder-forecast")
        self.page.wait_for_selector(".o_list_view .o_data_row")
        self.take("forecast.png", 1400, 345)

    def take_report(self):
        self.page.goto(f"{self.address}/odoo/followup-reporting")
        self.page.wait_for_selector(".o_pivot table tbody tr")
        self.take("report.png", 1400, 420)

    def take_remind(self):
        """Show the e-mail before it goes."""
        self._open_quotation(_QUOTED)
        self._open_remind()
        self.page.wait_for_selector(".modal div[name=preview] p")
        self.take("remind.png", 1400, 860)

    def take_letter(self):
        """Print the letter, and look at its first page as at a picture."""
        self.page.click(".modal div[name=channel] input")
        self.page.click(".o_select_menu_item:has-text('Letter')")
        self.page.click(".modal footer button:visible:has-text('Print Letter')")
        self.page.wait_for_selector(".modal", state="detached")
        letter = self.page.request.get(self.address + self._get_last_file())
        self._picture_first_page(letter.body(), self.folder / "letter.png")

    def _open_reminders(self):
        self.page.goto(
            f"{self.address}/odoo/action-sales_followup.sales_followup_reminder_action"
        )
        self.page.wait_for_selector(".o_list_view .o_data_row")

    def _open_quotation(self, *texts):
        """Open the quotation of the latest reminder whose row has these texts."""
        self.page.set_viewport_size({"width": 1400, "height": 900})
        self._open_reminders()
        row = "".join(f":has-text('{text}')" for text in texts)
        self.page.locator(f".o_data_row{row} td[name=name]").first.click()
        self.page.click("button[name=action_open_document]")
        self.page.wait_for_selector(".o_form_view a[name=followup_reminders]")

    def _open_remind(self):
        self.page.click("a[name=followup_reminders]")
        self.page.click("button[name=action_followup_remind]")
        self.page.wait_for_selector(".modal .o_form_view")

    def _get_last_file(self):
        """Return the address of the file of the newest reminder."""
        answer = self.page.request.post(
            f"{self.address}/web/dataset/call_kw",
            data={
                "params": {
                    "model": "sales.followup.reminder",
                    "method": "search_read",
                    "args": [[("attachment_id", "!=", False)], ["file_url"]],
                    "kwargs": {"order": "id desc", "limit": 1},
                }
            },
        )
        [reminder] = answer.json()["result"]
        return reminder["file_url"]

    def _picture_first_page(self, pdf, picture):
        """Make a picture of the first page of a PDF."""
        document = pypdfium2.PdfDocument(pdf)
        try:
            document[0].render(scale=1.4).to_pil().save(picture)
        finally:
            document.close()

    def take_banner(self, shot):
        """Compose the store's banner; twice as large, for sharp screens."""
        manifest = ast.literal_eval((_ROOT / "__manifest__.py").read_text())
        icon = (_ROOT / "static/description/icon.png").read_bytes()
        page = self.browser.new_page(
            viewport={"width": 560, "height": 280}, device_scale_factor=2
        )
        page.set_content(
            _BANNER.format(
                icon=_data_address(icon),
                shot=_data_address(shot),
                name=_unbroken_words(manifest["name"]),
                summary=manifest["summary"],
            )
        )
        page.screenshot(path=self.folder / "banner.png")

    def _open_contacts(self):
        self.page.set_viewport_size({"width": 1400, "height": 900})
        self.page.goto(f"{self.address}/odoo/action-contacts.action_contacts")
        self.page.click(".o_switch_view.o_list")
        self.page.wait_for_selector(".o_list_view .o_data_row")

    def _choose_action(self, label):
        for customer in _CUSTOMERS:
            self.page.click(f"{_row(customer)} .o_list_record_selector input")
        self.page.locator(_row(_CUSTOMERS[0])).evaluate(_SCROLL_BELOW_HEADER)
        self.page.click(".o_cp_action_menus button:has-text('Actions')")
        self.page.click(f".o-dropdown--menu .o-dropdown-item:has-text('{label}')")
        self.page.wait_for_selector(".modal .o_form_view")

    def _settle(self):
        """Wait until nothing on the page is about to come or to go."""
        self.page.mouse.move(0, 0)
        self.page.wait_for_function(
            "fleeting => [...document.images].every(image => image.complete)"
            " && !document.querySelector(fleeting)",
            arg=_FLEETING,
        )
        self.page.wait_for_timeout(400)


def _row(customer):
    """Return the selector of a customer's row, which no contact of theirs has."""
    name = re.escape(customer)
    return f".o_data_row:has(td[name=complete_name]:text-matches('^{name}$'))"


def _unbroken_words(text):
    return " ".join(f"<span>{word}</span>" for word in text.split())


def _data_address(png):
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def main(address, chromium, folder):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        photographer = Photographer(browser, address, Path(folder))
        try:
            photographer.log_in()
            photographer.take_dashboard()
            photographer.take_phone()
            photographer.take_reminders()
            photographer.take_quotation()
            photographer.take_verdict()
            photographer.take_bulk()
            photographer.take_forecast()
            photographer.take_report()
            photographer.take_remind()
            photographer.take_letter()
            photographer.take_partner()
            photographer.take_assign()
            shot = photographer.take_preview()
            photographer.take_change()
            photographer.take_banner(shot)
        except Error as error:
            photographer.page.screenshot(path=Path(folder) / "screenshots-problem.png")
            sys.exit(f"{error}\n(at {photographer.page.url})")
        finally:
            browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
