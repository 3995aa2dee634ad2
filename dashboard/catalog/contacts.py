"""Contacts and their organisations: their lives, consents, interests, preferences, loyalty. Pure."""

from __future__ import annotations

from dashboard.catalog.fields import (
    ABUSE_REPORTS,
    AGE,
    AUTHOR,
    BODY,
    BUTTON,
    CATEGORY,
    COMMENT,
    CREATED,
    DEPARTMENT,
    NAME,
    RATING,
    REASON,
    RELATED,
    STATUS,
    TAGS,
    TITLE,
    URL,
)
from dashboard.catalog.types import EventType, Field, Kind, Origin, maker
from dashboard.i18n.message import N_

INTEREST = Field("interest", Kind.TEXT, N_("Interest"))
VALUE = Field("value", Kind.DECIMAL, N_("Value"))
CARD = Field("card", Kind.CODE, N_("Loyalty card"))
PREFERRED = (
    Field("kind", Kind.CHOICE, N_("Preference type"), ("color", "size", "brand", "channel", "payment")),
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
    Field("lifetime_tickets", Kind.NUMBER, N_("Total tickets")),
    RATING,
    Field("interests", Kind.LIST, N_("Interests")),
    Field("preferences", Kind.LIST, N_("Preferences")),
    Field("loyalty", Kind.TEXT, N_("Loyalty level")),
)
CHANGED = Field("changed", Kind.LIST, N_("Changed fields"))
ORGANISATION = (NAME, *CONTACT[:8])

_contact = maker("contacts", "system")
_timer = maker("contacts", "system", origin=Origin.TIMER)
_seen = maker("contacts", "system", origin=Origin.EXTERNAL)
_liking = maker("contacts", "system", origin=Origin.EXTERNAL, on=False)

TYPES: tuple[EventType, ...] = (
    _contact("contact.created", N_("Contact created"), *CONTACT),
    _contact("contact.updated", N_("Contact changed"), *CONTACT, CHANGED),
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


# The score of each question stands in `scores`, by path.
SURVEY = (Field("survey", Kind.TEXT, N_("Survey")), RATING, COMMENT, DEPARTMENT, RELATED)

_survey = maker("surveys", "personal")

SURVEY_TYPES: tuple[EventType, ...] = (
    _survey("survey.offered", N_("Survey offered"), *SURVEY),
    _survey("survey.answered", N_("Survey answered"), *SURVEY),
    _survey("survey.declined", N_("Survey declined"), *SURVEY),
    _survey("survey.expired", N_("Survey expired"), *SURVEY),
)


ARTICLE = (
    AUTHOR,
    Field("folder", Kind.TEXT, N_("Folder")),
    TITLE,
    Field("keywords", Kind.LIST, N_("Keywords")),
    BODY,
    Field("draft", Kind.YES_NO, N_("Draft")),
    Field("private", Kind.YES_NO, N_("Private")),
    Field("flagged", Kind.YES_NO, N_("Flagged for review")),
    Field("reviewed_at", Kind.TIME, N_("Last reviewed")),
)
FEEDBACK = (
    *ARTICLE,
    Field("feedback", Kind.TEXT, N_("Feedback")),
    Field("feedback_name", Kind.TEXT, N_("Feedback author's name")),
    Field("feedback_ip", Kind.IP, N_("Feedback author's IP address")),
    Field("feedback_email", Kind.TEXT, N_("Feedback author's email")),
    Field("moderated", Kind.YES_NO, N_("Moderated")),
    ABUSE_REPORTS,
    Field("helpfulness", Kind.DECIMAL, N_("Helpfulness")),
)

_article = maker("articles", "personal")
_article_timer = maker("articles", "personal", origin=Origin.TIMER)

ARTICLE_TYPES: tuple[EventType, ...] = (
    _article("article.created", N_("Article created"), *ARTICLE),
    _article("article.updated", N_("Article changed"), *ARTICLE),
    _article("article.deleted", N_("Article deleted"), *ARTICLE),
    _article("article.flagged", N_("Article flagged for review"), *ARTICLE),
    _article("article.reviewed", N_("Article reviewed"), *ARTICLE),
    _article_timer("article.stale", N_("Article out of date"), *ARTICLE),
    _article("article.link_broken", N_("Broken link in an article"), *ARTICLE, URL),
    _article("article.manual", N_("Manual article event"), *ARTICLE, BUTTON),
    _article("article_feedback.created", N_("Article feedback created"), *FEEDBACK),
    _article("article_feedback.edited", N_("Article feedback edited"), *FEEDBACK),
    _article("article_feedback.deleted", N_("Article feedback deleted"), *FEEDBACK),
    _article("article_feedback.approved", N_("Article feedback approved"), *FEEDBACK),
    _article("article_feedback.blocked", N_("Article feedback blocked"), *FEEDBACK),
    _article("article_feedback.abuse_reported", N_("Abuse reported in article feedback"), *FEEDBACK),
)


POST = (
    Field("thread_type", Kind.TEXT, N_("Thread type")),
    STATUS,
    CATEGORY,
    TAGS,
    TITLE,
    BODY,
    AUTHOR,
    Field("votes", Kind.NUMBER, N_("Votes")),
    ABUSE_REPORTS,
    AGE,
)

_community = maker("community", "personal")
_community_timer = maker("community", "personal", internal=True, origin=Origin.TIMER)

COMMUNITY_TYPES: tuple[EventType, ...] = (
    _community("thread.created", N_("Thread created"), *POST),
    _community("thread.status_changed", N_("Thread status changed"), *POST),
    _community_timer("thread.moderation_due", N_("Thread moderation due"), *POST),
    _community("post.created", N_("Post created"), *POST),
    _community("post.deleted", N_("Post deleted"), *POST),
    _community("post.abuse_reported", N_("Abuse reported in a post"), *POST),
)
