{
    "name": "Sales Follow-up",
    "summary": "Who follows which customer, and who must be chased",
    "version": "19.0.1.0.0",
    "category": "Sales/Sales",
    "author": "Sales Follow-up contributors",
    "license": "LGPL-3",
    "depends": ["sale", "account"],
    "data": [],
    "application": True,
}
