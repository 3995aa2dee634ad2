"""Events go in, runs come out: whether a rule matched, what it saw, what it did, and never twice."""

from __future__ import annotations

import pytest

from dashboard.models import AuditEntry
from tests import make
from tests.rules.engine import LOG, event, notices, notify, rule, steps, take

pytestmark = pytest.mark.usefixtures("db")

BIG = {"all": [{"field": "data.value", "op": "is", "value": "100"}]}


def test_a_rule_that_matches_does_its_actions_in_the_digests_transaction() -> None:
    jana = make.user("jana")
    one = rule([notify(jana, title="Sold for {{ data.value }}"), LOG])
    assert take(event(data={"value": "100"})) == [(one.id, "done")]
    assert steps() == [("notify", "done"), ("log", "done")]
    assert notices(jana) == ["Sold for •••"]
    entry = AuditEntry.get(AuditEntry.action == "rule.logged")
    assert (entry.actor_type, entry.target_id, entry.details["text"]) == ("system", str(one.id), "seen")
