"""What follows from an answer: pauses, caps, and who gets no mail."""

from __future__ import annotations

import pytest

from dashboard.jobs.work import pause_ms
from dashboard.notify import email, result
from dashboard.notify.email import MINUTE_MS, Sent

NOW_S = 1_772_438_400  # Mon, 02 Mar 2026 08:00:00 GMT


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("", 0),
        ("0", 0),
        ("120", 120),
        ("86400", 86_400),
        ("86401", 86_400),
        ("9" * 400, 86_400),
        ("-5", 0),
        ("１２", 0),
        ("1.5", 0),
        ("Mon, 02 Mar 2026 08:10:00 GMT", 600),
        ("Mon, 02 Mar 2026 07:00:00 GMT", 0),
        ("Mon, 02 Mar 9999 07:00:00 GMT", 86_400),
        ("Mon, 99 Mar 2026", 0),
        ("soon", 0),
    ],
)
def test_a_receiver_may_ask_for_a_pause_of_a_day_at_most(value: str, seconds: int) -> None:
    assert result.pause_asked(value, NOW_S) == seconds


def test_pauses_grow_and_are_spread_by_a_tenth() -> None:
    assert [pause_ms(result.RETRIES_S, n, 0, 0.5) for n in range(1, 8)] == [
        60_000,
        300_000,
        1_800_000,
        7_200_000,
        28_800_000,
        86_400_000,
        None,
    ]
    assert pause_ms(result.RETRIES_S, 1, 0, 0.0) == 54_000
    assert 65_900 <= (pause_ms(result.RETRIES_S, 1, 0, 0.999) or 0) <= 66_000
    assert pause_ms(result.RETRIES_S, 1, 600, 0.5) == 600_000
    assert pause_ms(result.RETRIES_S, 1, 8, 0.5) == 8_000
    assert pause_ms(result.RETRIES_S, 2, 8, 0.5) == 300_000
    assert pause_ms(result.RETRIES_S, 6, 600, 0.5) == 86_400_000


def sent(count: int, every_minutes: float, subject: str = "s") -> list[Sent]:
    return [Sent(-int(n * every_minutes * MINUTE_MS), subject) for n in range(count)]


CAPS = [
    ("nothing yet", [], False),
    ("nine at once about one subject", sent(9, 0), False),
    ("ten at once about one subject", sent(10, 0), True),
    ("ten, but the first ten minutes ago", sent(10, 10 / 9), False),
    ("fifteen in half an hour", sent(15, 2), True),
    ("a hundred in ten hours", sent(100, 6), True),
    ("ten at once about another subject", sent(10, 0, "t"), False),
    ("twenty-nine at once in all", sent(9, 0) + sent(20, 0, "t"), False),
    ("thirty at once in all", sent(9, 0) + sent(21, 0, "t"), True),
    ("three hundred and sixty in ten hours", sent(360, 1.6, "t"), True),
]


@pytest.mark.parametrize(("mails", "over"), [each[1:] for each in CAPS], ids=[each[0] for each in CAPS])
def test_a_recipient_gets_so_much_mail_and_no_more(mails: list[Sent], over: bool) -> None:
    assert email.reached(mails, "s", 0) is over


UNWANTED = [
    "stopa@example.org",
    "STOPA@example.org",
    "noreply@x.cz",
    "no-reply@x.cz",
    "No.Reply+7@x.cz",
    "do-not-reply@x.cz",
    "mailer-daemon@x.cz",
    "postmaster@x.cz",
    "bounce+77=a@x.cz",
    "team-request@x.cz",
    "owner-list@x.cz",
    "listserv@x.cz",
]


@pytest.mark.parametrize("address", UNWANTED)
def test_machines_lists_and_ourselves_get_no_mail(address: str) -> None:
    assert email.unwanted(address, "stopa@example.org")


@pytest.mark.parametrize("address", ["jana@x.cz", "replyteam@x.cz", "owner@x.cz", "norbert@x.cz"])
def test_people_get_mail(address: str) -> None:
    assert not email.unwanted(address, "stopa@example.org")


def test_answer_of_a_receiver_is_stored_as_one_bounded_line() -> None:
    assert result.masked("a\r\nb\x00\x1b[0m  c", ()) == "a b [0m c"
    assert result.masked("key=topsecret!", ("topsecret", "k")) == "key=•••!"
    assert len(result.masked("x" * 5000, ())) == result.NOTE_MAX
