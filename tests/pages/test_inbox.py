"""The viewer's notifications: never another's, read, snoozed and muted, and counted in the menu."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import time_machine
from flask.testing import FlaskClient

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.db import keyset
from dashboard.models import Notification, Rule, RuleMute, User
from dashboard.pages.inbox import queries
from dashboard.pages.inbox.commands import snoozed_until
from tests import make
from tests.pages import asks, trail
from tests.pages.html import Page

pytestmark = pytest.mark.dated

NOON = "2026-03-04 12:00"  # a Wednesday
HOUR_MS = 3_600_000


@pytest.fixture(autouse=True)
def noon() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(trail.at(NOON), tick=False) as traveller:
        yield traveller


@pytest.fixture
def me(client: FlaskClient) -> User:
    user: User = make.user("me", access=make.access(), timezone="Europe/Prague")
    make.sign_in(client, user)
    return user


def notice(user: User, title: str = "Chat waits", **fields: object) -> Notification:
    made = fields.get("made_ms", clock.now_ms())
    return Notification.create(
        **{"user_id": user.id, "title": title, "made_ms": made, "at_ms": made, **fields}
    )


def rule(name: str = "Long waits") -> Rule:
    moment = clock.now_s()
    return Rule.create(name=name, definition={}, created_ts=moment, updated_ts=moment)


def do(client: FlaskClient, verb: str, *rows: Notification, **more: object) -> str:
    data = {"do": verb, "id": [str(row.id) for row in rows], **more}
    answer = client.post("/inbox", data=data)
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


def is_new(row: Notification) -> bool:
    found = queries.notice(row.user_id, row.id)
    assert found is not None
    return found.is_new(clock.now_ms())


def menu_count(page: str) -> str:
    """Return what the menu shows beside Notifications: the number, or nothing where it is hidden."""
    tag, _, rest = page.partition('<span id="news" class="count hot"')[2].partition(">")
    return "" if " hidden" in tag else rest.partition("<")[0]


def test_notices_stand_under_their_days_newest_first(client: FlaskClient, me: User) -> None:
    day = 24 * HOUR_MS
    for age, title in ((3 * day, "Older one"), (day, "Day before"), (0, "Just now")):
        notice(me, title, made_ms=clock.now_ms() - age)
    page = client.get("/inbox").text
    places = [
        page.index(f">{text}<")
        for text in ("Today", "Just now", "Yesterday", "Day before", "Sun 1 Mar 2026", "Older one")
    ]
    assert places == sorted(places)
    asks.fragment_is_block(client, "/inbox")


def test_counts_end_at_a_bound(client: FlaskClient, me: User) -> None:
    for number, shown in ((99, "99"), (1, "99+"), (30, "99+")):
        Notification.insert_many(
            [{"user_id": me.id, "title": "Chat waits", "made_ms": clock.now_ms()}] * number
        ).execute()
        page = client.get("/inbox").text
        assert menu_count(page) == shown
        assert queries.counts(me.id, clock.now_ms())["new"] == min(100, Notification.select().count())
    assert client.get("/inbox/count?seen=100").status_code == 204


def test_views_hold_what_they_say_with_their_counts(client: FlaskClient, me: User) -> None:
    notice(me, "Fresh")
    notice(me, "Known", read_ms=1)
    notice(me, "Later", snoozed_ms=clock.now_ms() + HOUR_MS)
    notice(me, "Awake again", snoozed_ms=clock.now_ms())
    inside = {"all": {"Fresh", "Known", "Awake again"}, "new": {"Fresh", "Awake again"}, "snoozed": {"Later"}}
    everything = set.union(*inside.values())
    for view, titles in inside.items():
        page = client.get(f"/inbox?view={view}").text
        assert {title for title in everything if f">{title}<" in page} == titles, view
    assert queries.counts(me.id, clock.now_ms()) == {"all": 3, "new": 2, "snoozed": 1}


def test_a_long_list_goes_on_from_the_last_row(client: FlaskClient, me: User) -> None:
    for n in range(queries.SIZE + 2):
        notice(me, f"Notice {n:03}")
    first = client.get("/inbox").text
    assert "Notice 002" in first
    assert "Notice 001" not in first
    way = Page(first).link(rel="next")
    assert way
    older = client.get(way).text
    assert "Notice 001" in older
    assert "Notice 002" not in older
    assert client.get("/inbox?before=x&view=y").status_code == 200


@pytest.mark.both_databases
def test_notices_of_a_rule_are_grouped_by_the_hour_of_their_event(client: FlaskClient, me: User) -> None:
    """Catch-ups stand at the times of their events; counts are of the view; a group opens."""
    gave, other = rule("A caller gave up"), rule("Other")
    now = clock.now_ms()
    times = [now - HOUR_MS + minute * 60_000 for minute in range(59)]
    first, second, *rest = (notice(me, f"Call {n}", rule_id=gave.id, at_ms=at) for n, at in enumerate(times))
    notice(make.user("other"), rule_id=gave.id, at_ms=times[0])
    notice(me, "Alone", rule_id=other.id, at_ms=times[3])
    yesterday = notice(me, "Call of the day before", rule_id=gave.id, at_ms=now - 25 * HOUR_MS)
    key = f"{gave.id}-{times[0] // 60_000}"
    swapped = ((rest[0], {"at_ms": rest[9].at_ms}), (rest[9], {"at_ms": rest[0].at_ms}))
    for row, change in (*swapped, (first, {"read_ms": 1}), (second, {"snoozed_ms": now + HOUR_MS})):
        Notification.update(**change).where(Notification.id == row.id).execute()
    for view, number in (("all", 58), ("new", 57), ("snoozed", 1)):
        page = Page(client.get(f"/inbox?view={view}").text)
        assert (f"A caller gave up\xa0·\xa0{number}" in page.text) == (number > 1), view
        opened = client.get(f"/inbox?view={view}&group={key}").text
        older = Page(opened).link(rel="next")
        parts = [Page(each) for each in ([opened, client.get(older).text] if older else [opened])]
        ids = [int(each.attributes["value"]) for part in parts for each in part.having(name="id")]
        assert (len(ids), ids) == (number, sorted(ids, key=lambda one: -Notification.get_by_id(one).at_ms))
    said = " ".join(" ".join(Page(client.get("/inbox").text).texts).split())
    assert re.search("Today .*11:00–11:58 A caller.*Yesterday .*11:00 Call of", said)
    assert "notified at 12:00" in said
    assert "Alone" in said
    asks.fragment_is_block(client, f"/inbox?group={key}")
    User.update(timezone="Asia/Kolkata").where(User.id == me.id).execute()
    page = Page(client.get("/inbox").text)
    said = " ".join(" ".join(page.texts).split())
    for each in ("16:00–16:28 A caller gave up · 29", "15:30–15:59 A caller gave up · 29"):
        assert each in said
    starts = [times[30] // 60_000, times[0] // 60_000 - 30]
    shown = [each.attributes["value"] for each in page.having(name="id")]
    assert shown[:2] == [f"{gave.id}-{start}" for start in starts]
    User.update(timezone="").where(User.id == me.id).execute()
    assert do(client, "read", view="new", id=[key]) == "/inbox"
    assert not is_new(rest[0])
    assert is_new(yesterday)
    assert Notification.get_by_id(second.id).snoozed_ms is not None
    for address in ("group=x", f"group={key}-1", "group=1-999999999", "before=1.x", "before=99999999999.5"):
        assert client.get(f"/inbox?{address}").status_code == 200


def test_a_page_reads_a_bounded_number_of_notifications(
    client: FlaskClient, me: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages that end early lead to every group once, and none is split."""
    monkeypatch.setattr(keyset, "LOOKED_THROUGH", 7)
    rules = [rule(f"Rule {n}").id for n in range(3)]
    for n in range(60):
        notice(me, rule_id=rules[n % 3], at_ms=clock.now_ms() - n * 11 * 60_000, read_ms=n % 4 or None)
    for view in ("all", "new"):
        seen, before = [], None
        while True:
            found, before = queries.groups(me.id, view, before, clock.now_ms(), "Asia/Kolkata")
            seen += found
            if before is None:
                break
        assert sum(each.number for each in seen) == queries.counts(me.id, clock.now_ms())[view]
        assert len({each.key for each in seen}) == len(seen)
        assert [each.last_ts for each in seen] == sorted((each.last_ts for each in seen), reverse=True)


