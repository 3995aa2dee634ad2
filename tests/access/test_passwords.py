"""Which new passwords are refused."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from dashboard.access import passwords

GUESSABLE = "This password is too easy to guess. Choose one that is longer or less common."
BAD = [
    "password2",
    "qwerty12",
    "monkey123",
    "michelle",
    "jennifer",
    "liverpool",
    "aaaaaaaa",
    "admin1234",
    "stopa123",
    "Stopa2026",
    "P@ssw0rd!",
    "1q2w3e4r",
    "12345678",
    "87654321",
    "abcdefgh",
    "Password123",
    "heslo123",
    "heslo1234",
    "sakura123",
    "dashboard1",
    "janajana",
    "jana1234",
    "Novakova",
    "Novakova1",
    "avokavon",
    "jana.novakova",
    "Praha2026",
]
LONG = "4@8({[<369&#!1/|0$5+7%2" * 11  # many letters that may stand for others


@pytest.mark.parametrize("password", BAD)
def test_common_passwords_and_words_of_product_and_user_are_refused(password: str) -> None:
    assert passwords.problem(password, "jana.novakova", "Jana Novakova") == GUESSABLE


def test_the_3000_most_common_passwords_are_refused() -> None:
    common = [each for each in FREQUENCY_LISTS["passwords"][:3000] if len(each) >= passwords.MIN_LENGTH]
    assert len(common) > 300
    taken = [each for word in common for each in (word, word.title()) if passwords.problem(each) != GUESSABLE]
    assert taken == []


@pytest.mark.parametrize(
    "password",
    ["correct horse", "battery staple", "long enough", "žluťoučký kůň", "桜の木の下で待つ", "xk7#Qv2m"],
)
def test_other_passwords_are_taken(password: str) -> None:
    assert passwords.problem(password, "jana", "Jana Nová") is None


def test_a_long_password_takes_no_long_look() -> None:
    begun = time.thread_time()
    assert passwords.problem(LONG) is None
    assert time.thread_time() - begun < 2


def test_words_of_one_user_are_not_those_of_another() -> None:
    def problem(n: int) -> str | None:
        return passwords.problem("Zorbalixa", *[("zorbalixa", "Zorbalixa"), ("jana", "Jana Nová")][n % 2])

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(problem, range(40))) == [GUESSABLE, None] * 20
