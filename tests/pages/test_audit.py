"""The pages of the audit log: lists, an entry with what changed and its proof, files, who may read them."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard.access import keys
from dashboard.access.permissions import Permission
from dashboard.audit import nightly, record
from dashboard.db import database
from dashboard.jobs import worker
from dashboard.models import AuditEntry, Event, Job, Setting, User
from tests import make
from tests.pages import asks, trail
from tests.pages.html import Page
from tests.pages.test_tracing_hostile import hostile, needs_shared

P = Permission
LANGUAGES = {
    "en": ("Audit log", "What changed", "Done"),
    "cs": ("Auditní log", "Změny", "Hotovo"),
    "ja": ("監査ログ", "変更点", "完了"),
}


@pytest.fixture(autouse=True)
def evening() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(trail.at("20:00"), tick=False) as traveller:
        yield traveller


@pytest.fixture
def admin(client: FlaskClient) -> User:
    user = make.administrator()
    make.sign_in(client, user)
    return user


def speak(user: User, language: str) -> None:
    User.update(locale=language).where(User.id == user.id).execute()


def granted(permissions: tuple[list[str], list[str]] = (["home.view"], ["home.view", "audit.view"])) -> int:
    """Record a change of a role and return the id of its entry."""
    with database.atomic():
        record.record("access.updated", "u", ("access", 3, "Team lead"), {"permissions": permissions})
    return int(AuditEntry.select().order_by(AuditEntry.id.desc()).get().id)


def test_rare_filters_are_folded_until_one_is_used(client: FlaskClient, admin: User) -> None:
    for query in ("", "?interface=web", "?outcome=success"):
        page = client.get(f"/audit{query}").text
        opened = '<details class="more rare" open>' in page
        assert opened == ("interface" in query), query
        assert page.count('<select name="interface"') == 1, query


@pytest.mark.parametrize("language", LANGUAGES)
def test_entry_shows_what_changed_in_the_readers_language(
    client: FlaskClient, admin: User, language: str
) -> None:
    speak(admin, language)
    ident = granted()
    title, changed, outcome = LANGUAGES[language]
    page = client.get(f"/audit/{ident}").text
    for text in (title, changed, outcome):
        assert text in page
    assert "<del>" not in page  # nothing was taken away
    (added,) = re.findall("<ins>([^<]*)</ins>", page)
    assert added == title


def test_entries_of_the_same_request_and_target_lead_to_each_other(client: FlaskClient, admin: User) -> None:
    for number in (1, 2):
        client.post("/pauses/new", data={"name": f"p{number}", "label": f"Pause {number}", "minutes": "5"})
    row = AuditEntry.get(AuditEntry.target_label == "Pause 1")
    client.post(
        f"/pauses/{row.target_id}", data={"name": "p1", "label": "Siesta", "minutes": "5", "version": 1}
    )
    page = Page(client.get(f"/audit/{row.id}").text)
    later = AuditEntry.get(AuditEntry.action == "pause_type.updated")
    assert f"/audit/{later.id}" in page.links()
    link = next(each for each in page.links() if "target_id=" in each)
    assert client.get(link).text.count('<th scope="row"') == 2


def test_bulk_act_is_a_batch_that_lists_its_rows(client: FlaskClient, admin: User) -> None:
    from tests.rules import engine

    rules = [engine.rule(), engine.rule()]
    client.post("/rules/bulk", data={"op": "off", "id": [rule.id for rule in rules], "tab": "system"})
    found = client.get("/audit/batches.json?columns=act,rows,request").json["rows"]
    assert [(row["act"], row["rows"]) for row in found] == [("rule.switched", "2")]
    batch = AuditEntry.get(AuditEntry.action == "batch.run")
    same = AuditEntry.select().where(AuditEntry.request_id == batch.request_id)
    links = Page(client.get(f"/audit/{batch.id}").text).links()
    assert {f"/audit/{row.id}" for row in same} <= set(links)
    assert same.count() == 3


def test_reading_the_log_is_in_the_log(client: FlaskClient, admin: User) -> None:
    ident = granted()
    for _ in range(2):
        for url in ("/audit", "/audit/access", f"/audit/{ident}"):
            assert client.get(url).status_code == 200
    looks = AuditEntry.select().where(AuditEntry.action == "audit.viewed").order_by(AuditEntry.id)
    assert [(row.target_id, row.details) for row in looks] == [
        ("", {"tab": "index"}),
        ("", {"tab": "access"}),
        (str(ident), {}),
    ]
    client.get("/audit.csv")
    assert asks.audited("audit.exported").details["rows"] >= 4


def test_details_of_a_view_have_the_labels_of_its_page(client: FlaskClient, admin: User) -> None:
    client.get("/tracing?user=admin&date=2026-03-02&from=10:00&to=11:00")
    entry = AuditEntry.get(AuditEntry.action == "tracing.viewed")
    text = Page(client.get(f"/audit/{entry.id}").text).text
    for fact in ("PeriodDay", "Date2026-03-02", "Hours10:00–11:00"):
        assert fact in text, fact


def test_access_log_lists_looks_and_files_alone(client: FlaskClient, admin: User) -> None:
    trail.store(trail.ordinary())
    client.get(f"/tracing?user=jana&date={trail.DAY}")
    client.get(f"/tracing.csv?user=jana&date={trail.DAY}")
    granted()
    actions = [row["action"] for row in client.get("/audit/access.json").json["rows"]]
    assert {"tracing.viewed", "tracing.exported"} <= set(actions)
    assert "access.updated" not in actions
    assert client.get("/audit?tab=access").headers["Location"] == "/audit/access"


@pytest.mark.parametrize("path", ["/audit", "/audit/activity", "/audit/batches", "/audit/access", "/audit/1"])
def test_who_may_read(client: FlaskClient, path: str) -> None:
    granted()
    asks.refuses_strangers(client, path)
    asks.sign_in_with(client, P.AUDIT_VIEW, grants=())
    assert client.get(path).status_code == 200
    assert client.post(path).status_code == 405


@pytest.mark.parametrize("format_", ["csv", "xlsx", "pdf", "json"])
def test_files_have_a_right_of_their_own(client: FlaskClient, format_: str) -> None:
    granted()
    asks.sign_in_with(client, P.AUDIT_VIEW, P.TRACING_EXPORT_DATA, P.TRACING_EXPORT_PDF, grants=())
    assert client.get(f"/audit.{format_}").status_code == 403
    asks.sign_in_with(client, P.AUDIT_VIEW, P.AUDIT_EXPORT, grants=())
    assert client.get(f"/audit.{format_}").status_code == 200


def test_entries_are_seen_whomever_they_are_about_but_activity_is_scoped(client: FlaskClient) -> None:
    trail.store([trail.event("agent.ready", "09:00", "jana")])
    with database.atomic():
        record.record("user.updated", "u", ("user", User.get().id, "jana"))
    asks.sign_in_with(client, P.AUDIT_VIEW, P.AUDIT_EXPORT, grants=())
    assert "user.updated" in str(client.get("/audit.json").json["rows"])
    assert client.get("/audit.json?user=jana").status_code == 200
    assert client.get("/audit/activity.json").json["rows"] == []


@pytest.mark.parametrize("ident", ["0", "99999999", "9" * 30])
def test_unknown_entry_is_404(client: FlaskClient, admin: User, ident: str) -> None:
    assert client.get(f"/audit/{ident}").status_code == 404


def test_proof_and_alarm(client: FlaskClient, admin: User) -> None:
    ident = granted()
    page = client.get(f"/audit/{ident}").text
    assert "In the chain; to be verified next night" in page
    assert "Not verified yet" in client.get("/audit").text
    worker.queue.enqueue(nightly.KIND, {}, key=nightly.KIND)
    worker.drain([nightly.KIND])
    assert "In the chain; verified" in client.get(f"/audit/{ident}").text
    assert re.search(r"Verified to entry \d", client.get("/audit").text)
    assert "changed below Stopa" not in client.get("/").text
    broken = nightly.Proof(0, 9, 4, "content", "")
    Setting.update(value=json.dumps(broken._asdict())).where(Setting.name == nightly.PROOF).execute()
    for url in ("/", "/audit"):
        assert "The audit log was changed below Stopa. Entry 4: the entry is not as it was written." in (
            client.get(url).text
        )
    asks.sign_in_with(client, P.HOME_VIEW)
    assert "changed below Stopa" not in client.get("/").text


def test_verification_starts_on_demand_and_tells_what_is_not_proved(client: FlaskClient) -> None:
    granted()
    assert "/sign-in" in client.post("/audit/verify").headers["Location"]
    assert client.get("/audit/verify").status_code == 405
    asks.sign_in_with(client, P.AUDIT_VIEW, grants=())
    assert client.post("/audit/verify").status_code == 403
    assert "Verify now" not in client.get("/audit").text
    asks.sign_in_with(client, P.AUDIT_VIEW, P.AUDIT_VERIFY, grants=())
    assert "Verify now" in client.get("/audit").text
    for _ in range(2):
        assert client.post("/audit/verify").location == "/audit"
    assert Job.select().where(Job.kind == nightly.KIND).count() == 1
    worker.drain([nightly.KIND])
    assert AuditEntry.select().where(AuditEntry.action == "audit.verification_started").count() == 2
    page = client.get("/audit").text
    assert re.search(r"Verified to entry \d", page)
    assert "before the chain" not in page
    stored = nightly.proof()
    assert stored
    old = json.dumps(stored._replace(before=1200)._asdict())
    Setting.update(value=old).where(Setting.name == nightly.PROOF).execute()
    assert "1200 entries from before the chain are not proved." in client.get("/audit").text
    Setting.update(value=old.replace(', "before": 1200', "")).where(Setting.name == nightly.PROOF).execute()
    assert client.get("/audit").status_code == 200  # what a version before this one stored


def test_users_acted_on_are_listed_with_their_ids(client: FlaskClient, admin: User) -> None:
    with database.atomic():
        record.record("user.updated", "u", ("user", admin.id, "Jana"))
        record.record("user.updated", "u", ("team", 3, "Brno"))
    rows = client.get("/audit.json?columns=target&area=change").json["rows"]
    assert [row["target"] for row in rows] == ["Brno", f"Jana #{admin.id}"]


@needs_shared
def test_hostile_strings_run_nowhere(client: FlaskClient, admin: User) -> None:
    texts = hostile()
    with database.atomic():
        for text in texts:
            target = ("thing", text, text)
            record.record(
                "test.done", "u", target, {text: (text, [text])}, {text: text}, actor=("key", 1, text)
            )
    for url in ("/audit", "/audit?columns=changes,details,actor,target"):
        _is_harmless(client.get(url).text)
    for entry in AuditEntry.select().where(AuditEntry.action == "test.done").limit(60):
        answer = client.get(f"/audit/{entry.id}")
        assert answer.status_code == 200
        _is_harmless(answer.text)
    data = client.get("/audit.csv?columns=changes,details,actor,target,target_id").data.decode("utf-8-sig")
    for line in csv.reader(io.StringIO(data, newline="")):
        for cell in line:
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")), cell
    assert client.get("/audit.xlsx?columns=changes,details,actor,target").status_code == 200


def _is_harmless(text: str) -> None:
    page = Page(text)
    assert {one.tag for one in page.elements} & {"iframe", "object", "embed", "audio", "math"} == set()
    for one in page.elements:
        assert [name for name in one.attributes if name.startswith("on")] == []
        assert not one.attributes.get("href", "").lower().lstrip().startswith(("javascript:", "data:"))
        if one.tag == "script":
            assert one.attributes["src"].startswith("/static/")


@pytest.mark.parametrize("path", ["/events", "/interactions/user-events"])
def test_looks_at_lists_of_people_are_recorded(client: FlaskClient, admin: User, path: str) -> None:
    trail.store(trail.ordinary())
    for _ in range(2):
        client.get(path)
        client.get(f"{path}?user=jana")
    found = AuditEntry.select().where(AuditEntry.action == "list.viewed").order_by(AuditEntry.id)
    assert [row.details.get("user") for row in found] == [None, "jana"]
    assert not Event.select().where(Event.type == "list.viewed").exists()
    assert len(client.get("/audit/access.json?action=list.viewed").json["rows"]) == 2


def test_events_that_a_key_reads_are_recorded_once_an_hour(client: FlaskClient, admin: User) -> None:
    bearer = {"Authorization": f"Bearer {keys.make('reader', 'pbx', 'read', maker_id=admin.id)}"}
    for _ in range(3):
        assert client.get("/api/v1/events?user=admin", headers=bearer).status_code == 200
    entry = asks.audited("list.viewed")
    assert (entry.actor_type, entry.interface, entry.details) == ("key", "api", {"user": "admin"})
