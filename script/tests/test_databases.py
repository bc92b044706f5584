"""Databases come and go, whatever PostgreSQL is doing with them."""

from contextlib import closing


def test_database_is_dropped_though_somebody_is_connected(workbench):
    server = workbench.databases.server
    server.create("sales_followup_dropped")
    with closing(server.connect("sales_followup_dropped")):
        server.drop("sales_followup_dropped")
    assert "sales_followup_dropped" not in server.names()
