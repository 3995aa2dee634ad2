"""The rules of ARCHITECTURE.md that a tool can keep: where imports point, and how long things are."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dashboard.settings import ROOT

MODULE_LINES, FUNCTION_LINES, TEMPLATE_LINES = 330, 50, 165  # "about" 300, 40 and 150
LINT = Path(sys.executable).with_name("lint-imports")


def lint(folder: Path) -> tuple[int, str]:
    done = subprocess.run([LINT, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "dashboard", tmp_path / "dashboard", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_import_points_down() -> None:
    status, said = lint(ROOT)
    assert status == 0, said


BREACHES = [
    ("models/people.py", "from dashboard.access import scope", "Imports point down"),
    ("clock.py", "from dashboard import intervals, models", "Imports point down"),
    ("access/scope.py", "from dashboard.web import page", "Imports point down"),
    ("events/record.py", "from dashboard.ingest import schema", "Imports point down"),
    ("unheardof/__init__.py", "", "Imports point down"),
    ("tracing/fold.py", "import peewee", "Pure modules"),
    ("pages/signin/views.py", "from dashboard.pages.tracing import views", "A page never imports a page"),
]


@pytest.mark.parametrize(("file", "line", "contract"), BREACHES)
def test_a_breach_is_caught(copy: Path, file: str, line: str, contract: str) -> None:
    path = copy / "dashboard" / file
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as module:
        module.write(f"\n{line}\n")
    status, said = lint(copy)
    assert status == 1
    assert f"{contract} BROKEN" in said.replace(" know neither Flask nor tables", "")


def sources(*folders: str, suffix: str = ".py") -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob(f"*{suffix}"))]


def test_a_module_can_be_read_in_one_sitting() -> None:
    long = {
        str(path): lines
        for path in sources("dashboard", "tests")
        if (lines := len(path.read_text().splitlines())) > MODULE_LINES
    }
    assert long == {}


def test_a_template_can_be_read_in_one_sitting() -> None:
    long = {
        str(path): lines
        for path in sources("templates", suffix=".html")
        if (lines := len(path.read_text().splitlines())) > TEMPLATE_LINES
    }
    assert long == {}


def test_a_function_fits_a_screen() -> None:
    long = []
    for path in sources("dashboard"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                lines = node.end_lineno - node.lineno + 1
                if lines > FUNCTION_LINES:
                    long.append((str(path), node.name, lines))
    assert long == []
