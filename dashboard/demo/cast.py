"""Invented people, queues, pause types, customers and scenes of the demo data. Pure."""

from __future__ import annotations

import unicodedata
from typing import Any, NamedTuple


class Person(NamedTuple):
    """An employee. `crew` determines the shifts, `likes` the relative frequency of each kind of work
    (calls, dialled calls, chats, emails, tickets)."""

    login: str
    name: str
    crew: str  # day, turns (early and late by week), night, gone, office (no shifts)
    team: str
    likes: tuple[int, int, int, int, int] = (8, 1, 4, 2, 2)
    access: str = ""


class Line(NamedTuple):
    """A queue; `seconds` is its service level."""

    name: str
    label: str
    channel: str
    seconds: int


class Break(NamedTuple):
    """A pause type; `limit` in seconds."""

    name: str
    label: str
    paid: bool
    limit: int | None


class Act(NamedTuple):
    """An interaction or a pause around the moment of a scene: from `begun` seconds before it to `left` after.

    The person in place `by` of the cast accepts an interaction `accepted` seconds before the moment, after it
    if negative; without `by` nobody does.
    """

    by: int | None
    name: str
    subject: str
    line: Line | Break
    begun: int
    accepted: int
    left: int
    data: dict[str, Any]
    hold: int = 0


PEOPLE = (
    Person("admin", "Jana Malá", "office", "", access="Administrator"),
    Person("lead", "Tomáš Dvořák", "day", "Support", (2, 0, 2, 4, 5), "Team lead"),
    Person("novakova", "Petra Nováková", "day", "Support", access="Agent"),
    Person("svoboda", "Tomáš Svoboda", "day", "Support", (2, 0, 7, 1, 1)),
    Person("sato", "佐藤 美咲", "day", "Support", (3, 0, 4, 4, 1)),
    Person("cerny", "Martin Černý", "turns", "Support", (6, 2, 2, 1, 1)),
    Person("prochazkova", "Lucie Procházková", "turns", "Support", (1, 0, 2, 6, 4)),
    Person("kucera", "Jan Kučera", "turns", "Support"),
    Person("takahashi", "高橋 健太", "turns", "Support", (4, 0, 5, 2, 1)),
    Person("vesela", "Veronika Veselá", "turns", "Sales", (3, 7, 1, 1, 1)),
    Person("wisniewska", "Agnieszka Wiśniewska", "turns", "Sales", (3, 5, 2, 2, 1)),
    Person("nguyen", "Nguyễn Thị Hương", "night", "Sales", (4, 0, 4, 3, 2)),
    Person("horak", "Ondřej Horák", "night", "Sales", (4, 1, 3, 3, 2)),
    Person("benes", "Karel Beneš", "gone", "Support"),
)
WORKERS = tuple(person for person in PEOPLE if person.crew != "office")
LEADS = {"Support": "lead", "Sales": "admin"}

LINES = SUPPORT, BILLING, WEB, MESSENGERS, MAIL, TICKETS = (
    Line("support", "Support CZ", "call", 20),
    Line("billing", "Billing", "call", 30),
    Line("webchat", "Web chat", "webchat", 60),
    Line("messengers", "Messengers", "whatsapp", 120),
    Line("mail", "Support e-mail", "email", 4 * 3600),
    Line("tickets", "Tickets", "ticket", 8 * 3600),
)
BREAKS = COFFEE, LUNCH, TRAINING, ERRAND = (
    Break("break", "Break", True, 15 * 60),
    Break("lunch", "Lunch", False, 30 * 60),
    Break("training", "Training", True, 45 * 60),
    Break("errand", "Personal errand", False, None),
)
CHAT_CHANNELS = ["webchat", "webchat", "webchat", "whatsapp", "whatsapp", "messenger", "viber", "sms"]

SUBJECTS = """Invoice for last month|Cannot sign in|Change of address|Delivery has not come
Question about the tariff|Complaint about a repair|Reklamace objednávky|Dotaz na fakturu
Ukončení smlouvy|請求書について|配送状況の確認|Return of goods
Thank you for your help|Second reminder|New contract, second part""".replace("\n", "|").split("|")


