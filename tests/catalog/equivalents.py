"""What the types are called in SmarterTrack and in Tracardi, for people who come from there. Pure.

SmarterTrack's names are those of its lists of events; where two of its groups use the same words,
the group stands in brackets. Tracardi's are the ids of its built-in event types. Types that neither
of them has are not here. Source of the mapping: the manuals and, for Tracardi, its published source.
"""

from __future__ import annotations

from typing import NamedTuple


class Equivalent(NamedTuple):
    """What one of our types is called elsewhere; several of theirs may be one of ours."""

    smartertrack: tuple[str, ...] = ()
    tracardi: tuple[str, ...] = ()


def _st(*names: str) -> Equivalent:
    return Equivalent(smartertrack=names)


def _tr(*ids: str) -> Equivalent:
    return Equivalent(tracardi=ids)


EQUIVALENTS: dict[str, Equivalent] = {
    "ticket.created": _st("Ticket Created"),
    "ticket.deleted": _st("Ticket Deleted"),
    "ticket.status_changed": _st("Ticket Status Changed"),
    "ticket.priority_changed": _st("Ticket Priority Changed"),
    "ticket.transferred": _st("Ticket Transferred"),
    "ticket.message_received": Equivalent(("Ticket Messages Received",), ("message-received",)),
    "ticket.message_sent": Equivalent(("Ticket Messages Sent",), ("message-sent",)),
    "ticket.comment_added": _st("Ticket Comment Added"),
    "ticket.followup_scheduled": _st("Ticket Follow-up Scheduled"),
    "ticket.followup_due": _st("Ticket Follow-up Due"),
    "ticket.followup_done": _st("Ticket Followed Up"),
    "ticket.form_sent": _st("Ticket Form Sent"),
    "ticket.form_completed": _st("Ticket Form Completed"),
    "ticket.close_requested": _st("Ticket Close Requested by User"),
    "ticket.time_logged": _st("Ticket Time Log Created"),
    "ticket.idle": _st("Ticket Idle"),
    "ticket.age_reached": _st("Ticket Duration"),
    "ticket.count_reached": _st(
        "Count for Agent (tickets)", "Count for Group (tickets)", "Count for Department (tickets)"
    ),
    "ticket.manual": _st("Manual Ticket Event"),
    "chat.started": Equivalent(("Live Chat Started",), ("messaging-started",)),
    "chat.closed": Equivalent(("Live Chat Ended",), ("messaging-ended",)),
    "chat.message_received": Equivalent(("Live Chat Incoming Message",), ("message-received",)),
    "chat.message_sent": Equivalent(("Live Chat Message Out",), ("message-sent",)),
    "chat.comment_added": _st("Live Chat Comment Added"),
    "chat.deleted": _st("Live Chat Deleted"),
    "chat.transferred": _st("Live Chat Transferred"),
    "chat.time_logged": _st("Live Chat Time Log Created"),
    "chat.linked": _st("Live Chat Attached to Ticket"),
    "chat.unlinked": _st("Live Chat Detached from Ticket"),
    "chat.idle": _st("Live Chat Idle"),
    "chat.count_reached": _st(
        "Count for Agent (live chats)", "Count for Department (live chats)", "Count for Group (live chats)"
    ),
    "chat.manual": _st("Manual Live Chat Event"),
    "chat.invited": _st("Who's On Chat Invited"),
    "chat.invite_accepted": _st("Who's On Chat Accepted"),
    "chat.invite_rejected": _st("Who's On Chat Rejected"),
    "chat.invite_ignored": _st("Who's On Chat Invitation Ignored"),
    "message.opened": _tr("message-opened"),
    "message.delivery_changed": _tr("message-status"),
    "room.invited": _st("Chat Room Invite"),
    "room.joined": _st("Chat Room Joined"),
    "room.left": _st("Chat Room Left"),
    "visitor.active": _st("Online Activity"),
    "visitor.removed": _st("Online Visitor Removed"),
    "visitor.purged": _st("Online Visitor Purged"),
    "visit.started": _tr("visit-started"),
    "visit.ended": _tr("visit-ended"),
    "session.opened": _tr("session-opened"),
    "session.closed": _tr("session terminated"),  # its manual's words; there is no such id
    "session.inactive": _tr("session-inactive"),
    "visitor.page_viewed": _tr("page-view"),
    "visitor.screen_viewed": _tr("screen-view"),
    "visitor.page_printed": _tr("page-print"),
    "visitor.searched": _tr("search"),
    "visitor.search_results_viewed": _tr("product-search-result"),
    "visitor.located": _tr("location"),
    "contact.created": _tr("profile-created"),
    "contact.updated": _tr("profile-update"),
    "contact.inactive": _tr("profile-inactive"),
    "contact.archived": _tr("profile-archived"),
    "contact.consent_changed": _tr("consent-update"),
    "contact.identified": _tr("identification"),
    "contact.signed_in": _tr("sign-in"),
    "contact.signed_up": _tr("sign-up"),
    "contact.account_deleted": _tr("account-deleted"),
    "contact.interest_increased": _tr("increase-interest"),
    "contact.interest_decreased": _tr("decrease-interest"),
    "contact.interest_reset": _tr("reset-interest"),
    "contact.preference_added": _tr(
        "add-color-preference",
        "add-size-preference",
        "add-brand-preference",
        "add-channel-preference",
        "add-payment-preference",
    ),
    "contact.loyalty_card_added": _tr("loyalty-card-added"),
    "contact.loyalty_card_removed": _tr("loyalty-card-removed"),
    "contact.rated": _tr("rating"),
    "article.created": _st("KB Article Created"),
    "article.updated": _st("KB Article Modified"),
    "article.deleted": _st("KB Article Deleted"),
    "article.flagged": _st("KB Article Flagged"),
    "article.reviewed": _st("KB Article Reviewed"),
    "article.stale": _st("KB Article Stale"),
    "article.manual": _st("Manual KB Event"),
    "article_feedback.created": _st("KB Feedback Created"),
    "article_feedback.edited": _st("KB Feedback Edited"),
    "article_feedback.deleted": _st("KB Feedback Deleted"),
    "article_feedback.approved": _st("KB Feedback Approved"),
    "article_feedback.blocked": _st("KB Feedback Blocked"),
    "article_feedback.abuse_reported": _st("KB Feedback Abuse Reported"),
    "task.created": _st("Task Created"),
    "task.updated": _st("Task Modified"),
    "task.deleted": _st("Task Deleted"),
    "task.started": _st("Task Started"),
    "task.due": _st("Task Due"),
    "mail_out.connection_failed": _st("SMTP Connection Failed"),
    "mail_out.delivery_failed": _st("SMTP Delivery Failed"),
    "mail_out.delivery_abandoned": _st("SMTP Final Delivery Failed"),
    "mail_in.connection_failed": _st("POP Connection Failed"),
    "mail_in.download_failed": _st("POP Download Failed"),
    "mail_in.import_failed": _st("POP Import Failed"),
    "mail_in.login_failed": _st("POP Login Failed"),
    "survey.answered": _st("Survey Answered"),
    "post.abuse_reported": _st("New Reported Abuse"),
    "commerce.product_clicked": _tr("product-clicked"),
    "commerce.product_viewed": _tr("product-details-page-view"),
    "commerce.product_shared": _tr("product-shared"),
    "commerce.product_reviewed": _tr("product-reviewed"),
    "commerce.product_returned": _tr("product-returned"),
    "commerce.basket_viewed": _tr("basket-viewed"),
    "commerce.basket_item_added": _tr("product-added-to-basket"),
    "commerce.basket_item_removed": _tr("product-removed-from-basket"),
    "commerce.checkout_started": _tr("checkout-started"),
    "commerce.checkout_completed": _tr("checkout-completed"),
    "commerce.checkout_status_changed": _tr("checkout-status"),
    "commerce.delivery_info_entered": _tr("delivery-info-entered"),
    "commerce.payment_info_entered": _tr("payment-info-entered"),
    "commerce.order_started": _tr("order-started"),
    "commerce.order_completed": _tr("order-completed"),
    "commerce.order_status_changed": _tr("order-status-change"),
    "commerce.sale_completed": _tr("sale-completed"),
    "commerce.order_awaiting_dispatch": _tr("order-waiting-for-dispatch"),
    "commerce.order_dispatched": _tr("order-dispatched"),
    "commerce.order_in_transit": _tr("order-dispatch-in-transit"),
    "commerce.order_awaiting_pickup": _tr("order-awaiting-pickup"),
    "commerce.order_delivered": _tr("order-delivered"),
    "commerce.payable_created": _tr("account-payable"),
    "commerce.receivable_created": _tr("account-receivable"),
    "commerce.payment_sent": _tr("payment-sent"),
    "commerce.payment_received": _tr("payment-received"),
    "commerce.payable_overdue": _tr("payable-overdue"),
    "commerce.receivable_overdue": _tr("receivable-overdue"),
    "commerce.promotion_viewed": _tr("promotion-viewed"),
    "commerce.promotion_clicked": _tr("promotion-clicked"),
}
