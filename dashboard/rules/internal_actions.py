"""Actions done in the house: notices, entries, tags, notes, events. Each in the caller's transaction.

`do(step)` works from the step's payload alone, so that an action that waits is done as it was planned:

    notify  {"user", "title", "text", "urgent", "url"}, and "again" where it is repeated
    log, note  {"text"}
    emit    {"type", "data", "user", "queue", "interaction", "source_id"}      tag, untag  {"tags"}
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from peewee import fn

from dashboard import clock
from dashboard.audit import record as audit
from dashboard.db.prepared import Prepared, insert_row, slot
from dashboard.events import own, switches
from dashboard.i18n.mark import N_
from dashboard.models import Mark, Notification, Rule, Run, Step
from dashboard.rules import repeats

TITLE_MAX, URL_MAX, MARK_MAX = 300, 500, 2000
MOST_MARKS = 200  # on one subject: a rule that runs for years must not fill the table
_MARKS = Prepared(lambda: Mark.select(fn.COUNT(Mark.id)).where(Mark.subject == slot("subject")))
ACTOR = ("system", None, "rules")

SWITCHED_OFF = N_("Events of this type are not recorded.")
FULL = N_("There are too many tags and notes on it already.")


class Impossible(Exception):  # noqa: N818  it says what is the matter
    """An action that cannot be done; the text is marked for translation."""


def do(step: Step) -> None:
    """Do an inside action. Raises Impossible; marking the step is the caller's."""
    _DO[step.action](step, step.run)


def _notify(step: Step, run: Run) -> None:
    payload = step.payload
    repeats.renew(step)
    insert_row(
        Notification,
        user_id=payload["user"],
        rule_id=run.rule_id,
        run_id=run.id,
        step_id=step.id,
        title=payload["title"][:TITLE_MAX],
        body=payload["text"],
        url=payload["url"][:URL_MAX],
        urgent=payload["urgent"],
        made_ms=clock.now_ms(),
    )
    repeats.follow(step)


def _log(step: Step, run: Run) -> None:
    details = {"text": step.payload["text"], "subject": run.subject, "run": run.id}
    target = ("rule", run.rule_id, _rule_name(run.rule_id))
    audit.record("rule.logged", "c", target, details=details, actor=ACTOR, chain=_chain(run))


def _tag(step: Step, run: Run) -> None:
    given = (Mark.subject == run.subject) & (Mark.kind == "tag")
    there = {row[0] for row in Mark.select(Mark.text).where(given).tuples()}
    for tag in step.payload["tags"]:
        if tag not in there:
            _mark(run, "tag", tag)


def _untag(step: Step, run: Run) -> None:
    Mark.delete().where(
        (Mark.subject == run.subject) & (Mark.kind == "tag") & Mark.text.in_(step.payload["tags"])
    ).execute()


def _note(step: Step, run: Run) -> None:
    _mark(run, "note", step.payload["text"])


def _emit(step: Step, run: Run) -> None:
    payload = step.payload
    if not switches.recorded(payload["type"]):
        raise Impossible(SWITCHED_OFF)
    event = own.append(
        payload["type"],
        payload["data"],
        payload["user"],
        payload["queue"],
        payload["interaction"],
        payload["source_id"],
        chain=_chain(run),
    )
    Step.update(receipt={"event": event}).where(Step.id == step.id).execute()


_DO: dict[str, Callable[[Step, Run], None]] = {
    "notify": _notify,
    "log": _log,
    "tag": _tag,
    "untag": _untag,
    "note": _note,
    "emit": _emit,
}


def _mark(run: Run, kind: str, text: str) -> None:
    if _MARKS.rows(subject=run.subject)[0][0] >= MOST_MARKS:
        raise Impossible(FULL)
    insert_row(
        Mark,
        subject=run.subject,
        kind=kind,
        text=text[:MARK_MAX],
        rule_id=run.rule_id,
        run_id=run.id,
        made_ms=clock.now_ms(),
    )


def _chain(run: Run) -> tuple[int, ...]:
    return (*run.chain, run.rule_id)


def _rule_name(rule_id: int) -> str:
    found: Any = Rule.select(Rule.name).where(Rule.id == rule_id).scalar()
    return str(found or rule_id)