def _call(by: int | None, name: str, line: Line, begun: int, accepted: int, left: int, hold: int = 0) -> Act:
    return Act(by, name, "call", line, begun, accepted, left, {"direction": "in"}, hold)


def _chat(by: int, name: str, line: Line, channel: str, begun: int, accepted: int, left: int) -> Act:
    return Act(by, name, "chat", line, begun, accepted, left, {"channel": channel})


def _mail(by: int, name: str, subject: str, begun: int, accepted: int, left: int) -> Act:
    return Act(by, name, "email", MAIL, begun, accepted, left, {"subject": subject})


# What the people at work do at the moment of a scene; the contacts that wait then come last.
CAST = 6  # people in a scene
ACTS = (
    _call(0, "call", SUPPORT, 231, 219, 260),
    _chat(1, "chat", WEB, "webchat", 686, 662, 120),
    _chat(1, "whatsapp", MESSENGERS, "whatsapp", 429, 405, 260),
    _chat(1, "viber", MESSENGERS, "viber", 120, 96, 480),
    Act(2, "pause", "", COFFEE, 1060, 0, 140, {}),
    _mail(3, "mail", "Reklamace objednávky", 5400, 411, 300),
    _chat(4, "messenger", MESSENGERS, "messenger", 530, 512, 200),
    _call(4, "billing", BILLING, 103, 95, 330, hold=60),
    Act(5, "lunch", "", LUNCH, 660, 0, 480, {}),
    _call(None, "waits-1", SUPPORT, 97, 0, 45),
    _call(3, "waits-2", SUPPORT, 14, -60, 290),
    _chat(1, "waits-3", WEB, "webchat", 38, -150, 420),
    _mail(2, "waits-4", "請求書について", 4300, -200, 510),
    _mail(3, "waits-5", "Change of address", 1260, -320, 530),
    _mail(2, "waits-6", "Dotaz na fakturu", 320, -530, 700),
)

WRITING = ("email", "ticket", "webchat")  # channels on which customers have an address and no number


class Language(NamedTuple):
    """First and last names of customers, as addresses spell them, and a pattern of unused numbers."""

    first: tuple[str, ...]
    last: tuple[str, ...]
    spelled: tuple[tuple[str, ...], tuple[str, ...]]
    numbers: str
    last_comes_first: bool = False


def _language(first: str, last: str, numbers: str, spelled: tuple[str, str] | None = None) -> Language:
    given = spelled or (_ascii(first), _ascii(last))
    words = (tuple(given[0].split()), tuple(given[1].split()))
    return Language(tuple(first.split()), tuple(last.split()), words, numbers, spelled is not None)


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()


_CZECH, _ENGLISH, _JAPANESE = (
    _language(
        "Adam Alena Barbora David Hana Ivo Lukáš Zuzana",
        "Bartoš Fiala Jelínek Kolář Moravec Říha Šimek Urban",
        "+42077000{:04}",
    ),
    _language(
        "Emma Oliver Sarah James Grace Daniel Chloe Henry",
        "Baker Clarke Evans Hughes Morgan Price Taylor Walsh",
        "+4477009{:05}",
    ),
    _language(
        "美咲 健太 陽子 翔太 直美 大輔 由美 拓也",
        "佐藤 鈴木 高橋 田中 渡辺 伊藤 山本 中村",
        "+8190000{:05}",
        (
            "misaki kenta yoko shota naomi daisuke yumi takuya",
            "sato suzuki takahashi tanaka watanabe ito yamamoto nakamura",
        ),
    ),
)
LANGUAGES = (_CZECH, _CZECH, _CZECH, _ENGLISH, _JAPANESE)  # of customers, by turns


def customer(number: int, channel: str) -> dict[str, str]:
    """Return the name of the invented customer with this number, and what is known of them on the channel: an
    address or a telephone number that nobody has."""
    turn, language = number // len(LANGUAGES), LANGUAGES[number % len(LANGUAGES)]
    first, last = turn % 8, (3 * number + turn // 8) % 8
    names = [language.first[first], language.last[last]]
    name = " ".join(reversed(names) if language.last_comes_first else names)
    if channel not in WRITING:
        return {"name": name, "phone": language.numbers.format(number)}
    return {"name": name, "email": f"{language.spelled[0][first]}.{language.spelled[1][last]}@example.org"}
