"""Passwords: which are refused as too easy to guess (zxcvbn), and hashing.

Argon2id with the parameters that OWASP recommends (19 MiB, 2 passes, 1 lane).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from dashboard.i18n.message import N_

MIN_LENGTH = 8
MAX_LENGTH = 256  # bounds the hashing time of unauthenticated requests
_hasher = PasswordHasher(memory_cost=19 * 1024, time_cost=2, parallelism=1)
_DECOY = _hasher.hash("no user has this password")

# Words that zxcvbn's lists of passwords and names lack: of the product, and common Czech and Japanese ones.
WORDS = ("stopa", "dashboard", "callcenter", "helpdesk", "heslo", "ahoj", "praha", "sakura", "nihon")
GUESSES_MIN = 1_000_000  # zxcvbn calls what takes fewer "very guessable"
ESTIMATED = 20  # first characters that are looked at; a look at more may take seconds


def problem(password: str, login: str = "", name: str = "") -> str | None:
    """Return what is wrong with a new password (a translatable message), or None.

    `login` and `name` are the user's; a password made of them or of common passwords is refused.
    """
    if len(password) < MIN_LENGTH:
        return N_("Use at least 8 characters.")
    if len(password) > MAX_LENGTH:
        return N_("Use up to 256 characters.")
    own = [login, *re.split(r"\W+", f"{login} {name}")]
    if password.lower() == login.lower() or _guesses(password[:ESTIMATED], own) < GUESSES_MIN:
        return N_("This password is too easy to guess. Choose one that is longer or less common.")
    return None


def _guesses(password: str, own: Iterable[str]) -> int:
    """Return in how many guesses a password is found that may contain the words `own`."""
    from zxcvbn import matching, scoring  # here: its lists take 30 ms, and few commands need them

    words = [word.lower() for word in (*own, *WORDS) if len(word) > 2]
    # Not zxcvbn(): it keeps the words of one call in a variable that all threads share.
    lists = {**matching.RANKED_DICTIONARIES, "user_inputs": matching.build_ranked_dict(words)}
    found = matching.omnimatch(password, lists)
    return int(scoring.most_guessable_match_sequence(password, found)["guesses"])


def make(password: str) -> str:
    return _hasher.hash(password)


def check(password: str, hashed: str | None) -> bool:
    """Verify a password. Takes the same time if there is no hash, so that users cannot be enumerated."""
    try:
        return _hasher.verify(hashed or _DECOY, password[: MAX_LENGTH + 1]) and hashed is not None
    except (Argon2Error, InvalidHashError):
        return False
