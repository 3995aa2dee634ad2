"""The second factor of a sign-in: codes of an authenticator app (TOTP, RFC 6238), and recovery codes.

A code counts once, also where two requests bring it at the same moment; so does a recovery code.
"""

from __future__ import annotations

import secrets
import unicodedata
from base64 import b32encode
from enum import StrEnum
from hmac import compare_digest
from typing import NamedTuple

import pyotp

from dashboard import clock
from dashboard.access.keys import digest
from dashboard.db import database
from dashboard.models import RecoveryCode, TwoFactor, User

STEP_S = 30
SKEW_STEPS = 1  # by which the clock of a device may be ahead or behind
RECOVERY_CODES = 10
RECOVERY_BYTES = 10  # 80 bits: 16 letters, which nobody finds from a hash


class Proof(StrEnum):
    """What was taken for the second factor."""

    APP = "app"
    RECOVERY_CODE = "recovery_code"


class State(NamedTuple):
    """The second factor of a user: since when it is asked for, and how many recovery codes are left."""

    since_ts: int
    codes: int


def state(user_id: int) -> State | None:
    """Return the user's second factor, None while there is none or it is still being set up."""
    row = _row(user_id)
    if row is None or row.confirmed_ts is None:
        return None
    return State(row.confirmed_ts, RecoveryCode.select().where(RecoveryCode.user_id == user_id).count())


def is_required(user: User) -> bool:
    """Return whether the user's role requires a second factor."""
    return user.access is not None and user.access.two_factor


def begin(user_id: int) -> None:
    """Make a new secret to be set up, in place of one that was not confirmed; a confirmed one stays."""
    with database.atomic():
        TwoFactor.delete().where((TwoFactor.user_id == user_id) & TwoFactor.confirmed_ts.is_null()).execute()
        row = {"user_id": user_id, "secret": pyotp.random_base32()}
        TwoFactor.insert(row).on_conflict_ignore().execute()


def new_secret(user_id: int) -> str:
    """Return the secret that is being set up, "" without one."""
    row = _row(user_id)
    return str(row.secret) if row is not None and row.confirmed_ts is None else ""


def address(secret: str, login: str, site: str) -> str:
    """Return the otpauth address that an authenticator app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=site)


def confirm(user_id: int, code: str) -> list[str] | None:
    """Turn the second factor on with a code of the new secret; return the recovery codes, or None.

    Must be called inside a transaction.
    """
    row = _row(user_id)
    step = _step_of(row, _plain(code)) if row is not None and row.confirmed_ts is None else None
    if row is None or step is None:
        return None
    mine = (TwoFactor.user_id == user_id) & TwoFactor.confirmed_ts.is_null()
    values = {"confirmed_ts": clock.now_s(), "last_step": step}
    return renew_codes(user_id) if TwoFactor.update(values).where(mine).execute() else None


def take(user_id: int, code: str) -> Proof | None:
    """Use up a code of the app or a recovery code; return which it was, None where it is wrong."""
    plain, row = _plain(code), _row(user_id)
    if row is None or row.confirmed_ts is None:
        return None
    step = _step_of(row, plain)
    if step is not None:
        unused = (TwoFactor.user_id == user_id) & (TwoFactor.last_step < step)
        return Proof.APP if TwoFactor.update(last_step=step).where(unused).execute() else None
    mine = (RecoveryCode.user_id == user_id) & (RecoveryCode.code_hash == digest(plain))
    return Proof.RECOVERY_CODE if RecoveryCode.delete().where(mine).execute() else None


def renew_codes(user_id: int) -> list[str]:
    """Replace the recovery codes and return the new ones; only their hashes are stored."""
    plain = [b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode() for _ in range(RECOVERY_CODES)]
    with database.atomic():
        RecoveryCode.delete().where(RecoveryCode.user_id == user_id).execute()
        rows = [{"user_id": user_id, "code_hash": digest(each)} for each in plain]
        RecoveryCode.insert_many(rows).execute()
    return [in_groups(each, "-") for each in plain]


def remove(user_id: int) -> bool:
    """Delete the second factor of a user; return whether it was on."""
    was_on = state(user_id) is not None
    with database.atomic():
        TwoFactor.delete().where(TwoFactor.user_id == user_id).execute()
        RecoveryCode.delete().where(RecoveryCode.user_id == user_id).execute()
    return was_on


def in_groups(text: str, between: str) -> str:
    """Return a key or a code in groups of four, as people type it."""
    return between.join(text[at : at + 4] for at in range(0, len(text), 4))


def _row(user_id: int) -> TwoFactor | None:
    row: TwoFactor | None = TwoFactor.get_or_none(TwoFactor.user_id == user_id)
    return row


def _plain(code: str) -> str:
    """Return a code without the spaces and hyphens that people type, in ASCII capitals."""
    folded = unicodedata.normalize("NFKC", code[:100]).upper()
    return "".join(letter for letter in folded if letter.isascii() and letter.isalnum())


def _step_of(row: TwoFactor, code: str) -> int | None:
    """Return the time step of a code that is valid now and later than the last one taken."""
    if not row.secret:  # sealed with another secret key
        return None
    app, now = pyotp.TOTP(row.secret), clock.now_s() // STEP_S
    near = range(now - SKEW_STEPS, now + SKEW_STEPS + 1)
    right = [step for step in near if compare_digest(app.at(step * STEP_S), code)]
    return next((step for step in right if step > row.last_step), None)
