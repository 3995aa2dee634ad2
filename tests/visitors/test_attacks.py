"""What strangers, robots and hostile pages send: refused with a reason, and others unharmed."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import peewee
import pytest
import time_machine

from dashboard.events import switches
from dashboard.events.switches import Choice
from dashboard.models import Event, Site, Source, Visit
from dashboard.visitors import browsers, identify, limits, records, sites
from tests import make
from tests.visitors.portal import ORIGIN, SECRET, Portal, act, everything, ident, page

pytestmark = pytest.mark.both_databases
GOOD = json.dumps({"v": ident("v"), "b": ident("b"), "u": f"{ORIGIN}/", "e": [page("p")]})
GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def body(**more: Any) -> str:
    return json.dumps({**json.loads(GOOD), **more})


def one(**more: Any) -> str:
    return body(e=[{**page("p"), **more}])


REFUSED: dict[str, tuple[str | bytes, dict[str, str], int, str]] = {
    "foreign origin": (GOOD, {"Origin": "https://evil.example"}, 403, "origin"),
    "no origin": (GOOD, {"Origin": ""}, 403, "origin"),
    "origin null": (GOOD, {"Origin": "null"}, 403, "origin"),
    "origin with a path": (GOOD, {"Origin": f"{ORIGIN}/"}, 403, "origin"),
    "compressed": (gzip.compress(GOOD.encode()), {"Content-Encoding": "gzip"}, 415, "body"),
    "10 MB": (b"x" * 10_000_000, {}, 413, "body"),
    "a byte too much": (b" " * (records.BODY_MAX + 1), {}, 413, "body"),
    "nothing": ("", {}, 400, "body"),
    "no JSON": ("{", {}, 400, "body"),
    "not UTF-8": (b'{"v": "\xff"}', {}, 400, "body"),
    "deep JSON": ("[" * 60_000, {}, 400, "body"),
    "a list": ("[]", {}, 400, "body"),
    "no visit": (json.dumps({"b": ident("b")}), {}, 400, "body"),
    "short visit": (body(v="short"), {}, 400, "v"),
    "visit with a quote": (body(v="'" * 22), {}, 400, "v"),
    "visit with a line break": (body(v="v" * 40 + "\n"), {}, 400, "v"),
    "browser with a line break": (body(b="b" * 40 + "\n"), {}, 400, "b"),
    "number as browser": (body(b=1), {}, 400, "b"),
    "no number": (GOOD.replace("}]}", '}], "a": NaN}'), {}, 400, "body"),
    "negative activity": (body(a=-1), {}, 400, "a"),
    "no list": (body(e="x"), {}, 400, "e"),
    "201 records": (body(e=[{**page(f"p{n}"), "u": ""} for n in range(201)]), {}, 400, "e"),
    "unknown kind": (one(k="steal"), {}, 400, "e[0].k"),
    "short id": (one(i="1"), {}, 400, "e[0].i"),
    "record with a line break": (one(i="r" * 64 + "\n"), {}, 400, "e[0].i"),
    "id of another event": (one(i="visit.started:0"), {}, 400, "e[0].i"),
    "time to come": (one(m=-5), {}, 400, "e[0].m"),
    "text as time": (one(m="now"), {}, 400, "e[0].m"),
    "object as title": (one(t={}), {}, 400, "e[0].t"),
    "long id of a person": (body(c={"id": "x" * 201}), {}, 400, "c.id"),
}


def test_what_is_refused_names_the_field_and_stores_nothing(portal: Portal) -> None:
    wrong: dict[str, object] = {}
    for name, (sent, headers, status, field) in REFUSED.items():
        answer = portal.send(sent, headers=headers)
        got = answer.status_code, list((answer.json or {}).get("errors", {}))
        open_to = answer.headers.get("Access-Control-Allow-Origin")
        if got != (status, [field]) or open_to != (None if field == "origin" else ORIGIN):
            wrong[name] = (*got, open_to)
    assert wrong == {}
    keys = ("unknown", "nul%00", f"{portal.site.key}%0A", "k" * 100)
    assert [portal.send(GOOD, key=key).status_code for key in keys] == [403] * 4
    assert [portal.send("", method=method).status_code for method in ("GET", "PUT", "DELETE")] == [405] * 3
    assert not Visit.select().exists()
    assert not Event.select().exists()


def test_switched_off_paused_and_unrecorded_sites_store_nothing(portal: Portal) -> None:
    def answered() -> tuple[int, str | None]:
        sites.forget()
        answer = portal.send(GOOD)
        return answer.status_code, answer.headers.get("Retry-After")

    Site.update(enabled=False).execute()
    assert answered() == (403, None)
    Site.update(enabled=True).execute()
    Source.update(paused_ms=1).execute()
    assert answered() == (503, "60")
    Source.update(paused_ms=None).execute()
    switches.choose("visit.started", Choice(recorded=False, in_rules=False))
    assert answered() == (204, None)
    assert not Visit.select().exists()
    switches.choose("visit.started", Choice(recorded=True, in_rules=True))
    switches.choose("visitor.page_viewed", Choice(recorded=False, in_rules=False))
    assert answered() == (200, None)
    assert portal.types("v") == ["visit.started", "session.opened"]


def test_robots_are_answered_and_leave_nothing(portal: Portal) -> None:
    for agent in (GOOGLE, "curl/8.5", "python-requests/2.31", "a" * 60_000):
        answer = portal.send(GOOD, headers={"User-Agent": agent})
        assert (answer.status_code, answer.data) == (204 if len(agent) < 1000 else 200, answer.data)
    assert Visit.select().count() == 1  # the long one is no robot that the list knows


def test_another_browser_cannot_speak_for_a_visit(portal: Portal) -> None:
    portal.report(page("p1"))
    before = portal.visit().__data__
    for records_ in ([page("p2")], []):
        answer = portal.report(*records_, browser="thief")
        assert (answer.status_code, list(answer.json["errors"])) == (403, ["v"])
    assert portal.visit().__data__ == before
    assert portal.types() == ["visit.started", "session.opened", "visitor.page_viewed"]


def test_a_replayed_body_changes_nothing(portal: Portal) -> None:
    with time_machine.travel(datetime(2026, 3, 2, tzinfo=UTC), tick=False):
        portal.send(GOOD)
        before, stored = portal.visit("v").__data__, Event.select().count()
        for _ in range(3):
            assert portal.send(GOOD).status_code == 200
        assert (portal.visit("v").__data__, Event.select().count()) == (before, stored)


def test_one_address_cannot_use_up_the_server(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PER_ADDRESS", 20 * (1 + limits.NEW_VISIT))
    answers = [portal.report(visit=f"visit{n}", address="203.0.113.9") for n in range(40)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429] * 20
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 61
    assert answers[-1].headers["Access-Control-Allow-Origin"] == ORIGIN
    assert portal.report(address="203.0.113.200").status_code == 429  # of the same network
    assert portal.report(address="203.0.114.9").status_code == 200
    many = [page(f"p{n}") for n in range(100)]
    answers = [portal.report(*many, address="198.51.100.1") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]


def test_texts_of_a_page_are_kept_short_and_harmless(portal: Portal) -> None:
    texts = [
        "\x00nul",
        "half \ud83d",
        "x" * 8_000,
        "\u202etxet",
        "<script>alert(1)</script>",
        "'; DROP TABLE visit; --",
    ]
    for n, text in enumerate(texts):
        answer = portal.report(
            page(
                f"p{n}", t=text, path=f"/{text[:50]}?token=secret#key=1", r=f"https://u:p@host.example/{text}"
            ),
            act("click", f"c{n}", el=text),
            act("custom", f"x{n}", name=text, x=text),
            u=f"javascript:{text}",
            l=text,
        )
        assert answer.status_code == 200, text[:20]
    found = everything()
    assert not [
        each for each in ("\x00", "\u202e", "token=secret", "key=1", "u:p@", "javascript:") if each in found
    ]
    assert max(len(data) for (data,) in Event.select(Event.data).tuples()) < 5000


def test_addresses_of_pages_that_are_none_open_every_page(portal: Portal) -> None:
    hosts = ("[1111:2222:3333:4444:5555:6666:7777:8888]", f"{CARD}", "[x", "a:99999999", "a\u2100b", "[::1]")
    for number, host in enumerate(hosts):
        sent = portal.report(page("p", u=f"http://{host}/x", r=f"http://{host}/"), visit=f"visit{number}")
        assert sent.status_code == 200
    assert {url for (url,) in Visit.select(Visit.url).tuples()} == {"", "http://[::1]/x"}
    Visit.update(url="http://[•••]/", first_url="http://[•••]/").execute()
    make.sign_in(portal.client, make.administrator())
    ident = Visit.select(Visit.id).scalar()
    paths = ("/visitors", "/visitors/past", f"/visitors/{ident}", f"/visitors/{ident}/invite")
    assert [portal.client.get(path).status_code for path in paths] == [200] * 4


def test_a_hostile_user_agent_is_read_of_new_visits_alone_which_are_counted_first(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PER_ADDRESS", 1 + limits.NEW_VISIT)
    browsers.read.cache_clear()
    for number in range(50):
        portal.report(page("p"), headers={"User-Agent": f"{number}" * 300})
    assert browsers.read.cache_info().misses == 1


def test_ids_of_which_a_part_is_not_kept_name_different_people(portal: Portal) -> None:
    idents = (CARD, "5500005555555559", "a\x00b", "a b", "\u200b", "\u200c", "42")
    for number, ident_ in enumerate(idents):
        signed = {"id": ident_, "sig": identify.signature(SECRET, ident_), "name": "Eva"}
        assert "errors" not in portal.report(page("p"), visit=f"visit{number}", c=signed).json
    keys = [key for (key,) in Visit.select(Visit.contact_key).tuples()]
    assert len({*keys}) == len(idents)
    assert not [key for key in keys if CARD in key or "\x00" in key]


PASSWORD, CARD, SPACED, MAIL = (
    "Tr0ub4dor&3",
    "4111111111111111",
    "5500 0055 5555 5559",
    "jan.novak@example.com",
)


def test_passwords_cards_and_addresses_are_in_no_byte_of_the_database(
    portal: Portal, db: peewee.Database, tmp_path: Path
) -> None:
    Site.update(elements=["city", "password", "cardnumber"]).execute()
    sites.forget()
    portal.report(
        page(
            "p1",
            t=f"Card {SPACED}",
            path=f"/pay/{CARD}/{MAIL}?card={CARD}",
            r=f"{ORIGIN}/x/4111-1111-1111-1111",
        ),
        act("input", "i1", el="password", n=11, x=PASSWORD),
        act("input", "i2", el="cardnumber", n=16, x=CARD),
        act("input", "i3", el="note", n=20, x=MAIL),
        act("input", "i4", el="city", n=16, x=f"Brno {CARD} 12/29 123"),
        act("input", "i5", el=f"field {MAIL}", n=1),
        act("input", "i6", el="city", n=4, x="Brno"),
        act("select", "s1", el="body", x=f"{PASSWORD} {MAIL}"),
        act("form", "f1", name=CARD, x=PASSWORD),
        act("custom", "e1", name="paid", x=json.dumps({"card": SPACED, "sum": 1200})),
        act("click", "c1", el=f"Pay with {CARD[:4]}%20{CARD[4:8]}%20{CARD[8:12]}%20{CARD[12:]}"),
        t=CARD,
    )
    found = everything()
    forms = (PASSWORD, CARD, SPACED, SPACED.replace(" ", ""), MAIL, "4111-1111", "4111%201111", "novak")
    assert not [each for each in forms if each in found]
    inputs = (
        Event.select(Event.data).where(Event.type == "cobrowse.input_changed").order_by(Event.external_id)
    )
    kept = [json.loads(data) for (data,) in inputs.tuples()]
    assert [(each.get("length"), each.get("value")) for each in kept] == [
        *((11, None), (16, None), (20, None), (16, "Brno •••"), (1, None), (4, "Brno")),
    ]
    assert "1200" in found
    if isinstance(db, peewee.SqliteDatabase):
        files = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
        assert not [each for each in forms if each.encode() in files]
        assert b"Brno" in files


def test_the_country_comes_from_a_proxy_that_is_trusted(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, given in enumerate(("CZ", "T1", "cz; DROP")):
        portal.report(page("p"), visit=f"straight{number}", headers={"CF-IPCountry": given})
    monkeypatch.setattr(portal.entry(), "_behind_proxy", True)
    for number, given in enumerate(("CZ", "T1", "cz; DROP")):
        portal.report(page("p"), visit=f"behind{number}", headers={"CF-IPCountry": given})
    assert [country for (country,) in Visit.select(Visit.country).order_by(Visit.id).tuples()] == [
        *("", "", "", "CZ", "", ""),
    ]
