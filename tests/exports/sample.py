"""A report with a column of each kind, and the texts that exports must survive."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from dashboard.exports.table import Column, Kind, Report, Row, Sheet

DATA = Path(__file__).parents[2].parent / "shared" / "data"
COLUMNS = (
    Column("contact", "Kontakt", width=30),
    Column("start", "Začátek", Kind.TIME),
    Column("length", "Doba trvání", Kind.DURATION, 10),
    Column("closed", "Uzavřené", Kind.INT, 8),
    Column("share", "Podíl", Kind.PERCENT, 8),
    Column("day", "Den", Kind.DATE, 10),
)
NIGHT = 1_793_491_200  # 2026-11-01 00:00 UTC, 01:00 in Prague


def row(text: str | None, start: int | None = NIGHT, length: int | None = 3725) -> Row:
    return (text, start, length, -5, 0.863, date(2026, 11, 1))


def report(*rows: Row, locale: str = "cs", **changes: object) -> Report:
    sheet = Sheet("Seznam aktivit", COLUMNS, rows, **changes)  # type: ignore[arg-type]
    return Report(
        title="Trasování uživatelů",
        subtitle="Petra Nováková · 1. 11. 2026 · Europe/Prague",
        meta=(("Uživatel", "Petra Nováková"), ("Období", "1. 11. 2026")),
        sheets=(sheet,),
        locale=locale,
        zone="Europe/Prague",
    )


def hostile() -> list[str]:
    """Return every trigger, payload and naughty string of the shared data; skips where it is absent."""
    if not DATA.is_dir():
        pytest.skip("the shared data is absent")
    triggers = json.loads((DATA / "formula_injection" / "owasp_triggers.json").read_text("utf-8"))
    payloads = (DATA / "formula_injection" / "csv-payload.txt").read_text("utf-8").splitlines()
    naughty = json.loads((DATA / "naughty_strings" / "blns.json").read_text("utf-8"))
    begun = [f"{mark}1+1" for mark in triggers["first_characters"]]
    inside = [f"a{mark}=1+1" for mark in (",", ";", '"', "\n", "\r\n")]
    return [*begun, *inside, *triggers["harmless_but_similar"], *payloads, *naughty]
