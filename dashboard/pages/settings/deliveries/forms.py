"""What a look at the deliveries asks for, and what is to be done with those chosen."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from werkzeug.datastructures import MultiDict

from dashboard.web import forms

STEP_MAX = 2**63 - 1
OPS = ("replay", "cancel")


class Filter(NamedTuple):
    view: str
    channel: int  # 0 for all
    before: int  # a step's id, 0 for the newest


class Asked(NamedTuple):
    op: str  # one of OPS, "" for anything else
    ids: frozenset[int]


def parse_filter(args: Mapping[str, str], views: Collection[str]) -> Filter:
    """Read the address; what it does not know it takes for the default."""
    view = args.get("view", "")
    return Filter(
        view if view in views else next(iter(views)),
        forms.whole(args.get("channel", ""), 1, forms.ID_MAX) or 0,
        forms.whole(args.get("before", ""), 1, STEP_MAX) or 0,
    )


def parse(form: MultiDict[str, str]) -> Asked:
    """Read what is to be done: one row's button, or one for all that are ticked."""
    op, _, one = form.get("op", "").partition(":")
    given = [one] if one else form.getlist("id")
    ids = frozenset(number for each in given if (number := forms.whole(each, 1, STEP_MAX)) is not None)
    return Asked(op if op in OPS else "", ids)
