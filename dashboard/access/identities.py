"""Users whom a provider or a proxy names: which user here they are, and what the claims give them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from peewee import fn

from dashboard import clock
from dashboard.access import accounts, granting, sessions
from dashboard.access.oidc import Claims, Proof
from dashboard.access.sign_in_settings import SignIn
from dashboard.audit import record as audit
from dashboard.events import erased_logins
from dashboard.i18n.message import N_
from dashboard.models import Access, Team, TeamMember, User, UserIdentity

ACTOR = ("system", None, "sign-in")
NAME_MAX, EMAIL_MAX, LOGIN_MAX = 200, 254, 120

UNKNOWN = N_("There is no user for you here. Ask an administrator to add you.")
TAKEN = N_("A user with your username already exists and isn't linked to you. Ask an administrator.")
NO_ROLE = N_("You have no role here. Ask an administrator.")
DEACTIVATED = N_("Your user is deactivated. Ask an administrator.")
NO_LOGIN = N_("The sign-in provider sent no usable username. Ask an administrator.")
UNVERIFIED = N_("Your email address isn't verified by the sign-in provider. Verify it there first.")


class RefusedError(Exception):
    """Nobody may sign in by this; a marked sentence, and the name that was given."""

    def __init__(self, message: str, login: str) -> None:
        super().__init__(message)
        self.message, self.login = message, login


def of_proof(chosen: SignIn, proof: Proof) -> User:
    """Return the active user of a proved identity with the role and the teams that the claims give.

    The last administrator keeps the role. Whoever has no role any more is signed out everywhere. Raises
    RefusedError.
    """
    try:
        with granting.keeping_administrator():
            return _settled(chosen, proof, keeps_role=False)
    except granting.RefusedError:
        with granting.keeping_administrator():
            return _settled(chosen, proof, keeps_role=True)
    except RefusedError as error:
        user = _known(proof)
        if user is not None and error.message == NO_ROLE:
            sessions.end_all(user.id)
        raise


def of_login(chosen: SignIn, login: str) -> User:
    """Return the active user whom a proxy names.

    One who is not known, or from events only, gets the role of users without a line if that was chosen.
    Raises RefusedError.
    """
    user: User | None = User.get_or_none(User.login == login)
    if user is not None and user.deactivated_ts is not None:
        raise RefusedError(DEACTIVATED, login)
    if user is None or user.access_id is None:
        if not chosen.adds:
            raise RefusedError(UNKNOWN if user is None else NO_ROLE, login)
        with granting.keeping_administrator():
            role = _role(chosen, {}, login)
            user = User.get_or_none(User.login == login) or _added(chosen, login, {}, role)
            _give(user, role, (frozenset(), frozenset()))
    return user


def unlink(user: User) -> None:
    """Forget who the user is at providers and end the sessions, in the caller's transaction."""
    rows = list(UserIdentity.select().where(UserIdentity.user == user.id))
    UserIdentity.delete().where(UserIdentity.user == user.id).execute()
    sessions.end_all(user.id)
    for row in rows:
        key = {"issuer": row.issuer, "subject": row.subject}
        audit.record("user.updated", "u", audit.user_target(user), {"identity": (key, None)})


def issuers(user_id: int) -> list[str]:
    """Return the names of the providers that the user is linked to."""
    query = UserIdentity.select(UserIdentity.issuer).where(UserIdentity.user == user_id)
    return [name for (name,) in query.order_by(UserIdentity.issuer).tuples()]


def _settled(chosen: SignIn, proof: Proof, keeps_role: bool) -> User:
    claims, login = proof.claims, _login(chosen, proof.claims)
    user = _known(proof)
    is_linked = user is not None
    user = user or _named(chosen, proof)
    role = _role(chosen, claims, login)
    if user is None:
        user = _added(chosen, login, claims, role)
    if user.deactivated_ts is not None:
        raise RefusedError(DEACTIVATED, login)
    if not is_linked:
        key = {"issuer": proof.issuer, "subject": proof.claims["sub"]}
        UserIdentity.create(user=user, created_ts=clock.now_s(), **key)
        audit.record("user.updated", "u", audit.user_target(user), {"identity": (None, key)}, actor=ACTOR)
    _give(user, user.access if keeps_role else role, _teams(chosen, claims, user))
    return user


def _known(proof: Proof) -> User | None:
    u = UserIdentity
    mine = (u.issuer == proof.issuer) & (u.subject == proof.claims["sub"])
    found: User | None = User.select().join(u).where(mine).first()
    return found


