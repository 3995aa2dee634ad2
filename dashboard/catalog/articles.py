"""The knowledge base: its articles and what readers say of them. Pure."""

from __future__ import annotations

from dashboard.catalog.fields import ABUSE_REPORTS, AUTHOR, BODY, BUTTON, TITLE, URL
from dashboard.catalog.types import EventType, Field, Kind, Origin, maker
from dashboard.i18n.mark import N_

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
_timer = maker("articles", "personal", origin=Origin.TIMER)

TYPES: tuple[EventType, ...] = (
    _article("article.created", N_("Article created"), *ARTICLE),
    _article("article.updated", N_("Article changed"), *ARTICLE),
    _article("article.deleted", N_("Article deleted"), *ARTICLE),
    _article("article.flagged", N_("Article flagged for review"), *ARTICLE),
    _article("article.reviewed", N_("Article reviewed"), *ARTICLE),
    _timer("article.stale", N_("Article out of date"), *ARTICLE),
    _article("article.link_broken", N_("Broken link in an article"), *ARTICLE, URL),
    _article("article.manual", N_("Manual article event"), *ARTICLE, BUTTON),
    _article("article_feedback.created", N_("Article feedback created"), *FEEDBACK),
    _article("article_feedback.edited", N_("Article feedback edited"), *FEEDBACK),
    _article("article_feedback.deleted", N_("Article feedback deleted"), *FEEDBACK),
    _article("article_feedback.approved", N_("Article feedback approved"), *FEEDBACK),
    _article("article_feedback.blocked", N_("Article feedback blocked"), *FEEDBACK),
    _article("article_feedback.abuse_reported", N_("Abuse reported in article feedback"), *FEEDBACK),
)
