"""Saved queries: who finds them, who changes them, and what their text holds."""

from __future__ import annotations

import pytest
from flask import Flask

from dashboard.access import scope as scopes
from dashboard.access.granting import RefusedError
from dashboard.access.permissions import Permission
from dashboard.access.scope import Scope
from dashboard.models import AuditEntry, SavedQuery, User
from dashboard.reports import library
from dashboard.reports.library import Draft, Origin, Sharing
from tests import make

pytestmark = pytest.mark.both_databases

P = Permission
DRAFT = Draft("Calls", "Of the week", "interactions", {"group": ["queue"], "measures": ["count"]})


def reader(*permissions: P, role: object = None) -> Scope:
    access = role or make.access([P.QUEUES_FIGURES, *permissions], ["all_users", "all_queues"])
    return scopes.of_user(make.user(access=access))


def references(viewer: Scope, **chosen: object) -> list[tuple[str, Origin]]:
    found = library.readable(viewer, **chosen)
    return [(each.name, each.origin) for each in found if each.origin is not Origin.READY]


def test_query_is_stored_in_the_order_of_names_without_empty_values_and_without_a_place_in_a_list() -> None:
    given = {"queue": ["b", "a"], "after": ["x"], "columns": [""], "group": ["day"]}
    text = library.canonical(given)
    assert text == "group=day&queue=b&queue=a"
    assert library.parameters(text) == {"group": ["day"], "queue": ["b", "a"]}


def test_a_query_is_read_by_its_owner_by_a_role_or_by_all(app: Flask) -> None:
    role = make.access([P.QUEUES_FIGURES], ["all_queues"])
    owner, mate, other = reader(P.REPORTS_SHARE), reader(role=role), reader()
    for shared in Sharing:
        draft = DRAFT._replace(name=shared.value, shared=shared, access_id=role.id)
        library.save(owner, draft)
    assert references(owner) == [(each, Origin.MINE) for each in ("access", "all", "private")]
    assert references(mate) == [("access", Origin.SHARED), ("all", Origin.SHARED)]
    assert references(other) == [("all", Origin.SHARED)]
    private = SavedQuery.get(SavedQuery.name == "private")
    assert library.find(owner, str(private.id)) is not None
    assert library.find(other, str(private.id)) is None


def test_views_of_lists_are_apart_from_reports(app: Flask) -> None:
    owner = reader()
    library.save(owner, DRAFT._replace(name="List", on_list=True))
    library.save(owner, DRAFT)
    assert references(owner) == [("Calls", Origin.MINE)]
    assert references(owner, on_list=True, source="interactions") == [("List", Origin.MINE)]
    assert references(owner, on_list=True, source="activities") == []


def test_a_query_of_a_source_that_the_reader_may_not_see_is_not_found(app: Flask) -> None:
    owner = reader(P.REPORTS_SHARE)
    row = library.save(owner, DRAFT._replace(shared=Sharing.ALL))
    stranger = reader(role=make.access([P.TRACING_VIEW]))
    assert library.find(stranger, str(row.id)) is None
    assert library.find(stranger, "calls-by-queue") is None
    assert library.find(stranger, "team-overview") is not None
    assert library.find(owner, "team-overview") is None


@pytest.mark.parametrize("reference", ["", "0", "-1", "9" * 30, "²", "calls", "1 or 1=1", "../1"])
def test_an_unknown_reference_finds_nothing(app: Flask, reference: str) -> None:
    assert library.find(reader(), reference) is None


def test_sharing_needs_its_right(app: Flask) -> None:
    owner = reader()
    with pytest.raises(RefusedError):
        library.save(owner, DRAFT._replace(shared=Sharing.ALL))
    assert not SavedQuery.select().exists()


def test_only_the_owner_changes_and_deletes_a_query_and_a_stale_version_changes_nothing(app: Flask) -> None:
    owner, other = reader(P.REPORTS_SHARE), reader(P.REPORTS_SHARE)
    row = library.save(owner, DRAFT._replace(shared=Sharing.ALL))
    mine, theirs = (library.find(each, str(row.id)) for each in (owner, other))
    assert mine is not None
    assert theirs is not None
    assert not library.update(other, theirs, DRAFT, 1)
    assert not library.delete(other, theirs)
    assert library.update(owner, mine, DRAFT._replace(name="Queues"), 1)
    assert not library.update(owner, mine, DRAFT._replace(name="Late"), 1)
    assert SavedQuery.get_by_id(row.id).name == "Queues"
    assert library.delete(owner, mine)
    assert not library.delete(owner, mine)


def test_a_copy_is_private_and_the_readers_own(app: Flask) -> None:
    owner, other = reader(P.REPORTS_SHARE), reader()
    row = library.save(owner, DRAFT._replace(shared=Sharing.ALL))
    found = library.find(other, str(row.id))
    assert found is not None
    made = library.copy(other, found)
    assert (made.user_id, made.query, made.shared) == (other.viewer_id, row.query, "private")
    assert references(other) == [("Calls", Origin.SHARED), ("Copy of Calls", Origin.MINE)]


def test_saving_sharing_and_deleting_leave_audit_entries(app: Flask) -> None:
    owner = reader(P.REPORTS_SHARE)
    row = library.save(owner, DRAFT)
    found = library.find(owner, str(row.id))
    assert found is not None
    library.update(owner, found, DRAFT._replace(shared=Sharing.ALL), 1)
    library.delete(owner, found)
    entries = AuditEntry.select().order_by(AuditEntry.id)
    assert [(each.action, each.target_label) for each in entries] == [
        ("report.created", "Calls"),
        ("report.updated", "Calls"),
        ("report.deleted", "Calls"),
    ]
    assert entries[1].changes == {"shared": ["private", "all"]}
    assert User.select().exists()
