"""Placeholders: which there are, what is unknown, and what a reader gets to see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.access.permissions import Permission
from dashboard.rulelang import text_templates
from dashboard.rulelang.fields import EventFacts, facts
from dashboard.rulelang.text_templates import HIDDEN, SHOWN, Names

MONDAY = 1772438400000  # Monday 2 March 2026, 08:00 UTC
NAMES = Names(users={3: "Jana Malá"}, teams={5: "Night"}, queues={2: "Support"}, zone="Europe/Prague")


@dataclass
class Reader:
    """A reader of one user's work in one queue, or of everything."""

    unmask: bool = False
    user: int | None = None
    queue: int | None = None

    def can(self, permission: Permission) -> bool:
        return permission is Permission.PII_UNMASK and self.unmask

    def sees(self, user_id: int) -> bool:
        return self.user in (None, user_id)

    def content(self, _user_id: int, queue_id: int | None) -> bool:
        return self.queue in (None, queue_id)


ALL = Reader(unmask=True)


def ticket(**data: Any) -> EventFacts:
    person = {"id": "c1", "name": "Eva Nová", "phone": "+420777111222", "email": "eva@example.org"}
    return facts(
        1, "ticket.created", MONDAY, data, user=3, queue=2, contact=person, source="crm", **{"user.team": [5]}
    )


def said(template: str, event: EventFacts | None = None, reader: Reader = ALL) -> str:
    return text_templates.render(template, event or ticket(), NAMES, reader)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ ticket.number }}", "5"),
        ("{{ticket.number}}, {{  ticket.number  }}", "5, 5"),
        ("{{ data.number }}", "5"),
        ("{{ data.custom.plan }}", "gold"),
        ("{{ ticket.idle_s }}", "1:02:05"),
        ("{{ ticket.tags }}", "a, b"),
        ("{{ ticket.has_attachment }}", "Yes"),
        ("{{ ticket.created_at }}", "2026-03-02 09:00:00 +01:00"),
        ("{{ event.time }}", "2026-03-02 09:00:00 +01:00"),
        ("{{ event.type }}", "Ticket created"),
        ("{{ event.source }}", "crm"),
        ("{{ user.name }} of {{ user.teams }}", "Jana Malá of Night"),
        ("{{ queue.name }}", "Support"),
        ("{{ contact.name }}", "Eva Nová"),
    ],
)
def test_a_placeholder_gives_the_events_value(template: str, text: str) -> None:
    event = ticket(
        number=5,
        custom={"plan": "gold"},
        idle_s=3725,
        tags=["a", "b"],
        has_attachment=True,
        created_at="2026-03-02T08:00:00Z",
    )
    assert said(template, event) == text


def test_hour_that_occurs_twice_shows_its_offset() -> None:
    twice = [
        said("{{ ticket.created_at }}", ticket(created_at=f"2026-10-25T0{hour}:30:00Z")) for hour in (0, 1)
    ]
    assert twice == ["2026-10-25 02:30:00 +02:00", "2026-10-25 02:30:00 +01:00"]


@pytest.mark.parametrize("template", ["{{ ticket.title }}", "{{ chat.wait_s }}", "{{ data.a.b.c }}"])
def test_what_the_event_lacks_is_an_empty_text(template: str) -> None:
    assert said(f"<{template}>") == "<>"


@pytest.mark.parametrize(
    "text",
    [
        "{{7*7}}",
        "{{ ticket.number.__class__ }}",
        "{{ ''.__class__ }}",
        "{{ config }}",
        "{% if 1 %}",
        "${7*7}",
        "#{7*7}",
        "{0.__class__}",
        "{event}",
        "%(name)s",
        "%s",
        "{{",
        "}}",
        "{{ }}",
        "{{{ ticket.number }}",
        pytest.param("{{" + " " * 100_000, id="spaces"),
    ],
)
def test_there_are_no_expressions(text: str) -> None:
    assert said(text, ticket(number=7)) in (text, text.replace("{{ ticket.number }}", "7"))


