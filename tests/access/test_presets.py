"""The preset accesses: made once, left as an administrator changed them, and each no more than its name."""

from __future__ import annotations

import peewee
import pytest

from dashboard.access import presets
from dashboard.access.permissions import PRESETS, Permission
from dashboard.models import Access, AccessGrant

pytestmark = pytest.mark.both_databases


def test_built_in_roles_are_created_once_and_keep_changes(db: peewee.Database) -> None:
    presets.make()
    made = {row.name: row for row in Access.select()}
    assert set(made) == {preset.name for preset in PRESETS}
    assert all(row.is_system for row in made.values())
    Access.update(permissions=["home.view"]).where(Access.name == "Agent").execute()
    AccessGrant.delete().where(AccessGrant.access == made["Payroll"]).execute()
    presets.make()
    assert Access.get(Access.name == "Agent").permissions == ["home.view"]
    assert made["Payroll"].grants.count() == 0
    assert Access.select().count() == len(PRESETS)


def test_administrator_has_all_permissions_except_personal_content() -> None:
    by_name = {preset.name: preset for preset in PRESETS}
    assert set(Permission) - by_name["Administrator"].permissions == {
        Permission.PII_UNMASK,
        Permission.COBROWSE_VALUES,
    }


def test_no_other_built_in_role_edits_or_unmasks() -> None:
    for preset in PRESETS:
        if preset.name != "Administrator":
            assert [
                p for p in preset.permissions if p.value.endswith(".edit") or p is Permission.PII_UNMASK
            ] == []


def test_agent_and_auditor_cannot_trace_other_users() -> None:
    for preset in PRESETS:
        if preset.name in ("Agent", "Auditor"):
            assert Permission.TRACING_VIEW not in preset.permissions
            assert preset.grants == ()
