"""A plugin for pytest: tests beside others' addons that are known to go otherwise."""

import pytest

# The end of a test's id → why it fails here. A test that passes again is a failure, so
# that no line stays longer than it is true.
_WITHOUT_REQUEST = (
    "also without this addon: Werkzeug refuses to patch what no request is bound to"
)
_NO_CREDIT_LINES = "also without this addon: no credit control line is made"
DIFFERENCES = {
    "TestAccessTrackingEmail::test_db_env": _WITHOUT_REQUEST,
    "TestAccessTrackingEmail::test_mail_send": _WITHOUT_REQUEST,
    "TestAccessTrackingEmail::test_mail_tracking_open": _WITHOUT_REQUEST,
    "TestCreditControlWizards::test_marker_wizard": _NO_CREDIT_LINES,
    "TestCreditControlWizards::test_policy_changer_wizard": _NO_CREDIT_LINES,
    "TestCreditControlWizards::test_printer_wizard": _NO_CREDIT_LINES,
    "TestSaleOrder::test_invoicing_terms": "also without this addon: the terms come"
    " in another element",
    "TestResPartner::test_no_propagation_without_context": "contacts with their"
    " company's representatives follow it here, whatever propagates a Salesperson",
}


def pytest_collection_modifyitems(items):
    for item in items:
        for name, reason in DIFFERENCES.items():
            if item.nodeid.endswith(name):
                item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
