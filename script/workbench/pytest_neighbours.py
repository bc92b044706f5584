"""A plugin for pytest: tests beside others' addons that are known to go otherwise."""

import pytest

_WITHOUT_REQUEST = "also without this addon: it reads a request where none is bound"
_NO_CREDIT_LINES = "also without this addon: credit control lines are not made"
_HIDDEN_CUSTOMER = (
    "sales_team_security hides customers with another Salesperson from users who see"
    " their own documents only, representatives of the customer included"
)
# The end of a test's id → why it fails here. A test that passes again is a failure, so
# that no line stays longer than it is true.
DIFFERENCES = {
    "TestAccess::test_representative_works_on_the_order": _HIDDEN_CUSTOMER,
    "TestWrite::test_customers_are_grouped_by_each_representative": _HIDDEN_CUSTOMER,
    "TestWrite::test_my_customers_are_those_of_any_representative": _HIDDEN_CUSTOMER,
    "TestAccessTrackingEmail::test_db_env": _WITHOUT_REQUEST,
    "TestAccessTrackingEmail::test_mail_send": _WITHOUT_REQUEST,
    "TestAccessTrackingEmail::test_mail_tracking_open": _WITHOUT_REQUEST,
    "TestCreditControlCommunication::test_communication_aggregation_and_totals": (
        _NO_CREDIT_LINES
    ),
    "TestCreditControlCommunication::test_mail_composer_table_injection": (
        _NO_CREDIT_LINES
    ),
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
