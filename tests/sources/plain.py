"""The same queries in plain Python over a list of rows: what the compiler's results are compared with."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

Row = Mapping[
    str, Any
]  # a row of the grain with the fields of its entities; keys as "user_event", "interaction"
KEYS = {"user_events": ("user_event", "interaction"), "interactions": ("interaction",)}


def bucket(name: str, at_ms: int, zone: str) -> str | int:
    """Return the local bucket of an instant, by the calendar of datetime."""
    local = datetime.fromtimestamp(at_ms // 1000, ZoneInfo(zone))
    match name:
        case "hour":
            return local.replace(minute=0, second=0).isoformat()
        case "day":
            return local.date().isoformat()
        case "week":
            return (local.date() - timedelta(local.weekday())).isoformat()
        case "month":
            return f"{local:%Y-%m}"
        case "weekday":
            return local.isoweekday()
        case "hour_of_day":
            return local.hour
        case _:
            return local.weekday() * 24 + local.hour


def buckets(name: str, start: int, end: int, zone: str) -> list[str | int]:
    """Return all buckets of a period, minute by minute."""
    if name in ("weekday", "hour_of_day", "hour_of_week"):
        return list({"weekday": range(1, 8), "hour_of_day": range(24), "hour_of_week": range(168)}[name])
    moments = range(start * 1000, end * 1000, 30 * 60_000)
    return list(dict.fromkeys(bucket(name, at, zone) for at in moments))


RATIOS = {
    "interaction.answer_rate": ("sum:interaction.is_answered", "sum:interaction.is_decided"),
    "interaction.service_level": ("sum:interaction.in_level", "sum:interaction.is_decided"),
    "accept_rate": ("sum:is_accepted", "sum:is_decided"),
    "per_interaction": ("count", "count:interaction"),
}
SUMS: dict[str, Callable[[Sequence[int]], float | int | None]] = {
    "sum": sum,
    "avg": lambda values: sum(values) / len(values) if values else None,
    "min": lambda values: min(values, default=None),
    "max": lambda values: max(values, default=None),
    "median": lambda values: median(values) if values else None,
    "count_distinct": lambda values: len(set(values)),
    "p90": lambda values: sorted(values)[math.ceil(len(values) * 9 / 10) - 1] if values else None,
}


def measure(name: str, rows: Sequence[Row], grain: str) -> float | int | None:
    """Return a figure of rows: each entity counts once, whatever the number of its finer rows."""
    if name in RATIOS:
        part, whole = (measure(each, rows, grain) for each in RATIOS[name])
        return part / whole if part is not None and whole else None
    kind, _, of = name.partition(":")
    if kind == "running":
        return measure(of, rows, grain)
    entity = (
        of.partition(".")[0] if kind != "count" and "." in of else (of or grain if kind == "count" else grain)
    )
    once = {row[entity]: row for row in rows if row[entity] is not None}
    if kind == "count":
        return len(once)
    field = of if "." in of else f"{grain}.{of}"
    return SUMS[kind]([row[field] for row in once.values() if row[field] is not None])


def figures(
    rows: Sequence[Row],
    grain: str,
    groups: Sequence[str],
    measures: Sequence[str],
    span: tuple[int, int],
    zone: str,
) -> tuple[dict[tuple[Any, ...], dict[str, Any]], dict[str, Any]]:
    """Return the figures of every group, empty buckets included, and the total."""
    by_group: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        key = tuple(
            row[f"{grain}.{name}"] if f"{grain}.{name}" in row else _value(row, name, zone) for name in groups
        )
        by_group.setdefault(key, []).append(row)
    timed = [n for n, name in enumerate(groups) if name in TIMED]
    for n in timed:
        others = {(*key[:n], None, *key[n + 1 :]) for key in by_group} or (
            {(None,)} if len(groups) == 1 else set()
        )
        for other in others:
            for each in buckets(groups[n], *span, zone):
                by_group.setdefault((*other[:n], each, *other[n + 1 :]), [])
    total = {name: measure(name, rows, grain) for name in measures if not name.startswith("share:")}
    shares = {
        name: measure(name.removeprefix("share:"), rows, grain) for name in measures if name not in total
    }
    result = {
        key: {name: measure(name, found, grain) for name in total}
        | {
            name: measure(name.removeprefix("share:"), found, grain) / whole if whole else None
            for name, whole in shares.items()
        }
        for key, found in by_group.items()
    }
    for name in measures:
        if name.startswith("running:"):
            n = timed[0]
            order = {each: place for place, each in enumerate(buckets(groups[n], *span, zone))}
            sums: dict[Any, int] = {}
            for key in sorted(result, key=lambda key: order[key[n]]):
                other = (*key[:n], *key[n + 1 :])
                sums[other] = result[key][name] = sums.get(other, 0) + result[key][name]
    return result, total | {name: 1.0 if whole else None for name, whole in shares.items()}


TIMED = ("hour", "day", "week", "month", "weekday", "hour_of_day", "hour_of_week")


def _value(row: Row, name: str, zone: str) -> Any:
    return bucket(name, row["at_ms"], zone) if name in TIMED else row[name]


def second(text: str) -> int:
    """Return the instant of a UTC time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())
