"""Whatever is in a file, its lines and records are all accounted for, and what is good in it is stored."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboard.ingest import files, importer
from dashboard.ingest.csv_options import CsvOptions, TableMap
from dashboard.ingest.schema import NewEvent
from dashboard.ingest.tally import Tally
from dashboard.models import Event


class Format(NamedTuple):
    """A format of files: how a good record with a name is written, and how lines that may be broken are."""

    kind: str
    good: Callable[[str], str]
    broken: Sequence[str]
    header: str = ""
    table: TableMap | None = None


TIME, SECONDS = "2026-03-02 09:00:00", 1772442000
DUMP = "time,callid,queuename,agent,event,data1,data2,data3,data4,data5"
TABLE = "time,type,interaction,x"
TEXTS = ["x", "\0", "\x7f|", "|||||", "{", '{"type": 1}', "[]", "null", "NaN", "\ufeff", "\u2028", "x" * 200]
QUOTES = ['"', '"x', 'x,"', f'{TIME},custom.x,"z', f'{TIME},custom.x,z,"', 'a"b,c', '"a"b,c,d', '""', '"""']
ANY = [*TEXTS, *QUOTES, ",,,", ',,"']
FORMATS = {
    "JSON lines": Format(
        "jsonl",
        lambda name: json.dumps({"type": "custom.x", "time": "2026-03-02T09:00:00Z", "interaction": name}),
        ANY,
    ),
    "queue_log": Format("queue_log", lambda name: f"{SECONDS}|{name}|q|A|CONNECT|1", ANY),
    "dump of queue_log": Format("queue_log", lambda name: f'{TIME},{name},q,A,CONNECT,"1",,,,', ANY, DUMP),
    "CSV": Format("csv", lambda name: f'{TIME},custom.x,{name},"a, ""b"""', ANY, TABLE),
    "CSV without quotes but unclosed ones": Format(
        "csv", lambda name: f"{TIME},custom.x,{name},", [*TEXTS, f'{TIME},custom.x,z,"'], TABLE
    ),
    "CSV with cells over lines": Format(
        "csv", lambda name: f'{TIME},custom.x,{name},"a\n\nb, ""c"', TEXTS, TABLE
    ),
    "CSV of one column": Format(
        "csv", lambda name: TIME, ANY, "time", CsvOptions(("type==custom.x",)).table()
    ),
}
every_format = pytest.mark.parametrize("form", FORMATS.values(), ids=list(FORMATS))


def pieces(form: Format) -> st.SearchStrategy[list[tuple[bool, bytes]]]:
    """Return lists of parts of a file: whether each is a good record, else its bytes."""
    junk = st.one_of(
        st.sampled_from(["", "  ", "\r", *form.broken]).map(str.encode),
        st.binary(max_size=12).map(lambda data: data.replace(b"\n", b"")),
        st.sampled_from([b"\xff", b"\xe9\xe8", b"\x81\xad", b"\xc3\xa9"]),
    )
    return st.lists(st.one_of(st.just((True, b"")), st.tuples(st.just(False), junk)), max_size=25)


def written(path: Path, form: Format, parts: list[tuple[bool, bytes]], packed: bool) -> tuple[list[str], int]:
    """Write a file; return the names of its good records, and the number of its lines."""
    names: list[str] = []
    content = [form.header.encode()] if form.header else []
    for good, junk in parts:
        if good:
            names.append(f"n{len(names)}")
            content.append(form.good(names[-1]).encode())
        else:
            content.append(junk)
    whole = b"".join(each + b"\n" for each in content)
    path.write_bytes(gzip.compress(whole) if packed else whole)
    return names, whole.count(b"\n")


@every_format
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_line_is_accounted_for_and_every_good_record_is_read(
    tmp_path: Path, form: Format, data: st.DataObject
) -> None:
    path, tally = tmp_path / "file", Tally()
    names, lines = written(path, form, data.draw(pieces(form)), data.draw(st.booleans()))
    items = list(files.read(path, form.kind, "UTC", form.table, tally=tally))
    assert tally.lines == lines
    assert tally.lines == tally.header + tally.blank + tally.records + tally.continued
    assert tally.records == len(items)
    assert [item.line for item in items] == sorted({item.line for item in items})
    found = [item.value.interaction for item in items if isinstance(item.value, NewEvent)]
    if form.table is not None:
        assert len(found) >= len(names)
    else:
        assert {(name or "").removesuffix("/q") for name in found} >= set(names)


@every_format
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_is_read_is_stored_repeated_or_refused(
    db: object, tmp_path: Path, form: Format, data: st.DataObject
) -> None:
    Event.delete().execute()
    path = tmp_path / "file"
    names, lines = written(path, form, data.draw(pieces(form)), packed=False)
    for again in (False, True):
        found = importer.run(path, form.kind, "file", "UTC", form.table, lambda _at: None)
        assert found.read == found.stored + found.repeated + found.refused
        assert found.read + found.tally.blank + found.tally.header + found.tally.continued == lines
        assert (
            (found.stored, found.repeated >= len(names)) == (0, True) if again else found.stored >= len(names)
        )
    assert Event.select().where(Event.type.startswith("c")).count() == found.repeated
