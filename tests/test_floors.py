"""The rules of ARCHITECTURE.md that a tool can keep: where imports point, and how long things are."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dashboard.settings import ROOT

MODULE_LINES, FUNCTION_LINES, TEMPLATE_LINES = 330, 50, 300  # "about" 300, 40 and 250
PACKAGE_MODULES = 28
TEMPLATE_WIDTH = 160  # djlint aims at 120 and leaves longer what it can't divide
LONG_MODULES = {
    "dashboard/db/migrations/0001_trail.py": "frozen: the tables as they were",
    "dashboard/db/migrations/0002_rules.py": "frozen: the tables as they were",
    "dashboard/rulelang/operators.py": "one table, a row for each operator",
}
LINT = Path(sys.executable).with_name("lint-imports")


def lint(folder: Path) -> tuple[int, str]:
    done = subprocess.run([LINT, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_every_import_points_down() -> None:
    status, said = lint(ROOT)
    assert status == 0, said


# A module, a line that it may not have, and what is said of it.
BREACHES = [
    ("models/people.py", "from dashboard.access import scope", "models.people -> dashboard.access.scope"),
    ("clock.py", "from dashboard import intervals", "clock -> dashboard.intervals"),
    ("access/scope.py", "from dashboard.web import page", "access.scope -> dashboard.web.page"),
    ("events/record.py", "from dashboard.ingest import schema", "events.record -> dashboard.ingest.schema"),
    ("unheardof/__init__.py", "", "unheardof"),
    ("tracing/fold.py", "import peewee", "tracing.fold -> peewee"),
    (
        "pages/signin/views.py",
        "from dashboard.pages.tracing import views",
        "pages.signin.views -> dashboard.pages.tracing.views",
    ),
]


@pytest.fixture(scope="module")
def breached(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, str]:
    """What is said of a copy of the code that has all the breaches."""
    folder = tmp_path_factory.mktemp("breached")
    shutil.copytree(ROOT / "dashboard", folder / "dashboard", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    for file, line, _said in BREACHES:
        path = folder / "dashboard" / file
        path.parent.mkdir(exist_ok=True)
        with path.open("a") as module:
            module.write(f"\n{line}\n")
    return lint(folder)


@pytest.mark.parametrize("said", [said for _file, _line, said in BREACHES])
def test_violations_are_detected(breached: tuple[int, str], said: str) -> None:
    assert breached[0] == 1
    assert f"- dashboard.{said}" in breached[1].replace("-   dashboard", "- dashboard")


def sources(*folders: str, suffix: str = ".py") -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob(f"*{suffix}"))]


def test_modules_are_short() -> None:
    lines = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in sources("dashboard", "tests")
    }
    assert {name: n for name, n in lines.items() if n > MODULE_LINES and name not in LONG_MODULES} == {}
    assert [name for name in LONG_MODULES if lines[name] <= MODULE_LINES] == []


def test_templates_are_short() -> None:
    long = {
        str(path): lines
        for path in sources("templates", suffix=".html")
        if (lines := len(path.read_text().splitlines())) > TEMPLATE_LINES
    }
    assert long == {}


def test_templates_are_narrow() -> None:
    wide = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sources("templates", suffix=".html")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > TEMPLATE_WIDTH
    ]
    assert wide == []


def test_functions_are_short() -> None:
    long = []
    for path in sources("dashboard"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                lines = node.end_lineno - node.lineno + 1
                if lines > FUNCTION_LINES:
                    long.append((str(path), node.name, lines))
    assert long == []


def test_packages_have_few_modules() -> None:
    found = {path.parent for path in ROOT.glob("dashboard/**/*.py")} - {ROOT / "dashboard/db/migrations"}
    sizes = {str(each.relative_to(ROOT)): len(list(each.glob("*.py"))) for each in found}
    assert {name: size for name, size in sizes.items() if size > PACKAGE_MODULES} == {}
