"""The second step of a sign-in: codes of an app, recovery codes, roles that require it, and its reset."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import pyotp
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from dashboard.access import guard, sessions, two_factor
from dashboard.access.pending_sign_ins import COOKIE, KEPT_S
from dashboard.audit import user_erasure
from dashboard.models import Access, AuditEntry, PendingSignIn, RecoveryCode, Session, TwoFactor, User
from tests import make
from tests.pages.asks import audited
from tests.pages.door import PASSWORD, at_once, enter, is_in

pytestmark = pytest.mark.both_databases

NOW = 1_772_000_010  # 10 s before the next time step
STEP = "/sign-in/second-step"
OFF, CODES = "/account/two-factor/off", "/account/two-factor/codes"


@pytest.fixture(autouse=True)
def today() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def jana(app: Flask) -> User:
    return make.user("jana", access=make.access(name="Agents"), password=PASSWORD)


def turn_on(user: User) -> list[str]:
    """Turn the second factor on with the code of the step before, so that those of now are unused."""
    two_factor.begin(user.id)
    codes = two_factor.confirm(user.id, code(user, -1))
    assert codes is not None
    return codes


def code(user: User, steps: int = 0) -> str:
    return pyotp.TOTP(TwoFactor.get_by_id(user.id).secret).at(NOW + steps * 30)


def step(client: FlaskClient, given: str, target: str = "/") -> int:
    return client.post(STEP, data={"code": given, "next": target}).status_code


def test_a_password_alone_opens_nothing_where_a_second_factor_is_on(client: FlaskClient, jana: User) -> None:
    turn_on(jana)
    answer = enter(client, next="/tracing?unit=week")
    assert answer.headers["Location"] == f"{STEP}?next=/tracing?unit%3Dweek"
    assert not is_in(client)
    assert not Session.select().exists()
    held = client.get_cookie(COOKIE)
    assert held is not None
    assert held.http_only
    assert "jana" not in held.value
    assert held.value not in str(list(PendingSignIn.select().dicts()))
    page = client.get(answer.headers["Location"]).text
    assert 'value="/tracing?unit=week"' in page
    done = client.post(STEP, data={"code": code(jana), "next": "/tracing?unit=week"})
    assert done.headers["Location"] == "/tracing?unit=week"
    assert is_in(client)
    assert not PendingSignIn.select().exists()
    assert audited("auth.signed_in").details == {"method": "password", "second_factor": "app"}


def test_codes_of_the_app_count_once_and_within_one_step(
    app: Flask, jana: User, today: time_machine.Traveller
) -> None:
    """A table of attempts in a row: time, step of the code (or a text) and whether it signs in."""
    turn_on(jana)
    for after_s, given, works in (
        (0, code(jana, -1), False),  # it turned the second factor on
        (0, code(jana, 2), False),  # a clock a minute ahead
        (0, "000000", False),
        (0, "", False),
        (0, code(jana, 0), True),
        (0, code(jana, 0), False),  # used
        (0, code(jana, 1), True),  # a clock up to one step ahead
        (20, code(jana, 0), False),  # older than the last one taken
        (1000, code(jana, 32), True),  # of the step before: a clock that is late
        (1000, "".join(chr(ord(digit) + 0xFEE0) for digit in code(jana, 33)), True),  # full width
        (1100, f"{code(jana, 36)[:3]} {code(jana, 36)[3:]}", True),
        (2000, code(jana, 64), False),  # two steps late
    ):
        today.move_to(NOW + after_s)
        client = app.test_client()
        enter(client)
        assert step(client, given) == (302 if works else 422), (after_s, given)
        assert is_in(client) == works


def test_a_recovery_code_signs_in_once(app: Flask, jana: User) -> None:
    codes = turn_on(jana)
    assert len({re.fullmatch(r"(?:[A-Z2-7]{4}-){3}[A-Z2-7]{4}", each) and each for each in codes}) == 10
    assert not any(each.replace("-", "") in str(list(RecoveryCode.select().dicts())) for each in codes)
    first, second = app.test_client(), app.test_client()
    enter(first)
    assert step(first, codes[3].lower().replace("-", " ")) == 302
    assert "You used a recovery code. 9 are left." in first.get("/account").text
    assert audited("auth.signed_in").details["second_factor"] == "recovery_code"
    enter(second)
    assert step(second, codes[3]) == 422
    assert step(second, codes[4]) == 302


def test_a_code_that_comes_twice_at_once_signs_in_once(app: Flask, jana: User) -> None:
    codes = turn_on(jana)
    for given, proof in ((code(jana), two_factor.Proof.APP), (codes[0], two_factor.Proof.RECOVERY_CODE)):

        def take(_n: int, given: str = given) -> two_factor.Proof | None:
            with app.app_context():
                return two_factor.take(jana.id, given)

        assert at_once(4, take) == {proof: 1, None: 3}


def test_what_ends_a_sign_in_before_its_second_step(
    app: Flask, jana: User, today: time_machine.Traveller
) -> None:
    turn_on(jana)
    other = make.user("petr", access=jana.access, password=PASSWORD)
    turn_on(other)
    for name, values in (
        ("a new password", {"password_hash": other.password_hash}),
        ("deactivation", {"deactivated_ts": NOW}),
        ("no role", {"access": None}),
    ):
        client = app.test_client()
        enter(client)
        User.update(values).where(User.id == jana.id).execute()
        assert client.post(STEP, data={"code": code(jana)}).headers["Location"] == "/sign-in", name
        assert not is_in(client), name
        User.update(password_hash=jana.password_hash, deactivated_ts=None, access=jana.access_id).execute()
    client = app.test_client()
    enter(client)
    sessions.end_all(jana.id)
    assert client.get(STEP).headers["Location"] == "/sign-in", "signed out everywhere"
    enter(client)
    today.shift(KEPT_S + 1)
    assert client.get(STEP).headers["Location"] == "/sign-in"
    assert "The sign-in took too long" in client.get("/sign-in").text
    enter(client)
    assert app.test_client().post(STEP, data={"code": code(jana)}).headers["Location"] == "/sign-in"
    enter(client, login="petr")  # the cookie is now that of another sign-in
    assert step(client, code(jana, 20)) == 422


def test_wrong_codes_are_limited_per_account(
    app: Flask, client: FlaskClient, jana: User, today: time_machine.Traveller
) -> None:
    turn_on(jana)
    known = app.test_client()
    enter(known)
    assert step(known, code(jana)) == 302
    for _ in range(5):
        enter(client)
        assert step(client, "123456") == 422
    fresh = app.test_client()
    enter(fresh)
    answer = fresh.post(STEP, data={"code": code(jana, 1)})
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "900"
    failures = AuditEntry.select().where(AuditEntry.action == "auth.sign_in_failed")
    reasons = ["second_factor"] * 5 + ["throttled"]
    assert [each.details["why"] for each in failures.order_by(AuditEntry.id)] == reasons
    known.post("/sign-out")
    enter(known)
    assert step(known, code(jana, 1)) == 302  # strangers do not keep the user out
    today.shift(901)
    enter(fresh)
    assert step(fresh, pyotp.TOTP(TwoFactor.get_by_id(jana.id).secret).at(NOW + 901)) == 302


def test_a_role_that_requires_it_lets_nobody_in_without(client: FlaskClient, app: Flask, jana: User) -> None:
    before = app.test_client()
    enter(before)
    assert is_in(before)
    Access.update(two_factor=True).where(Access.id == jana.access_id).execute()
    assert not is_in(before), "also who was signed in before"
    assert enter(client, next="/my-data").headers["Location"] == f"{STEP}?next=/my-data"
    page = client.get(STEP + "?next=/my-data").text
    secret = re.search(r">((?:[A-Z2-7]{4} ?){8})<", page)
    assert secret is not None
    assert secret[1].replace(" ", "") == TwoFactor.get_by_id(jana.id).secret
    assert "<svg" in page
    assert "style=" not in page
    for path in ("/account", "/my-data", "/account/two-factor"):
        assert client.get(path).status_code == 302
    assert step(client, "000000") == 422
    assert audited("auth.sign_in_failed").details == {"why": "second_factor"}
    done = client.post(STEP, data={"code": code(jana), "next": "/my-data"})
    assert done.status_code == 200
    assert len(re.findall(r"(?:[A-Z2-7]{4}-){3}[A-Z2-7]{4}", done.text)) == 10
    assert 'href="/my-data"' in done.text
    assert (is_in(client), is_in(before)) == (True, False)
    assert audited("auth.two_factor_on").actor_label == "jana"
    assert (
        client.post(OFF, data={"current": PASSWORD, "code": code(jana, 1)}).headers["Location"] == "/account"
    )
    assert not is_in(client)  # and sets up a new one before anything else
    assert enter(client).headers["Location"].startswith(STEP)


def test_it_is_set_up_and_turned_off_in_my_account(client: FlaskClient, jana: User) -> None:
    make.sign_in(client, jana)
    assert client.post("/account/two-factor", data={"current": "wrong"}).status_code == 422
    assert not TwoFactor.select().exists()
    assert client.post("/account/two-factor", data={"current": PASSWORD}).status_code == 302
    page = unescape(client.get("/account/two-factor").text)
    assert f">{two_factor.in_groups(TwoFactor.get_by_id(jana.id).secret, ' ')}<" in page
    assert two_factor.state(jana.id) is None
    assert client.post("/account/two-factor/confirm", data={"code": "000000"}).status_code == 422
    shown = client.post("/account/two-factor/confirm", data={"code": code(jana)})
    assert shown.status_code == 200
    assert "10 recovery codes are left." in client.get("/account").text
    assert client.post("/account/two-factor", data={"current": PASSWORD}).status_code == 409
    first = re.findall(r"(?:[A-Z2-7]{4}-){3}[A-Z2-7]{4}", shown.text)
    for path, data, field in (
        (CODES, {"current": "wrong", "code": code(jana, 1)}, "current"),
        (CODES, {"current": PASSWORD, "code": "000000"}, "code"),
        (OFF, {"current": PASSWORD}, "code"),
        (OFF, {"code": code(jana, 1)}, "current"),
    ):
        answer = client.post(path, data=data)
        assert answer.status_code == 422
        assert f'id="e-{field}"' in answer.text
    renewed = client.post(CODES, data={"current": PASSWORD, "code": first[0]})
    assert not set(first) & set(re.findall(r"(?:[A-Z2-7]{4}-){3}[A-Z2-7]{4}", renewed.text))
    assert client.post(OFF, data={"current": PASSWORD, "code": first[1]}).status_code == 422
    assert client.post(OFF, data={"current": PASSWORD, "code": code(jana, 1)}).status_code == 302
    assert not TwoFactor.select().exists()
    assert not RecoveryCode.select().exists()
    assert is_in(client)
    for action in ("auth.two_factor_on", "auth.recovery_codes_made", "auth.two_factor_off"):
        assert audited(action).target_id == str(jana.id)


def test_guesses_in_my_account_are_limited(client: FlaskClient, jana: User) -> None:
    turn_on(jana)
    make.sign_in(client, jana)
    for _ in range(5):
        assert client.post(OFF, data={"current": PASSWORD, "code": "000000"}).status_code == 422
    assert client.post(OFF, data={"current": PASSWORD, "code": code(jana)}).status_code == 429


def test_a_secret_is_sealed_and_one_of_another_key_leaves_the_recovery_codes(
    client: FlaskClient, jana: User
) -> None:
    codes = turn_on(jana)
    raw = TwoFactor.select(TwoFactor.secret.cast("TEXT")).tuples()[0][0]
    assert raw.startswith("sealed1:")
    TwoFactor._meta.database.execute_sql("UPDATE two_factor SET secret = 'sealed1:other'")
    enter(client)
    assert step(client, codes[0]) == 302


def test_an_administrator_resets_it_and_the_command_line_too(
    app: Flask, client: FlaskClient, jana: User
) -> None:
    run = app.test_cli_runner().invoke
    admin, path = make.administrator(), f"/users/{jana.id}/two-factor"
    make.sign_in(client, admin)
    assert "Reset two-factor sign-in" not in client.get(f"/users/{jana.id}").text
    turn_on(jana)
    inside = app.test_client()
    enter(inside)
    step(inside, code(jana))
    half = app.test_client()
    enter(half)
    assert "Reset two-factor sign-in" in client.get(f"/users/{jana.id}").text
    listed = client.get("/users.csv?two_factor=1&columns=login&columns=two_factor").text
    assert ("jana" in listed, "admin" in listed) == (True, False)
    assert client.post(path).status_code == 302
    assert not is_in(inside)
    assert enter(inside).headers["Location"] == "/"
    assert half.get(STEP).headers["Location"] == "/sign-in"  # was asked for a code that is none any more
    assert audited("auth.two_factor_reset").details == {"sessions": 1}
    assert "in My account" in client.post(f"/users/{admin.id}/two-factor").text
    turn_on(jana)
    assert run(args=["user", "two-factor", "jana"]).output.endswith("recovery codes left: 10\n")
    assert run(args=["user", "two-factor", "jana", "--reset"]).exit_code == 0
    assert run(args=["user", "two-factor", "jana"]).output == "off\n"
    assert run(args=["access", "set", "Agents", "--two-factor"]).exit_code == 0
    assert Access.get(Access.name == "Agents").two_factor
    assert "two-factor" in run(args=["access", "show", "Agents"]).output


def test_an_erased_user_leaves_no_factor(jana: User) -> None:
    turn_on(jana)
    user_erasure.erase(jana.id)
    assert not TwoFactor.select().exists()
    assert not RecoveryCode.select().exists()


def test_over_https_the_cookie_of_the_second_step_has_the_prefix(app: Flask, jana: User) -> None:
    turn_on(jana)
    client = app.test_client()
    sent = client.post(
        "/sign-in", base_url="https://localhost", data={"login": "jana", "password": PASSWORD}
    ).headers.getlist("Set-Cookie")
    assert [line.partition("=")[0] for line in sent if COOKIE in line] == [f"__Host-{COOKIE}"]
    assert all("Secure" in line and "Path=/" in line and "Domain" not in line for line in sent)
    assert not any(line.startswith(f"__Host-{guard.COOKIE}=") for line in sent)