def test_opening_marks_as_read_and_leads_to_what_it_is_about(client: FlaskClient, me: User) -> None:
    there, here, away = notice(me, url="/tracing?user=jana"), notice(me), notice(me, url="//evil.example")
    for row, target in ((there, there.url), (here, f"/inbox/{here.id}"), (away, f"/inbox/{away.id}")):
        answer = client.post(f"/inbox/{row.id}/open")
        assert (answer.status_code, answer.headers["Location"]) == (302, target)
        assert not is_new(row)
    assert ">Open the day</button>" in client.get(f"/inbox/{there.id}").text


def test_the_rule_run_is_one_click_behind_for_who_may_see_it(client: FlaskClient) -> None:
    me = asks.sign_in_with(client, Permission.RULES_OWN)
    mine, site = rule("Mine"), rule("Site")
    Rule.update(owner_id=me.id).where(Rule.id == mine.id).execute()
    for of, opens in ((mine, True), (site, False)):
        page = client.get(f"/inbox/{notice(me, rule_id=of.id, run_id=7).id}").text
        assert ('href="/runs/7">Open the rule run</a>' in page) == opens, of.name


def test_reading_one_leaves_the_others_new(client: FlaskClient, me: User) -> None:
    first, second = notice(me), notice(me)
    assert menu_count(client.get("/inbox").text) == "2"
    assert do(client, "read", first, next="/inbox?view=new") == "/inbox?view=new"
    assert (is_new(first), is_new(second)) == (False, True)
    assert menu_count(client.get("/account").text) == "1"
    do(client, "unread", first)
    assert is_new(first)


