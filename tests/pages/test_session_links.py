"""Co-browsing sessions beside contact, interaction and visit."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from dashboard.events import erasure
from dashboard.models import Contact, Interaction, Visit
from dashboard.sources.declared.visits import browser_name
from tests import make
from tests.pages.test_audit import P
from tests.pages.test_sessions import number, present, three, viewer  # noqa: F401  a fixture

pytestmark = pytest.mark.both_databases


def test_an_erased_contact_is_erased_in_its_session(client: FlaskClient) -> None:
    viewer(client, P.PII_UNMASK)
    three()
    assert "Eva Malá" in client.get(f"/sessions/{number('s2')}").text
    contact = Contact.get(Contact.email == "eva@example.org")
    erasure.erase(contact.id)
    page = client.get(f"/sessions/{number('s2')}").text
    assert "Malá" not in page
    assert erasure.pseudonym(contact.id) in page


def test_a_session_and_its_interaction_lead_to_each_other(client: FlaskClient) -> None:
    viewer(client, P.QUEUES_FIGURES)
    three()
    session = f"/sessions/{number('s2')}"
    interaction = f"/interactions/{Interaction.get(Interaction.external_id == 'c-2').id}"
    assert f'href="{interaction}"' in client.get(session).text
    assert f'href="{session}"' in client.get(interaction).text
    make.sign_in(client, make.user(access=make.access([P.QUEUES_FIGURES], ["all_users", "all_queues"])))
    assert f'href="{session}"' not in client.get(interaction).text
    viewer(client, P.VISITORS_VIEW)
    visit = Visit.get(Visit.token == "s3").id
    assert f'href="/visitors/{visit}"' in client.get(f"/sessions/{number('s3')}").text


def test_the_session_of_a_visit_is_named_by_its_visitor(client: FlaskClient) -> None:
    viewer(client)
    three()
    ident, name = number("s3"), browser_name("b")
    page = client.get(f"/sessions/{ident}").text
    assert f"<h1>{name}</h1>" in page
    assert "s3" in page.partition('id="facts"')[2]
    assert "<h1>Session s1</h1>" in client.get(f"/sessions/{number()}").text
    for path in ("/sessions.csv?period=today", "/sessions/actions.csv?period=today"):
        assert name in client.get(path).text, path
