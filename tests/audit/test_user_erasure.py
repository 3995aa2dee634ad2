"""Erasure of a user: no text of theirs is left, figures stay, and the audit log still verifies."""

from __future__ import annotations

import json
from pathlib import Path

import peewee
import pytest
from flask.testing import FlaskClient

from dashboard.access import identities
from dashboard.access.oidc import Proof
from dashboard.access.permissions import Permission
from dashboard.access.sign_in_settings import SignIn
from dashboard.audit import record as audit
from dashboard.audit import user_erasure, verify
from dashboard.audit.verify import Fault, Kind
from dashboard.db import database, dialect
from dashboard.jobs import worker
from dashboard.models import (
    ALL,
    Activity,
    AuditEntry,
    AuditRedaction,
    ErasedLogin,
    Interval,
    Notification,
    SavedQuery,
    User,
)
from tests import make
from tests.audit.test_chain import REFUSED
from tests.pages import trail

pytestmark = pytest.mark.both_databases

LOGIN, NAME, EMAIL, PHONE = "zofiekuc", "Žofie Kučerová", "zofie.kucerova@example.org", "+420 777 123 456"
BEFORE = "Žofie Malá"  # the name before the last change
SUBJECT = "8f14e45f-ceea-467f-a0e6"  # at a sign-in provider
TRACES = (
    LOGIN,
    NAME,
    NAME.upper(),
    "Kučerov",
    EMAIL,
    PHONE,
    "420777123456",
    BEFORE,
    "192.0.2.77",
    r"\u017dofie",
    SUBJECT,
)


@pytest.fixture
def user(client: FlaskClient) -> User:
    """A user with a day of work, whose texts stand wherever they can."""
    trail.store(
        trail.stay("08:00", "16:00", LOGIN),
        trail.pause("lunch", "12:00", "12:30", LOGIN),
        trail.work("call", "c1", "09:00", "09:05", LOGIN, queue="support"),
        trail.work("email", "m1", "10:00", "10:05", LOGIN),
        trail.ordinary("petr"),
        trail.event("custom.survey", "13:00", "petr", agent=NAME, by=LOGIN, mail=EMAIL, number=420777123456),
    )
    found: User = User.get(User.login == LOGIN)
    User.update(name=NAME, email=EMAIL, phone=PHONE, title="Agent").where(User.id == found.id).execute()
    found = User.get_by_id(found.id)
    admin = make.administrator()
    make.sign_in(client, admin)
    client.get(f"/tracing?user={LOGIN}&date={trail.DAY}")
    client.get(f"/tracing.csv?user={LOGIN}&date={trail.DAY}")
    found.access = make.access([Permission.HOME_VIEW])
    found.save()
    make.sign_in(client, found)
    client.get("/users", environ_base={"REMOTE_ADDR": "192.0.2.77"})
    with database.atomic():
        audit.record("user.updated", "u", audit.user_target(found), {"name": (BEFORE, NAME)})
        audit.record(
            "list.viewed", "r", ("list", "x", f"{NAME} ({LOGIN})"), details={"user": f"petr, {LOGIN}"}
        )
    proof = Proof("https://id.example.org", {"sub": SUBJECT, "preferred_username": LOGIN}, "")
    identities.of_proof(SignIn(links_logins=True, access=found.access_id), proof)
    SavedQuery.create(
        user=admin,
        name=f"Day of {NAME}",
        source="activities",
        query=f"user={LOGIN}",
        created_ts=0,
        updated_ts=0,
    )
    Notification.create(
        user_id=admin.id, title=f"{NAME.upper()} is late", body=f"{EMAIL} · {PHONE}", made_ms=1
    )
    make.sign_in(client, admin)
    return found


def erase(client: FlaskClient, user: User) -> None:
    """Deactivate and erase by the pages, and do the work."""
    assert client.post(f"/users/{user.id}/erase").status_code == 422
    assert client.post(f"/users/{user.id}/deactivate").status_code == 302
    assert client.post(f"/users/{user.id}/erase").status_code == 302
    worker.drain()


def stored() -> str:
    tables = [model._meta.table_name for model in ALL]
    rows = [str(row) for name in tables for row in database.execute_sql(f'SELECT * FROM "{name}"').fetchall()]
    return "\n".join(rows)


def figures() -> list[tuple[object, ...]]:
    a, i = Activity, Interval
    work = a.select(a.id, a.user_id, a.start_ts, a.handling_s, a.talk_s, a.state).order_by(a.id)
    return [*work.tuples(), *i.select(i.id, i.user_id, i.kind, i.start_ts, i.end_ts).order_by(i.id).tuples()]