@given(st.text() | st.sampled_from(["{{ ticket.number }}", "{{7*191}}", "{% x %}"]))
def test_a_value_is_never_read_for_placeholders(value: str) -> None:
    found = said("[{{ ticket.title }}]", ticket(title=value, number=1337))
    assert "1337" not in found.replace("1337" * ("1337" in value), "")
    assert found.startswith("[")
    assert found.endswith("]")
    assert "\n" not in found


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a\r\nBcc: b", "a Bcc: b"),
        ("a\x1b[31mb\x00c", "a[31mbc"),
        ("a\u202eb\u2066c", "abc"),
        ("a\u2028b", "a b"),
        ("  a \t b ", "a b"),
        ("x" * 600, "x" * SHOWN + "…"),
    ],
)
def test_a_value_stands_on_one_line_without_hidden_signs(value: str, shown: str) -> None:
    assert said("{{ ticket.title }}", ticket(title=value)) == shown


@pytest.mark.parametrize(
    ("template", "masked"),
    [
        ("{{ contact.phone }}", "+420 ••• ••• 222"),
        ("{{ contact.email }}", "e•••@example.org"),
        ("{{ contact.name }}", "E•••"),
        ("{{ ticket.requester }}", "E•••"),
        ("{{ ticket.requester_email }}", "e•••@example.org"),
        ("{{ ticket.cc }}", "a•••@b.cz, c•••@d.cz"),
        ("{{ ticket.message }}", "Call +420 ••• ••• 222 or e•••@example.org."),
        ("{{ ticket.number }}", "20260001234"),
    ],
)
def test_contact_details_are_masked_for_who_may_not_see_them(template: str, masked: str) -> None:
    event = ticket(
        requester="Eva Nová",
        requester_email="eva@example.org",
        cc=["a@b.cz", "c@d.cz"],
        message="Call +420 777 111 222 or eva@example.org.",
        number=20260001234,
    )
    assert said(template, event, Reader()) == masked


OUTSIDE = "{{ event.type }}|{{ event.time }}|{{ user.name }}|{{ queue.name }}|{{ ticket.title }}|{{ data.x }}"


def test_of_work_in_a_foreign_queue_the_content_is_hidden() -> None:
    found = said(OUTSIDE, ticket(title="t", x="y"), Reader(unmask=True, queue=9))
    assert found == f"Ticket created|2026-03-02 09:00:00 +01:00|Jana Malá|{HIDDEN}|{HIDDEN}|{HIDDEN}"


def test_of_a_foreign_user_even_the_name_is_hidden() -> None:
    found = said(OUTSIDE, ticket(title="t", x="y"), Reader(unmask=True, user=9))
    assert found == f"Ticket created|2026-03-02 09:00:00 +01:00|{HIDDEN}|{HIDDEN}|{HIDDEN}|{HIDDEN}"


def test_a_name_that_was_not_given_is_hidden() -> None:
    assert text_templates.render("{{ user.name }}", ticket(), Names(), ALL) == HIDDEN


@pytest.mark.parametrize(
    ("types", "template", "unknown"),
    [
        (("ticket.created",), "{{ ticket.number }} {{ data.anything.goes }} {{ event.time }}", []),
        (("ticket.created",), "{{ ticket.numbr }} {{7*7}} {{ ticket.numbr }}", ["ticket.numbr", "7*7"]),
        (("ticket.created",), "{{ chat.wait_s }}", ["chat.wait_s"]),
        (("ticket.created", "chat.closed"), "{{ ticket.number }} {{ chat.wait_s }}", []),
        (("custom.sale",), "{{ data.total }} {{ sale.total }}", ["sale.total"]),
        (("ticket.created",), "{{ }}", [""]),
        (("ticket.created",), "{{ data.__class__.a.b.c.d.e }}", ["data.__class__.a.b.c.d.e"]),
    ],
)
def test_unknown_names_are_reported(types: tuple[str, ...], template: str, unknown: list[str]) -> None:
    assert text_templates.check(template, types) == unknown


def test_every_name_on_offer_is_known_and_has_a_label() -> None:
    types = ("ticket.created", "call.closed", "contact.created", "custom.x")
    offered = text_templates.names(types)
    assert all(offered.values())
    assert text_templates.check(" ".join(f"{{{{ {name} }}}}" for name in offered), types) == []


def test_a_value_of_another_kind_than_promised_is_shown_as_it_came() -> None:
    assert (
        said("{{ ticket.created_at }} {{ ticket.idle_s }}", ticket(created_at="soon", idle_s="x")) == "soon x"
    )
