"""The contents of mails: one layout for all, as text and as HTML that say the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from flask import current_app
from flask_babel import force_locale, get_locale
from flask_babel import gettext as _

from dashboard.i18n.message import N_
from dashboard.settings import Settings

OPEN = {
    "call": N_("Open the call"),
    "chat": N_("Open the chat"),
    "email": N_("Open the email"),
    "ticket": N_("Open the ticket"),
}
PAGES = {
    "/interactions/": N_("Open the interaction"),
    "/tracing?": N_("Open the day"),
    "/figures?": N_("Open the queue's figures"),
}


class Content(NamedTuple):
    """The body of a mail; `html` is "" for one that is text alone."""

    text: str
    html: str = ""


class Letter(NamedTuple):
    """What a mail says. `facts` are label and value, `button` is label and address, `foot` is why it came."""

    title: str
    lines: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    button: tuple[str, str] | None = None
    foot: tuple[str, ...] = ()
    link: tuple[str, str] | None = None  # a second address, below the foot

    def content(self) -> Content:
        """Return the body in the language that is set."""
        found = {"letter": self, "locale": str(get_locale())}
        text, html = (
            current_app.jinja_env.get_template(f"mail/letter.{end}").render(found)  # a worker has no request
            for end in ("txt", "html")
        )
        return Content(text.strip() + "\n", html)


def of_step(payload: Mapping[str, Any], rule: str) -> Content:
    """Return the body of the mail of a step's payload; `rule` is the name of its rule.

    The customer gets the text alone: rules and inboxes are none of theirs.
    """
    if payload.get("customer"):
        return Content(str(payload["text"]))
    chosen: Settings = current_app.config["STOPA"]
    known, url = payload.get("user") is not None, str(payload.get("url", ""))
    with force_locale(payload.get("locale") or chosen.locale):
        why = _("You received this message because rule “%(rule)s” sends it to this address.", rule=rule)
        if known:
            why = _("You received this message because rule “%(rule)s” notifies you.", rule=rule)
        return Letter(
            str(payload["subject"]),
            tuple(str(payload["text"]).splitlines()),
            tuple((_(label), value) for label, value in payload.get("facts", ())),
            (page_label(url, str(payload.get("about", ""))), f"{chosen.base_url}{url}") if url else None,
            (why,) if rule else (),
            (_("Manage your notifications"), f"{chosen.base_url}/inbox") if known else None,
        ).content()


def page_label(url: str, about: str = "") -> str:
    """Return what a button to the page of what a rule is about says; `about` is the object of the event."""
    label = next((text for start, text in PAGES.items() if url.startswith(start)), N_("View details"))
    return str(_(OPEN.get(about, label) if url.startswith("/interactions/") else label))