def test_no_text_of_an_erased_user_is_left_and_figures_and_proof_stay(
    client: FlaskClient, user: User, db_url: str
) -> None:
    before = stored()
    assert {trace for trace in TRACES if trace not in before} <= {r"\u017dofie", "420777123456"}
    shown, links = figures(), [row.hash for row in AuditEntry.select().order_by(AuditEntry.seq)]
    head = verify.walk().last
    erase(client, user)
    after = stored()
    assert [trace for trace in TRACES if trace in after] == []
    assert figures()[: len(shown)] == shown
    row = User.get_by_id(user.id)
    assert (row.login, row.name, row.email, row.access_id) == (
        f"erased-{user.id}",
        f"erased-{user.id}",
        "",
        None,
    )
    found = verify.walk([head])
    assert (found.fault, found.seals) == (None, 1)
    assert found.redacted == AuditRedaction.select().count() > 3
    assert [entry.hash for entry in AuditEntry.select().order_by(AuditEntry.seq)][: len(links)] == links
    if dialect.is_sqlite():
        for statement in ("PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
            database.execute_sql(statement)
        content = Path(db_url.removeprefix("sqlite:///")).read_bytes()
        assert [trace for trace in TRACES if trace.encode() in content] == []
    number = User.select().count()
    trail.store(trail.work("call", "late", "17:00", "17:05", LOGIN))
    assert (User.select().count(), ErasedLogin.get().user_id) == (number, user.id)
    assert Activity.select().where(Activity.user_id == user.id).count() == 3
    user_erasure.erase(user.id)  # once more changes nothing
    assert verify.walk().redacted == found.redacted


def test_only_texts_of_named_entries_can_be_changed_and_others_show(client: FlaskClient, user: User) -> None:
    erase(client, user)
    entry = AuditRedaction.select().order_by(AuditRedaction.entry_id).first().entry_id
    seq = AuditEntry.get_by_id(entry).seq
    other = (
        AuditEntry.select()
        .where(AuditEntry.id.not_in(AuditRedaction.select(AuditRedaction.entry_id)))
        .first()
    )
    for statement in (
        f"UPDATE audit_entry SET actor_label = 'x' WHERE id = {other.id}",
        f"UPDATE audit_entry SET occurred_ms = 1 WHERE id = {entry}",
        f"UPDATE audit_entry SET hash = 'x' WHERE id = {entry}",
        "UPDATE audit_redaction SET made_ms = 1",
        "DELETE FROM audit_redaction",
    ):
        with pytest.raises(peewee.DatabaseError, match=REFUSED), database.atomic():
            database.execute_sql(statement)
    database.execute_sql(f"UPDATE audit_entry SET target_label = 'x' WHERE id = {entry}")
    assert verify.walk().fault == Fault(seq, Kind.CONTENT)


def test_a_user_name_is_not_given_again_and_no_name_stops_an_erasure(client: FlaskClient, user: User) -> None:
    trail.store(trail.ordinary(f"erased-{user.id}"))  # a source names somebody so
    erase(client, user)
    row = User.get_by_id(user.id)
    assert (row.name, row.email) == (f"erased-{user.id}", "")
    assert row.login.startswith(f"erased-{user.id}-")
    user_erasure.erase(user.id)
    assert User.get_by_id(user.id).login == row.login
    again = client.post("/users/new", data={"login": LOGIN, "name": "Other"})
    assert again.status_code == 422
    assert "erased user" in again.text
    command = ["user", "add", LOGIN, "--access", make.access().name, "--password-stdin"]
    done = client.application.test_cli_runner().invoke(args=command, input="correct horse battery")
    assert (done.exit_code, "erased user" in done.output) == (1, True), done.output
    assert not User.select().where(User.login == LOGIN).exists()
    assert verify.walk().fault is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("jana", "erased-7"),
        ("Jana", "Jana"),
        ("jana.mala", "jana.mala"),
        ("ask jana", "ask jana"),
        ("Board (jana)", "Board (erased-7)"),
        ("petr, jana, eva", "petr, erased-7, eva"),
        ("stopa-tracing-jana-2026-03-02.csv", "stopa-tracing-erased-7-2026-03-02.csv"),
        ("/tracing?user=jana&unit=day", "/tracing?user=erased-7&unit=day"),
        (json.dumps({"user": "jana", "kind": "janab"}), json.dumps({"user": "erased-7", "kind": "janab"})),
    ],
)
def test_where_a_user_name_is_replaced(value: str, expected: str) -> None:
    person = user_erasure.Person(7, 0, "jana", "erased-7", frozenset(), frozenset())
    replace = user_erasure.erasure.replacer(person, person.texts, [user_erasure._pattern("jana")])
    assert replace(value) == expected


def test_every_table_with_texts_is_searched_or_named() -> None:
    named = {*user_erasure.walked(), *user_erasure.OWN_WAY}
    assert {model for model in ALL if user_erasure.erasure.texts_of(model)} <= named
    assert set(user_erasure.OF_SITE) <= set(user_erasure.walked())
