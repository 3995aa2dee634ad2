"""Contacts and their organisations: their lives, consents, interests, preferences, loyalty. Pure."""

from __future__ import annotations

from dashboard.catalog.fields import COMMENT, CREATED, NAME, RATING, REASON, RELATED, TAGS
from dashboard.catalog.types import EventType, Field, Kind, Origin, maker
from dashboard.i18n.mark import N_

INTEREST = Field("interest", Kind.TEXT, N_("Interest"))
VALUE = Field("value", Kind.DECIMAL, N_("Value"))
CARD = Field("card", Kind.CODE, N_("Loyalty card"))
PREFERRED = (
    Field("kind", Kind.CHOICE, N_("Kind of preference"), ("color", "size", "brand", "channel", "payment")),
    Field("preference", Kind.CODE, N_("Preferred value")),
)

# Name, phone and email stand in the event's contact; custom fields in `custom`, by path.
CONTACT = (
    Field("domain", Kind.TEXT, N_("Email domain")),
    TAGS,
    Field("consents", Kind.LIST, N_("Consents")),
    Field("verified", Kind.YES_NO, N_("Verified")),
    CREATED,
    Field("last_seen_at", Kind.TIME, N_("Last seen")),
    Field("open_tickets", Kind.NUMBER, N_("Open tickets")),
    Field("lifetime_tickets", Kind.NUMBER, N_("Tickets in all")),
    RATING,
    Field("interests", Kind.LIST, N_("Interests")),
    Field("preferences", Kind.LIST, N_("Preferences")),
    Field("loyalty", Kind.TEXT, N_("Loyalty level")),
)
ORGANISATION = (NAME, *CONTACT[:8])

_contact = maker("contacts", "system")
_timer = maker("contacts", "system", origin=Origin.TIMER)
_seen = maker("contacts", "system", origin=Origin.EXTERNAL)
_liking = maker("contacts", "system", origin=Origin.EXTERNAL, on=False)

TYPES: tuple[EventType, ...] = (
    _contact("contact.created", N_("Contact created"), *CONTACT),
    _contact("contact.updated", N_("Contact changed"), *CONTACT),
    _contact("contact.merged", N_("Contacts merged"), *CONTACT, RELATED),
    _contact("contact.tagged", N_("Contact tagged"), *CONTACT),
    _contact("contact.deleted", N_("Contact deleted"), *CONTACT),
    _timer("contact.inactive", N_("Contact inactive"), *CONTACT, REASON),
    _contact("contact.archived", N_("Contact archived"), *CONTACT),
    _contact("contact.consent_changed", N_("Contact's consents changed"), *CONTACT),
    _contact("contact.rated", N_("Rating by a contact"), *CONTACT, COMMENT),
    _seen("contact.identified", N_("Contact identified"), *CONTACT),
    _seen("contact.signed_in", N_("Contact signed in"), *CONTACT),
    _seen("contact.signed_up", N_("Contact signed up"), *CONTACT),
    _seen("contact.account_deleted", N_("Contact's account deleted"), *CONTACT),
    _liking("contact.interest_increased", N_("Interest increased"), *CONTACT, INTEREST, VALUE),
    _liking("contact.interest_decreased", N_("Interest decreased"), *CONTACT, INTEREST, VALUE),
    _liking("contact.interest_reset", N_("Interest reset"), *CONTACT, INTEREST, VALUE),
    _liking("contact.preference_added", N_("Preference added"), *CONTACT, *PREFERRED),
    _liking("contact.loyalty_card_added", N_("Loyalty card added"), *CONTACT, CARD),
    _liking("contact.loyalty_card_removed", N_("Loyalty card removed"), *CONTACT, CARD),
    _contact("organization.created", N_("Organisation created"), *ORGANISATION),
    _contact("organization.updated", N_("Organisation changed"), *ORGANISATION),
    _contact("organization.deleted", N_("Organisation deleted"), *ORGANISATION),
    _contact("organization.member_added", N_("Member added to an organisation"), *ORGANISATION),
)
