from goals import Queries, Ratio

from .documents import DocumentsRow

TABLES = (
    "sale_order",
    "sale_order_line",
    "sale_order_followup_rep_rel",
    "mail_message",
    "mail_tracking_value",
    "mail_followers",
    "mail_followers_mail_message_subtype_rel",
    "sales_followup_change_line",
    "sales_followup_propagate_line",
)


class Orders(DocumentsRow):
    """The lead, the representatives and, as the joiner has another team, the team."""

    code = "2"
    title = "propagate to sale orders, journal and chatter"
    tables = TABLES
    goals = (
        Ratio("plain", "ours", at_least=35),
        Ratio("plain", "ours", at_least=35, base_lap="apply"),
        Ratio("plain, no mails", "ours", at_least=5),
        Ratio("plain, no mails", "ours", at_least=5, base_lap="apply"),
        Ratio("ours", "floor", at_most=2.3, way_lap="apply"),
        Ratio("ours", "floor"),
        Queries("ours"),
    )


class OrdersQuietly(DocumentsRow):
    """The same without chatter; the plain way cannot leave its chatter out."""

    code = "2b"
    title = "propagate to sale orders, journal only"
    tables = TABLES
    chatter = False
    goals = (
        Ratio("plain", "ours", at_least=60),
        Ratio("plain", "ours", at_least=60, base_lap="apply"),
        Ratio("ours", "floor", at_most=3, way_lap="apply"),
        Ratio("ours", "floor"),
        Queries("ours"),
    )

    def ways(self):
        return [way for way in super().ways() if way.name != "plain, no mails"]
