"""Exports beside the plain way of the same library, as ratios of processor time in one run.

    python tests/bench/exports.py [--rows 20000] [--pdf-rows 1000] [--long-pdf 2000] [--repeat 3]

Goals: Excel at most 1.1 of a bare XlsxWriter loop over the same cells, and 20 MB more for 50 times
the rows; a PDF at most 0.5 of one naive table, and at most 11 times that for ten times the rows.
Each case runs in a process of its own, so that peaks of memory are its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from dashboard.exports import pdf, xlsx
from dashboard.exports.table import Cell, Column, Kind, Report, Sheet

COLUMNS = (
    Column("type", "Type", width=8),
    Column("state", "State", width=9),
    Column("contact", "Contact", width=20),
    Column("queue", "Queue", width=12),
    Column("start", "Start", Kind.TIME),
    Column("end", "End", Kind.TIME),
    Column("duration", "Duration", Kind.DURATION, 8),
    Column("inside", "In period", Kind.DURATION, 8),
    Column("talk", "Talk", Kind.DURATION, 8),
    Column("hold", "Hold", Kind.DURATION, 8),
    Column("flags", "Flags", width=8),
)
START = 1_763_533_902


def activities(count: int) -> Iterator[tuple[Cell, ...]]:
    """Yield rows as the list of activities has them."""
    for n in range(count):
        begin, length = START + 37 * n, 60 + n % 900
        yield (
            "Call",
            "Closed",
            f"Žaneta Křížová {n}",
            "Support CZ",
            begin,
            begin + length,
            length,
            length,
            n % 400,
            0,
            "",
        )


def report(count: int) -> Report:
    return Report(
        "User tracing", "Petra Nováková", (), (Sheet("List", COLUMNS, activities(count)),), "en", "UTC"
    )


def xlsx_ours(count: int, target: Path) -> None:
    xlsx.write(report(count), target)


def xlsx_bare(count: int, target: Path) -> None:
    """The same cells, seconds and offsets included, by write_row."""
    import xlsxwriter

    book = xlsxwriter.Workbook(str(target), {"constant_memory": True})
    sheet = book.add_worksheet()
    for line, (*texts, begin, end, full, inside, talk, hold, flags) in enumerate(activities(count), 1):
        times = (begin / 86400 + 25569, "+00:00", end / 86400 + 25569, "+00:00")
        lengths = [part for length in (full, inside, talk, hold) for part in (length / 86400, length)]
        sheet.write_row(line, 0, (*texts, *times, *lengths, flags))
    book.close()


def xlsx_values(count: int, target: Path) -> None:
    """Only the eleven values of a row, without seconds and offsets, by write_row."""
    import xlsxwriter

    book = xlsxwriter.Workbook(str(target), {"constant_memory": True})
    sheet = book.add_worksheet()
    for line, row in enumerate(activities(count), 1):
        sheet.write_row(line, 0, row)
    book.close()


def pdf_ours(count: int, target: Path) -> None:
    pdf.write(report(count), target)


def pdf_naive(count: int, target: Path) -> None:
    """One table in one document with the usual style sheet, the same texts in it."""
    import weasyprint

    from dashboard.exports.pdf_table import show

    writers = [show(column.kind, "UTC") for column in COLUMNS]
    body = "".join(
        "<tr>"
        + "".join(f"<td>{write(cell)}</td>" for write, cell in zip(writers, row, strict=True))
        + "</tr>"
        for row in activities(count)
    )
    style = (
        "@page{size:A4 landscape;margin:1cm}body{font:8pt 'BIZ UDPGothic',sans-serif}"
        "table{border-collapse:collapse;width:100%}td{border-bottom:1px solid #ccc}"
    )
    weasyprint.HTML(string=f"<style>{style}</style><table>{body}</table>").write_pdf(target)


CASES = {case.__name__: case for case in (xlsx_ours, xlsx_bare, xlsx_values, pdf_ours, pdf_naive)}


def run(name: str, count: int) -> tuple[float, float]:
    """Return processor seconds and peak megabytes of one case in a process of its own."""
    command = [sys.executable, __file__, "--case", name, "--count", str(count)]
    seconds, megabytes = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return seconds, megabytes


def rows(sizes: argparse.Namespace) -> list[tuple[str, float, str]]:
    """Return each measure as (what, ratio or megabytes, goal)."""
    small = max(sizes.rows // 50, 1)
    times: dict[tuple[str, int], list[tuple[float, float]]] = {}
    cases = [
        *((name, sizes.rows) for name in ("xlsx_ours", "xlsx_bare", "xlsx_values")),
        ("xlsx_ours", small),
        *((name, sizes.pdf_rows) for name in ("pdf_ours", "pdf_naive")),
        ("pdf_ours", sizes.long_pdf),
    ]
    for _turn in range(sizes.repeat):
        for case in cases:
            times.setdefault(case, []).append(run(*case))
    cpu = {case: statistics.median(seconds for seconds, _peak in got) for case, got in times.items()}
    peak = {case: max(megabytes for _seconds, megabytes in got) for case, got in times.items()}
    ours, longer = ("pdf_ours", sizes.pdf_rows), ("pdf_ours", sizes.long_pdf)
    big = ("xlsx_ours", sizes.rows)
    linear = sizes.long_pdf / sizes.pdf_rows
    return [
        ("A9 Excel / bare loop over the same cells", cpu[big] / cpu["xlsx_bare", sizes.rows], "≤ 1.1"),
        ("A9 Excel / bare loop over the values alone", cpu[big] / cpu["xlsx_values", sizes.rows], "told"),
        (f"A9 MB more for {sizes.rows} rows than for {small}", peak[big] - peak["xlsx_ours", small], "≤ 20"),
        ("A10 PDF / one naive table", cpu[ours] / cpu["pdf_naive", sizes.pdf_rows], "≤ 0.5"),
        (f"A10 PDF, {linear:g} times the rows", cpu[longer] / cpu[ours], f"≤ {1.1 * linear:.1f}"),
        (f"A10 MB for {sizes.long_pdf} rows", peak[longer], "≤ 250"),
    ]


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--rows", type=int, default=20_000)
    made.add_argument("--pdf-rows", type=int, default=1_000)
    made.add_argument("--long-pdf", type=int, default=2_000)
    made.add_argument("--repeat", type=int, default=3)
    made.add_argument("--case", choices=sorted(CASES), help=argparse.SUPPRESS)
    made.add_argument("--count", type=int, help=argparse.SUPPRESS)
    return made


def main() -> None:
    asked = parser().parse_args()
    if asked.case:
        with tempfile.TemporaryDirectory() as folder:
            begun = time.process_time()
            CASES[asked.case](asked.count, Path(folder) / "file")
            spent = time.process_time() - begun
        print(json.dumps([spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
        return
    for what, value, goal in rows(asked):
        print(f"{what:52s} {value:8.2f}   {goal}")


if __name__ == "__main__":
    main()
