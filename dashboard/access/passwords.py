"""Password hashing: Argon2id with the parameters that OWASP recommends (19 MiB, 2 passes, 1 lane)."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from dashboard.i18n.message import N_

MIN_LENGTH = 8
MAX_LENGTH = 256  # bounds the hashing time of unauthenticated requests
_hasher = PasswordHasher(memory_cost=19 * 1024, time_cost=2, parallelism=1)
_DECOY = _hasher.hash("no user has this password")

# The most common passwords of public lists that are long enough to pass the length rule.
COMMON = frozenset(
    """password password1 password12 password123 passw0rd p@ssw0rd p@ssword 12345678 123456789 1234567890
    11111111 00000000 87654321 88888888 123123123 12341234 qwertyui qwertyuiop qwerty123 1q2w3e4r 1q2w3e4r5t
    1qaz2wsx asdfghjkl zxcvbnm1 iloveyou sunshine princess football baseball superman starwars trustno1
    welcome1 welcome123 letmein1 admin123 administrator changeme computer internet whatever heslo123
    heslo1234 sakura123""".split()  # noqa: SIM905  more readable than a list of literals
)


def problem(password: str, login: str = "") -> str | None:
    """Return what is wrong with a new password (a translatable message), or None."""
    if len(password) < MIN_LENGTH:
        return N_("Use at least 8 characters.")
    if len(password) > MAX_LENGTH:
        return N_("Use up to 256 characters.")
    if password.lower() in COMMON or password.lower() == login.lower():
        return N_("This password is too common. Choose another.")
    return None


def make(password: str) -> str:
    return _hasher.hash(password)


def check(password: str, hashed: str | None) -> bool:
    """Verify a password. Takes the same time if there is no hash, so that users cannot be enumerated."""
    try:
        return _hasher.verify(hashed or _DECOY, password[: MAX_LENGTH + 1]) and hashed is not None
    except (Argon2Error, InvalidHashError):
        return False
