"""Invented people, queues, pause types and customers of the demo data. Pure."""

from __future__ import annotations

from typing import NamedTuple


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

SUPPORT = Line("support", "Support CZ", "call", 20)
BILLING = Line("billing", "Billing", "call", 30)
WEB = Line("webchat", "Web chat", "webchat", 60)
MESSENGERS = Line("messengers", "Messengers", "whatsapp", 120)
MAIL = Line("mail", "Support e-mail", "email", 4 * 3600)
TICKETS = Line("tickets", "Tickets", "ticket", 8 * 3600)
LINES = (SUPPORT, BILLING, WEB, MESSENGERS, MAIL, TICKETS)
CHAT_CHANNELS = ("webchat", "webchat", "webchat", "whatsapp", "whatsapp", "messenger", "viber", "sms")

COFFEE = Break("break", "Break", True, 15 * 60)
LUNCH = Break("lunch", "Lunch", False, 30 * 60)
TRAINING = Break("training", "Training", True, 45 * 60)
ERRAND = Break("errand", "Personal errand", False, None)
BREAKS = (COFFEE, LUNCH, TRAINING, ERRAND)

SUBJECTS = (
    "Invoice for last month",
    "Cannot sign in",
    "Change of address",
    "Delivery has not come",
    "Question about the tariff",
    "Complaint about a repair",
    "Reklamace objednávky",
    "Dotaz na fakturu",
    "Ukončení smlouvy",
    "請求書について",
    "配送状況の確認",
    "Return of goods",
    "Thank you for your help",
    "Second reminder",
    "New contract, second part",
)

_FIRST = (
    "Adam",
    "Alena",
    "Barbora",
    "David",
    "Eva",
    "Filip",
    "Hana",
    "Ivo",
    "Kateřina",
    "Lukáš",
    "Marek",
    "Zuzana",
)
_LAST = ("Bartoš", "Fiala", "Jelínek", "Kolář", "Moravec", "Pospíšil", "Říha", "Šimek", "Urban", "Zeman")


def customer(number: int) -> dict[str, str]:
    """Return the invented customer with this number; phone and address do not exist."""
    first, last = _FIRST[number % len(_FIRST)], _LAST[number // len(_FIRST) % len(_LAST)]
    return {
        "name": f"{first} {last}",
        "phone": f"+4207{70_000_000 + number * 104_729 % 9_999_999}",
        "email": f"customer{number}@example.org",
    }
