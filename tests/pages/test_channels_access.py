"""Who may do what to a channel, and that one which rules use stays."""

from __future__ import annotations

from flask.testing import FlaskClient

from dashboard.access.permissions import Permission
from dashboard.models import Channel
from tests import make
from tests.notify import steps
from tests.pages import asks

P = Permission
ADDRESS = "https://hooks.example.com/x"


def test_a_channel_that_rules_use_stays(client: FlaskClient) -> None:
    asks.sign_in_with(client, P.CHANNELS_VIEW, P.CHANNELS_EDIT, P.RULES_VIEW)
    row = steps.channel(ADDRESS)
    then = {"types": ["chat.queued"], "then": [{"do": "webhook", "channel": row.id}]}
    site = steps.rule(name="Waits <long>", definition=then)
    personal = steps.rule(definition=then, owner_id=make.user().id)
    url = f"/settings/channels/{row.id}/delete"
    for answer in (client.get(url), client.post(url)):
        assert "Waits &lt;long&gt;" in answer.text
        assert "Used by 1 rule you don&#39;t have access to." in answer.text
        assert personal.name not in answer.text
    assert client.post(url).status_code == 422
    assert Channel.select().exists()
    for rule in (site, personal):
        rule.delete_instance()
    assert client.post(url).status_code == 302
    assert not Channel.select().exists()
    asks.audited("channel.deleted")


def test_who_may(client: FlaskClient) -> None:
    row = steps.channel(ADDRESS)
    base = f"/settings/channels/{row.id}"
    for url in ("/settings/channels", "/settings/channels/new", base, f"{base}/delete"):
        asks.refuses_strangers(client, url)
    verbs = ("test", "enable", "disable", "delete")
    for url in ("/settings/channels/new", base, *(f"{base}/{verb}" for verb in verbs)):
        asks.refuses_posts(client, url, P.CHANNELS_VIEW)
    assert "<fieldset disabled>" in client.get(base).text
    assert asks.entries() == 0
    asks.sign_in_with(client, P.CHANNELS_EDIT)
    for ident in ("0", "999", "99999999999999999999", "x"):
        assert client.get(f"/settings/channels/{ident}").status_code == 404
        assert client.post(f"/settings/channels/{ident}/test").status_code == 404
    assert client.get(f"{base}/test").status_code == 405
    assert client.put(base).status_code == 405


def test_hostile_text_is_shown_as_typed(client: FlaskClient) -> None:
    asks.sign_in_with(client, P.CHANNELS_VIEW)
    row = steps.channel(ADDRESS, name=asks.HOSTILE)
    for url in ("/settings/channels", f"/settings/channels/{row.id}"):
        assert asks.SHOWN in client.get(url).text