def _named(chosen: SignIn, proof: Proof) -> User | None:
    """Return the user here whom the claims name, where the administrator allows it.

    Raises RefusedError for a user who is another one at this provider.
    """
    login, email = _login(chosen, proof.claims), _email(proof.claims)
    found: list[User] = []
    if chosen.links_logins and login:
        found = list(User.select().where(User.login == login))
    if not found and chosen.links_emails and email:
        same = User.email == email
        if email.isascii():  # in others, letters that differ become the same: K and the sign of kelvin
            same |= fn.LOWER(User.email) == email.lower()
        found = list(User.select().where(same).limit(2))
    if len(found) != 1:
        return None
    u = UserIdentity
    if u.select().where((u.user == found[0].id) & (u.issuer == proof.issuer)).exists():
        raise RefusedError(TAKEN, login)
    return found[0]


def _added(chosen: SignIn, login: str, claims: Claims, role: Access) -> User:
    if not chosen.adds:
        raise RefusedError(UNKNOWN, login)
    if not accounts.LOGIN.fullmatch(login):
        raise RefusedError(NO_LOGIN, login)
    if erased_logins.users([login]) or User.select().where(User.login == login).exists():
        raise RefusedError(TAKEN, login)
    name = " ".join(str(claims.get("name") or "").split())
    named = name if name.isprintable() and 0 < len(name) <= NAME_MAX else login
    row: User = User.create(
        login=login, name=named, email=_email(claims), access=role, created_ts=clock.now_s()
    )
    audit.record("user.created", "c", audit.user_target(row), {"access": (None, role.name)}, actor=ACTOR)
    return row


def _give(user: User, role: Access | None, teams: tuple[frozenset[int], frozenset[int]]) -> None:
    """Give an existing user a role and make the membership of the first teams that of the second."""
    have, want = teams
    changes: dict[str, tuple[Any, Any]] = {}
    if role is not None and role.id != user.access_id:
        changes["access"] = (user.access.name if user.access else None, role.name)
        User.update(access=role, version=User.version + 1).where(User.id == user.id).execute()
        user.access = role
    if have != want:
        changes["teams"] = (_names(have), _names(want))
        accounts.join(user.id, have, want)
    if changes:
        audit.record("user.updated", "u", audit.user_target(user), changes, actor=ACTOR)


def _role(chosen: SignIn, claims: Claims, login: str) -> Access:
    """Return the role of the first line that fits, else the default one. Raises RefusedError for none."""
    fitting = [line.access for line in chosen.lines if line.value in values(claims, line.claim)]
    for ident in (*fitting, chosen.access):
        row: Access | None = Access.get_or_none(Access.id == ident) if ident else None
        if row is not None:
            return row
    raise RefusedError(NO_ROLE, login)


def _teams(chosen: SignIn, claims: Claims, user: User) -> tuple[frozenset[int], frozenset[int]]:
    """Return the teams of the user now and with these claims; teams that no line names stay."""
    m = TeamMember
    have = frozenset(team for (team,) in m.select(m.team).where(m.user == user.id).tuples())
    lines = [line for line in chosen.lines if line.team]
    fitting = {line.team for line in lines if line.team and line.value in values(claims, line.claim)}
    known = {team for (team,) in Team.select(Team.id).where(Team.id.in_(sorted(fitting))).tuples()}
    return have, have - {line.team for line in lines if line.team} | known


def _names(teams: Iterable[int]) -> list[str]:
    query = Team.select(Team.name).where(Team.id.in_(sorted(teams))).order_by(Team.name)
    return [name for (name,) in query.tuples()]


def values(claims: Claims, name: str) -> frozenset[str]:
    """Return the texts of a claim, of one or of several; dots in `name` lead into objects."""
    found: Any = claims.get(name)
    if found is None:
        found = claims
        for part in name.split("."):
            found = found.get(part) if isinstance(found, dict) else None
    several = found if isinstance(found, list) else [found]
    texts = (str(each).lower() if isinstance(each, bool) else each for each in several)
    return frozenset(str(each) for each in texts if isinstance(each, str | int))


def _login(chosen: SignIn, claims: Claims) -> str:
    """Return the name that the claims give the user. Raises RefusedError for an unverified address."""
    if chosen.login_claim == "email" and not _email(claims):
        raise RefusedError(UNVERIFIED, "")
    login = claims.get(chosen.login_claim)
    fits = isinstance(login, str) and login.isprintable() and len(login) <= LOGIN_MAX
    return str(login) if fits else ""


def _email(claims: Claims) -> str:
    """Return the verified address, "" without one."""
    email = claims.get("email")
    verified = str(claims.get("email_verified")).lower() == "true"
    fits = isinstance(email, str) and "@" in email and email.isprintable() and len(email) <= EMAIL_MAX
    return str(email) if verified and fits else ""
