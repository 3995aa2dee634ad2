"""Invented people, queues, pause types, customers and scenes of the demo data. Pure."""

from __future__ import annotations

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
    """An interaction or a pause at the time of a run: `begun` seconds before it until `left` after it.

    A user accepts an interaction `accepted` seconds before the run; 0 = nobody has yet.
    """

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


def _call(name: str, line: Line, begun: int, accepted: int, left: int, hold: int = 0) -> Act:
    return Act(name, "call", line, begun, accepted, left, {"direction": "in"}, hold)


def _chat(name: str, line: Line, channel: str, begun: int, accepted: int, left: int) -> Act:
    return Act(name, "chat", line, begun, accepted, left, {"channel": channel})


def _mail(name: str, subject: str, begun: int, accepted: int, left: int) -> Act:
    return Act(name, "email", MAIL, begun, accepted, left, {"subject": subject})


# What the people at work do at the time of a run, in order, and which contacts wait.
SCENES = (
    (_call("call", SUPPORT, 231, 219, 260),),
    (
        _chat("chat", WEB, "webchat", 686, 662, 120),
        _chat("whatsapp", MESSENGERS, "whatsapp", 429, 405, 260),
        _chat("viber", MESSENGERS, "viber", 120, 96, 480),
    ),
    (Act("pause", "", COFFEE, 1060, 0, 140, {}),),
    (_mail("mail", "Reklamace objednávky", 5400, 411, 300),),
    (
        _chat("messenger", MESSENGERS, "messenger", 530, 512, 200),
        _call("billing", BILLING, 103, 95, 330, hold=60),
    ),
    (Act("lunch", "", LUNCH, 660, 0, 480, {}),),
)
WAITING = (
    _call("waits-1", SUPPORT, 97, 0, 45),
    _call("waits-2", SUPPORT, 14, 0, 60),
    _chat("waits-3", WEB, "webchat", 38, 0, 150),
    _mail("waits-4", "請求書について", 4300, 0, 2400),
    _mail("waits-5", "Change of address", 1260, 0, 3000),
    _mail("waits-6", "Dotaz na fakturu", 320, 0, 3600),
)

_FIRST = ["Adam", "Alena", "Barbora", "David", "Eva", "Filip"]
_FIRST += ["Hana", "Ivo", "Kateřina", "Lukáš", "Marek", "Zuzana"]
_LAST = ["Bartoš", "Fiala", "Jelínek", "Kolář", "Moravec", "Pospíšil", "Říha", "Šimek", "Urban", "Zeman"]


def customer(number: int) -> dict[str, str]:
    """Return the invented customer with this number; phone and address do not exist."""
    first, last = _FIRST[number % len(_FIRST)], _LAST[number // len(_FIRST) % len(_LAST)]
    return {
        "name": f"{first} {last}",
        "phone": f"+4207{70_000_000 + number * 104_729 % 9_999_999}",
        "email": f"customer{number}@example.org",
    }
