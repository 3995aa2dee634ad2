"""Query parameters of a list of runs: outcome, dates, text, page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask_babel import gettext as _

from dashboard import clock
from dashboard.i18n.message import N_
from dashboard.rulelang.outcomes import ACTED, RunOutcome
from dashboard.tracing.types import NO_DATE, parse_date
from dashboard.web import forms, lists

ID_MAX = 2**63 - 1
SUBJECT_MAX = 300
ACTING = "acted"  # all outcomes with at least one attempted action
ACTING_LABEL = N_("Triggered")


@dataclass(frozen=True)
class RunQuery:
    """The query with its defaults; a field in `errors` holds its default.

    `start_ms` and `end_ms` bound the time of the event, None without a bound. `before` and `after` are
    ids of runs between which the page lies; at most one is given.
    """

    q: str = ""
    outcome: str = ""
    first: str = ""
    last: str = ""
    subject: str = ""
    before: int | None = None
    after: int | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Return the outcomes to show; all of them for none."""
        if self.outcome == ACTING:
            return tuple(each.value for each in ACTED)
        return (self.outcome,) if self.outcome else ()

    @property
    def filtered(self) -> bool:
        return bool(self.q or self.outcome or self.first or self.last)

    def query(self, **other: Any) -> dict[str, Any]:
        """Return the parameters with `other` replaced, without those of the page."""
        asked = {
            "q": self.q,
            "outcome": self.outcome,
            "first": self.first,
            "last": self.last,
            "subject": self.subject,
        }
        return {name: value for name, value in {**asked, **other}.items() if value}


def parse(args: Mapping[str, str], zone: str) -> RunQuery:
    """Return the parsed parameters; dates are days in `zone`, the last one included."""
    errors: dict[str, str] = {}
    outcome = args.get("outcome", "")
    if outcome not in ("", ACTING, *RunOutcome):
        errors["outcome"], outcome = _("Choose an outcome from the list."), ""
    first, start = _date(args, "first", errors)
    last, end = _date(args, "last", errors)
    if start and end and end < start:
        errors["last"], last, end = _("The last day can't be before the first."), "", None
    return RunQuery(
        lists.needle(args),
        outcome,
        first,
        last,
        args.get("subject", "")[:SUBJECT_MAX],
        forms.whole(args.get("before", ""), 1, ID_MAX),
        None if args.get("before") else forms.whole(args.get("after", ""), 1, ID_MAX),
        clock.day(start, zone).start * 1000 if start else None,
        clock.day(end, zone).end * 1000 if end else None,
        errors,
    )


def _date(args: Mapping[str, str], name: str, errors: dict[str, str]) -> tuple[str, date | None]:
    text = args.get(name, "").strip()
    found = parse_date(text, date.min) if text else None
    if text and found is None:
        errors[name] = _(NO_DATE)
    return (text, found) if found else ("", None)