def test_reading_all_spares_what_is_snoozed(client: FlaskClient, me: User) -> None:
    fresh, later = notice(me), notice(me, snoozed_ms=clock.now_ms() + HOUR_MS)
    do(client, "read_all")
    assert not is_new(fresh)
    assert Notification.get_by_id(later.id).read_ms is None
    assert menu_count(client.get("/inbox").text) == ""


def test_a_snoozed_notice_is_new_again_when_its_time_comes(
    client: FlaskClient, me: User, noon: time_machine.Traveller
) -> None:
    row = notice(me, read_ms=1)
    do(client, "hour", row)
    assert not is_new(row)
    assert menu_count(client.get("/inbox").text) == ""
    noon.shift(3600)
    assert is_new(row)
    assert menu_count(client.get("/inbox").text) == "1"


SNOOZES = [
    ("hour", NOON, "2026-03-04 13:00"),
    ("tomorrow", NOON, "2026-03-05 08:00"),
    ("tomorrow", "2026-03-04 00:10", "2026-03-05 08:00"),
    ("monday", NOON, "2026-03-09 08:00"),
    ("monday", "2026-03-09 07:00", "2026-03-16 08:00"),
    ("tomorrow", "2026-03-28 20:00", "2026-03-29 08:00"),
]


@pytest.mark.parametrize(("until", "now", "wanted"), SNOOZES)
def test_a_snooze_ends_by_the_readers_clock(until: str, now: str, wanted: str) -> None:
    assert snoozed_until(until, trail.at(now), "Europe/Prague") == trail.at(wanted)


