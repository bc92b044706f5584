{
    "name": "Follow-up of Rentals",
    "summary": "An example: another kind of document to chase",
    "version": "19.0.1.0.0",
    "category": "Sales",
    "author": "Sales Follow-up contributors",
    "license": "LGPL-3",
    "depends": ["sales_followup"],
    "data": [
        "security/ir.model.access.csv",
        "data/sales_followup_document_type_data.xml",
    ],
}
