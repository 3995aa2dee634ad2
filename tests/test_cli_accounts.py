"""The commands of users and keys that exist: lists, passwords, locks, deactivation, revocation."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from dataclasses import replace

import pytest
import time_machine
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access import keys, passwords, presets, sessions, throttle
from dashboard.db import database
from dashboard.jobs import heartbeat
from dashboard.models import Access, AccessGrant, ApiKey, AuditEntry, Event, Session, User, UserIdentity
from dashboard.settings import SETTINGS
from tests import make
from tests.pages.asks import audited
from tests.pages.door import PASSWORD, enter

pytestmark = pytest.mark.both_databases

Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask) -> Run:
    def runner(*words: str, given: str = "") -> Result:
        done = app.test_cli_runner().invoke(args=list(words), input=given)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    return runner


@pytest.fixture
def jana(app: Flask) -> User:
    presets.make()
    return make.user("jana", access=Access.get(Access.name == "Agent"), password=PASSWORD, name="Jana Nová")


def test_users_are_listed_with_state(run: Run, jana: User) -> None:
    make.administrator("boss", PASSWORD)
    make.user("gone", access=jana.access, password=PASSWORD, deactivated_ts=1)
    make.user("new", access=jana.access, last_sign_in_ts=1_772_000_000)
    linked = make.user("linked", access=jana.access)
    UserIdentity.create(issuer="https://id.example.org", subject="s1", user=linked, created_ts=1)
    make.user("petr")
    for _ in range(5):
        throttle.attempt(throttle.by_stranger("jana", "192.0.2.1"))
    lines = [line.split() for line in run("user", "list").stdout.splitlines()]
    assert [line[0] for line in lines] == ["LOGIN", "boss", "gone", "jana", "linked", "new"]
    assert [" ".join(line[-2:]) for line in lines[1:3]] == ["active never", "deactivated never"]
    assert " ".join(lines[3]) == "jana Jana Nová Agent locked for 15 min never"
    assert " ".join(lines[4]) == "linked Linked Agent active never"
    assert " ".join(lines[5]) == "new New Agent cannot sign in 2026-02-25T06:13:20+00:00"
    assert "petr" in run("user", "list", "--all").stdout


def test_a_new_password_opens_a_locked_account_and_ends_its_sessions(
    run: Run, client: FlaskClient, jana: User
) -> None:
    enter(client)
    for _ in range(5):
        throttle.attempt(throttle.by_stranger("jana", "192.0.2.1"))
    done = run("user", "password", "jana", "--password-stdin", given="battery staple\n")
    assert (done.exit_code, done.stderr) == (0, "")
    assert not Session.select().exists()
    assert enter(client, password="battery staple").status_code == 302
    assert audited("user.updated").changes == {"password": ["•••", "•••"]}
    assert "battery staple" not in str(list(AuditEntry.select().dicts())) + done.output


def test_unlocking_lets_the_right_password_in(run: Run, client: FlaskClient, jana: User) -> None:
    for _ in range(5):
        assert enter(client, password="wrong").status_code == 422
    assert enter(client).status_code == 429
    assert run("user", "unlock", "jana").stdout == "Unlocked jana; failed attempts forgotten: 5.\n"
    assert enter(client).status_code == 302
    audited("user.unlocked")


def test_deactivation_ends_sessions_and_presence_once(run: Run, client: FlaskClient, jana: User) -> None:
    sessions.start(jana, "")
    assert run("user", "deactivate", "jana").stdout == "Deactivated jana.\n"
    assert User.get_by_id(jana.id).deactivated_ts is not None
    assert not Session.select().exists()
    assert Event.get(Event.type == "agent.signed_out").user_id == jana.id
    assert enter(client).status_code == 422
    again = run("user", "deactivate", "jana")
    assert (again.exit_code, "already deactivated" in again.stderr) == (1, True)
    audited("user.deactivated")


def test_the_last_administrator_stays(run: Run, app: Flask) -> None:
    make.administrator("boss", PASSWORD)
    done = run("user", "deactivate", "boss")
    assert (done.exit_code, "At least one user must keep permission" in done.stderr) == (1, True)
    assert User.get().deactivated_ts is None
    make.administrator("second", PASSWORD)
    assert run("user", "deactivate", "boss").exit_code == 0


@pytest.mark.parametrize(
    ("words", "given", "said"),
    [
        (("password", "nobody"), "", "Unknown user 'nobody'. `flask user list --all` shows all users."),
        (("unlock", "nobody"), "", "Unknown user 'nobody'."),
        (("deactivate", "nobody"), "", "Unknown user 'nobody'."),
        (("password", "jana", "--password-stdin"), "short\n", "Use at least 8 characters."),
        (("password", "jana", "--password-stdin"), "Jana2026\n", "too easy to guess"),
        (("password", "traced", "--password-stdin"), "", "'traced' has no role. Run `flask user add traced"),
    ],
)
def test_what_cannot_be_done_is_said(
    run: Run, jana: User, words: tuple[str, ...], given: str, said: str
) -> None:
    make.user("traced")
    done = run("user", *words, given=given)
    assert (done.exit_code, said in done.stderr) == (1, True), done.stderr
    assert passwords.check(PASSWORD, User.get_by_id(jana.id).password_hash)
    assert not AuditEntry.select().exists()


def test_keys_are_listed_without_their_values(run: Run, jana: User) -> None:
    plain = keys.make("Brno PBX", "pbx", "ingest")
    keys.make("Wall", "wall", "read", maker_id=jana.id)
    run("key", "revoke", "Wall")
    listed = run("key", "list").stdout
    assert listed.splitlines()[1].split() == [
        *(plain[:12], "ingest", "pbx", "Brno", "PBX", "command", "line", "active", "never", "never")
    ]
    assert ("Wall" in listed, plain in listed) == (False, False)
    (wall,) = [line.split() for line in run("key", "list", "--all").stdout.splitlines() if "Wall" in line]
    assert wall[1:] == ["read", "wall", "Wall", "jana", "revoked", "never", "never"]


def test_a_key_is_revoked_by_name_or_by_its_start_where_names_are_shared(run: Run, app: Flask) -> None:
    first, second = (keys.make("a", source, "ingest") for source in ("pbx", "crm"))
    done = run("key", "revoke", "a")
    assert (done.exit_code, first[:12] in done.stderr, second[:12] in done.stderr) == (1, True, True)
    assert run("key", "revoke", second[:12]).stdout == f"Revoked a ({second[:12]}…).\n"
    assert (keys.find(first) is None, keys.find(second) is None) == (False, True)
    assert run("key", "revoke", "a").exit_code == 0
    assert run("key", "revoke", "a").exit_code == 1
    assert ApiKey.select().where(ApiKey.revoked_ts.is_null()).count() == 0


@time_machine.travel(1_772_000_000, tick=False)
def test_keys_end_after_days_or_with_a_day_of_the_site(run: Run, app: Flask) -> None:
    app.config["STOPA"] = replace(app.config["STOPA"], timezone="Europe/Prague")
    for given, ends_ts in (
        ("30", 1_772_000_000 + 30 * 86_400),
        ("2026-02-25", 1_772_060_400),  # today, to its midnight in Prague
        ("2026-02-24", None),
        ("0", None),
        ("soon", None),
    ):
        done = run("key", "add", given, "--source", "pbx", "--expires", given)
        assert (done.exit_code == 0) == (ends_ts is not None), given
        row = ApiKey.get_or_none(ApiKey.name == given)
        assert (row and row.expires_ts) == ends_ts
    (row,) = (each for each in json.loads(run("key", "list", "--json").stdout) if each["name"] == "30")
    assert (row["state"], row["expires"]) == ("active", "2026-03-27T07:13:20+01:00")
    with time_machine.travel(1_772_060_400):
        assert "expired" in run("key", "list").stdout


def test_lists_are_printed_as_json(run: Run, jana: User) -> None:
    keys.make("pbx", "pbx", "ingest")
    (user,) = json.loads(run("user", "list", "--json").stdout)
    assert user == {
        "login": "jana",
        "name": "Jana Nová",
        "role": "Agent",
        "state": "active",
        "last_signed_in": "never",
    }
    (key,) = json.loads(run("key", "list", "--json").stdout)
    assert (key["source"], key["made_by"], key["state"]) == ("pbx", "command line", "active")
    assert {"kind": "live", "presence": "recorded", "name": "pbx"} in json.loads(
        run("source", "list", "--json").stdout
    )
    roles = {row["name"]: row for row in json.loads(run("access", "list", "--json").stdout)}
    assert (roles["Agent"]["users"], roles["Administrator"]["users"]) == ("1", "0")


def test_a_role_is_shown_with_rights_and_scope(run: Run, jana: User) -> None:
    queue, agent = make.queue("Support"), Access.get(Access.name == "Agent")
    lines = run("access", "show", "Agent").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["may"] * len(agent.permissions) + ["sees"]
    assert lines[-1].split() == ["sees", "own", "data"]
    AccessGrant.create(access=agent, kind="users", ref_id=jana.id)
    AccessGrant.create(access=agent, kind="queues", ref_id=queue.id)
    AccessGrant.create(access=agent, kind="all_users")
    lines = run("access", "show", "Agent").stdout.splitlines()
    assert [line.split() for line in lines[-3:]] == [
        ["sees", "all_users"],
        ["sees", "queues", "Support"],
        ["sees", "users", "jana"],
    ]
    assert "Unknown role 'Nobody'" in run("access", "show", "Nobody").stderr


def test_the_check_of_the_configuration_names_what_does_not_work(run: Run, app: Flask) -> None:
    done = run("config", "check")
    assert (done.exit_code, done.stderr) == (1, "Worker: none is alive. Run `bin/serve` or `flask worker`.\n")
    heartbeat.mark(0)
    done = run("config", "check", "--json")
    assert (done.exit_code, done.stderr) == (0, "Database, worker and mail server answer.\n")
    assert [row["name"] for row in json.loads(done.stdout)] == [setting.name for setting in SETTINGS]
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    app.config["STOPA"] = replace(app.config["STOPA"], smtp_url=f"smtp://127.0.0.1:{port}")
    database.execute_sql("DELETE FROM schema_migration")
    done = run("config", "check")
    assert (done.exit_code, [line.partition(":")[0] for line in done.stderr.splitlines()]) == (
        1,
        ["Database", "Mail server"],
    )
