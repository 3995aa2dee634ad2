"""The action that appends to a log file: one JSON line a delivery, rotated, never outside of its folder."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from dashboard.jobs import worker
from dashboard.models import Rule, Run, Step
from dashboard.notify import log_file
from dashboard.notify.result import ResultKind
from dashboard.rulelang import schema
from dashboard.rulelang.outcomes import StepState
from dashboard.rulelang.schema import Definition
from tests.notify import steps
from tests.rules.engine import event, rule, take

APPEND = {"do": "log_file", "file": "escalations", "text": "Sale of {{ event.time }}"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(log_file, "FOLDER", tmp_path / "logs")
    return tmp_path / "logs"


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.usefixtures("app")
def test_a_run_appends_one_line_with_its_rule_and_event(folder: Path) -> None:
    one = rule([APPEND])
    assert take(event()) == [(one.id, "waiting")]
    assert worker.drain() == 1
    step = Step.get()
    assert (step.state, step.recipient, step.error) == (StepState.DONE, "escalations.log", "")
    assert Run.get_by_id(step.run_id).outcome == "done"
    (line,) = lines(folder / "escalations.log")
    assert (line["id"], line["run"], line["type"]) == (step.key, step.run_id, "rule.matched")
    assert line["rule"] == {"id": one.id, "name": Rule.get().name}
    assert line["event"]["type"] == "custom.sale"
    assert line["text"].startswith("Sale of ")
    assert "{{" not in line["text"]


@pytest.mark.usefixtures("app")
def test_a_repeated_delivery_appends_the_same_id_again(folder: Path) -> None:
    step = steps.step("log_file", payload={"file": "a", "text": "x"})
    assert worker.drain() == 1
    Step.update(state=StepState.WAITING).where(Step.id == step.id).execute()
    assert worker.drain() == 1
    assert [line["id"] for line in lines(folder / "a.log")] == [step.key, step.key]


@pytest.mark.usefixtures("app")
def test_a_folder_that_cannot_be_written_is_tried_again(folder: Path) -> None:
    folder.write_text("a file in its place", encoding="utf-8")
    step = steps.step("log_file", payload={"file": "a", "text": "x"})
    worker.drain()
    again = steps.again(step)
    assert (again.state, again.attempts, again.error) == (StepState.WAITING, 1, log_file.NOT_WRITTEN)
    assert again.due_ms > step.due_ms


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a.log", ".a", "A", "é", "a\n", "a" * 41, "-a"])
def test_a_name_that_could_leave_the_folder_is_refused(name: str, folder: Path) -> None:
    assert log_file.append(name, {}).how is ResultKind.NEVER
    assert not folder.exists()
    found = schema.parse({"types": ["custom.sale"], "then": [{**APPEND, "file": name}]}, None)
    assert not isinstance(found, Definition)
    assert list(found) == ["then.0.file"]


def test_a_name_of_letters_digits_and_hyphens_is_accepted() -> None:
    found = schema.parse({"types": ["custom.sale"], "then": [{**APPEND, "file": "sla-2_b"}]}, None)
    assert isinstance(found, Definition)
    assert found.then[0].params["file"] == "sla-2_b"


def test_a_line_break_in_a_value_stays_within_the_line(folder: Path) -> None:
    log_file.append("a", {"text": "one\ntwo\u2028three"})
    assert (folder / "a.log").read_bytes().count(b"\n") == 1


def test_a_full_file_is_rotated_and_the_oldest_is_dropped(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_file, "MAX_BYTES", 200)
    for n in range(60):
        assert log_file.append("a", {"n": n, "text": "x" * 40}).how is ResultKind.DONE
    files = sorted(path.name for path in folder.glob("a.log*"))
    assert files == ["a.log", "a.log.1", "a.log.2", "a.log.3"]
    assert all((folder / name).stat().st_size <= 200 for name in files)
    newest = [line["n"] for name in reversed(files) for line in lines(folder / name)]
    assert newest == list(range(newest[0], 60))


def test_no_more_than_so_many_files_are_made(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "MAX_FILES", 2)
    found = [log_file.append(name, {}).how for name in ("a", "b", "c", "a")]
    assert found == [ResultKind.DONE, ResultKind.DONE, ResultKind.NEVER, ResultKind.DONE]
    assert sorted(path.name for path in folder.glob("*.log")) == ["a.log", "b.log"]


def test_lines_of_many_threads_are_whole_and_none_is_lost(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_file, "MAX_BYTES", 4_000)
    monkeypatch.setattr(log_file, "KEPT", 50)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: log_file.append("a", {"n": n, "text": "x" * 50}), range(400)))
    found = [line["n"] for path in folder.glob("a.log*") for line in lines(path)]
    assert sorted(found) == list(range(400))
