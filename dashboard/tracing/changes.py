"""What a rebuild changes: figures of activities, interactions and presence, with the cause."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from dashboard.db.prepared import plain
from dashboard.models import Activity, Interaction, Interval, User
from dashboard.tracing.types import Kind, State

FIGURES = ("state", "handling_s", "talk_s", "hold_s", "ringing_s")
FACTS = ("outcome", "wait_s", "talk_s", "timeouts", "ended_ts")


class Change(NamedTuple):
    """A figure that a rebuild changed; `cause` is the reason of a bound, or what else differs."""

    about: str
    figure: str
    before: object
    after: object
    cause: str

    def __str__(self) -> str:
        return f"{self.about}: {self.figure} {self.before} -> {self.after} ({self.cause})"


class Snapshot(NamedTuple):
    """Figures by what they are about, and the reason of the bound of each that has one."""

    values: Mapping[tuple[str, str], object]
    reasons: Mapping[str, str]


def of_interactions(source: int, names: Sequence[str]) -> Snapshot:
    """Return the figures of these interactions of a source and of their activities."""
    values: dict[tuple[str, str], object] = {}
    reasons: dict[str, str] = {}
    i, a = Interaction, Activity
    mine = (i.source == source) & i.external_id.in_(list(names))
    facts = (getattr(i, fact) for fact in FACTS)
    for name, reason, *row in plain(i.select(i.external_id, i.end_reason, *facts).where(mine)):
        _note(values, reasons, f"interaction {name}", FACTS, row, reason)
    figures = (getattr(a, figure) for figure in FIGURES)
    works = a.select(a.id, User.login, i.external_id, a.end_reason, *figures)
    works = works.join(i, on=(i.id == a.interaction_id)).join(User, on=(User.id == a.user_id))
    for ident, login, name, reason, *row in plain(works.where(mine)):
        _note(values, reasons, f"activity {ident} ({login}, {name})", FIGURES, row, reason)
    return Snapshot(values, reasons)


def of_presence(user: int) -> Snapshot:
    """Return the sums of a user's ended logins, ready time and pauses in seconds."""
    i = Interval
    ended = (i.user_id == user) & (i.kind <= Kind.PAUSE) & i.end_ts.is_null(False)
    sums: dict[tuple[str, str], int] = {}
    reasons: dict[str, str] = {}
    about = f"user {User.get_by_id(user).login}"
    for kind, start, end, reason in plain(i.select(i.kind, i.start_ts, i.end_ts, i.end_reason).where(ended)):
        key = about, Kind(kind).name.lower()
        sums[key] = sums.get(key, 0) + end - start
        if reason:
            reasons[about] = reason
    return Snapshot(dict(sums), reasons)


def between(before: Snapshot, after: Snapshot) -> Iterator[Change]:
    """Yield every figure that differs."""
    for key in sorted({*before.values, *after.values}):
        old, new = before.values.get(key), after.values.get(key)
        if old != new and not (old is None and new == 0):
            yield Change(*key, old, new, _cause(key[0], new, after.reasons))


def _cause(about: str, new: object, reasons: Mapping[str, str]) -> str:
    if about in reasons:
        return reasons[about]
    return str(new) if new == State.ANSWERED_ELSEWHERE else "life cycle"


def _note(
    values: dict[tuple[str, str], object],
    reasons: dict[str, str],
    about: str,
    names: Sequence[str],
    row: Sequence[object],
    reason: str | None,
) -> None:
    values.update({(about, name): value for name, value in zip(names, row, strict=True)})
    if reason:
        reasons[about] = reason


def report(changed: Callable[[Change], None], before: Snapshot, after: Snapshot) -> None:
    """Call `changed` with each figure that came out different."""
    for change in between(before, after):
        changed(change)
