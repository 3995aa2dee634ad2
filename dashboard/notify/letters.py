"""The text of a mail around what a rule says: why it came, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import current_app
from flask_babel import force_locale

from dashboard.settings import Settings

TEMPLATE = "mail/notice.txt"


def text(payload: Mapping[str, Any], rule: str) -> str:
    """Return the whole text of the mail of a step's payload; `rule` is the name of its rule.

    The customer gets the text alone: rules and inboxes are none of theirs.
    """
    if payload.get("customer"):
        return str(payload["text"])
    chosen: Settings = current_app.config["STOPA"]
    known = payload.get("user") is not None
    url = str(payload.get("url", ""))
    with force_locale(payload.get("locale") or chosen.locale):
        made = current_app.jinja_env.get_template(TEMPLATE)  # a worker has no request
        return made.render(
            text=payload["text"],
            rule=rule,
            known=known,
            inbox_url=f"{chosen.base_url}/inbox",
            run_url=f"{chosen.base_url}{url}" if url else "",
        )
