"""The lock files, from which bin/serve and bin/test install, keep to the lists of requirements."""

from __future__ import annotations

import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from dashboard.settings import ROOT

PIN = re.compile(
    r"^([\w.-]+)==(\S+)((?: ;.*)?) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)
LISTS = {
    ".ci/requirements.lock": ("requirements.txt",),
    ".ci/requirements-test.lock": ("requirements.txt", "tests/requirements.txt"),
}
every_lock = pytest.mark.parametrize("lock", LISTS)


def pins(lock: str) -> dict[str, str]:
    return {canonicalize_name(match[1]): match[2] for match in PIN.finditer((ROOT / lock).read_text())}


@every_lock
def test_requirements_are_locked_at_matching_versions(lock: str) -> None:
    locked = pins(lock)
    lines = [line for name in LISTS[lock] for line in (ROOT / name).read_text().splitlines()]
    required = [Requirement(line) for line in lines if not line.startswith("-r ")]
    wrong = [str(one) for one in required if not one.specifier.contains(locked[canonicalize_name(one.name)])]
    assert wrong == [], "bin/test reads the lock files: run .ci/lock"


@every_lock
def test_lock_files_contain_only_versions_with_hashes(lock: str) -> None:
    """No address of an index and no path of a machine."""
    rest = PIN.sub("", (ROOT / lock).read_text())
    assert [line for line in rest.splitlines() if not line.startswith("#")] == []


def test_server_and_tests_use_the_same_versions() -> None:
    served, tested = (pins(lock) for lock in LISTS)
    assert served.items() <= tested.items()
    assert "pytest" in tested.keys() - served.keys()