def test_a_rule_is_muted_and_heard_again_for_oneself(client: FlaskClient, me: User) -> None:
    muted = rule()
    row = notice(me, rule_id=muted.id)
    for _ in range(2):
        do(client, "mute", row, notice(me))
    assert [(one.rule_id, one.user_id) for one in RuleMute.select()] == [(muted.id, me.id)]
    assert asks.audited("rule.muted").target_label == "Long waits"
    assert "Muted for you" in client.get(f"/inbox/{row.id}").text
    assert "Long waits" in client.get("/inbox/profiles").text
    for status in (302, 404):
        assert client.post(f"/inbox/mutes/{muted.id}/delete").status_code == status
    assert not RuleMute.select().exists()
    asks.audited("rule.unmuted")


def test_a_notice_outlives_its_rule(client: FlaskClient, me: User) -> None:
    gone = rule()
    row = notice(me, rule_id=gone.id)
    gone.delete_instance()
    do(client, "mute", row)
    assert not RuleMute.select().exists()
    assert client.get(f"/inbox/{row.id}").status_code == 200


def test_nobody_sees_or_changes_the_notices_of_others(client: FlaskClient, me: User) -> None:
    theirs = notice(make.user("other"), "Secret of another", rule_id=rule().id)
    assert "Secret of another" not in client.get("/inbox").text
    assert client.get(f"/inbox/{theirs.id}").status_code == 404
    assert client.post(f"/inbox/{theirs.id}/open").status_code == 404
    for verb in ("read", "hour", "unread", "mute"):
        do(client, verb, theirs)
    do(client, "read_all")
    kept = Notification.get_by_id(theirs.id)
    assert (kept.read_ms, kept.snoozed_ms, RuleMute.select().count()) == (None, None, 0)
    assert client.get("/inbox/count?seen=0").status_code == 204


@pytest.mark.parametrize("ident", [0, 2**31, 2**63, 10**30])
def test_an_id_of_nothing_is_not_found(client: FlaskClient, me: User, ident: int) -> None:
    assert client.get(f"/inbox/{ident}").status_code == 404
    assert client.post(f"/inbox/{ident}/open").status_code == 404
    assert client.post("/inbox", data={"do": "read", "id": str(ident)}).status_code == 302


def test_a_verb_that_is_none_is_refused(client: FlaskClient, me: User) -> None:
    row = notice(me)
    assert client.post("/inbox", data={"do": "burn", "id": str(row.id)}).status_code == 400
    assert "Select notifications first." in client.post("/inbox", data={}, follow_redirects=True).text
    assert is_new(row)


def test_the_number_is_sent_again_only_when_it_has_changed(client: FlaskClient, me: User) -> None:
    assert client.get("/inbox/count?seen=0").status_code == 204
    notice(me)
    answer = client.get("/inbox/count?seen=0")
    assert answer.status_code == 200
    assert answer.text.count('1<span class="vh"> new notification</span>') == 2
    assert 'hx-swap-oob="true"' in answer.text
    assert client.get("/inbox/count?seen=1").status_code == 204


def test_hostile_text_is_shown_as_typed(client: FlaskClient, me: User) -> None:
    row = notice(
        me, asks.HOSTILE, body=asks.HOSTILE, url=f"javascript:{asks.HOSTILE}", rule_id=rule(asks.HOSTILE).id
    )
    for url in ("/inbox", f"/inbox/{row.id}"):
        page = client.get(url).text
        assert asks.SHOWN in page
        assert "<script>alert" not in page
    assert client.post(f"/inbox/{row.id}/open").headers["Location"] == f"/inbox/{row.id}"


def test_who_may(client: FlaskClient) -> None:
    for url in ("/inbox", "/inbox/1", "/inbox/count", "/inbox/profiles"):
        assert "/sign-in" in client.get(url).headers["Location"]
        assert client.get(url, headers={"HX-Request": "true"}).status_code == 401
    assert client.post("/inbox").status_code == 302
    make.sign_in(client, make.user(access=make.access()))
    assert client.get("/inbox").status_code == 200
    assert client.delete("/inbox").status_code == 405
    assert client.get("/inbox/1/open").status_code == 405
