"""The questions that every administration page is asked."""

from __future__ import annotations

from collections.abc import Iterable

import time_machine
from flask.testing import FlaskClient

from dashboard import clock
from dashboard.access.permissions import Permission
from dashboard.models import AuditEntry, User
from tests import make

EVERYTHING = ("all_users", "all_queues")
HOSTILE = '"><script>alert(1)</script>&amp;'
SHOWN = "&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;"


def sign_in_with(
    client: FlaskClient, *permissions: Permission, grants: Iterable[str | tuple[str, int]] = EVERYTHING
) -> User:
    """Sign in a new user with these permissions and this scope."""
    user = make.user(access=make.access(permissions, grants))
    make.sign_in(client, user)
    return user


def refuses_strangers(client: FlaskClient, url: str) -> None:
    """Signed out: the sign-in page, and 401 to htmx. Signed in without the right: 403."""
    client.delete_cookie("stopa")
    assert "/sign-in" in client.get(url).headers["Location"]
    assert client.get(url, headers={"HX-Request": "true"}).status_code == 401
    sign_in_with(client, Permission.HOME_VIEW)
    assert client.get(url).status_code == 403


def refuses_posts(client: FlaskClient, url: str, *permissions: Permission) -> None:
    """A POST without the right is 403."""
    sign_in_with(client, *permissions)
    assert client.post(url).status_code == 403


def fragment_is_block(client: FlaskClient, url: str) -> None:
    """What htmx gets for #result stands in the page word for word, and no more."""
    with time_machine.travel(clock.now_s(), tick=False):  # both say as of when they are
        page = client.get(url).text
        part = client.get(url, headers={"HX-Request": "true", "HX-Target": "result"}).text.strip()
    assert part.startswith('<section id="result"')
    assert part.endswith("</section>")
    assert part in page


def audited(action: str) -> AuditEntry:
    """Return the only entry of this action."""
    (entry,) = AuditEntry.select().where(AuditEntry.action == action)
    found: AuditEntry = entry
    return found


def entries() -> int:
    """How much has been changed so far; refused requests do not count."""
    return int(AuditEntry.select().where(AuditEntry.outcome == "success").count())
