"""Mail of a rule to the customer: to which address, with which texts, and what it is refused for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dashboard.access.permissions import Permission as P
from dashboard.models import Step, User
from dashboard.rulelang import actions, schema
from dashboard.rulelang.schema import Definition
from dashboard.rules import action_planner
from dashboard.rules.recipients import customer
from tests import make
from tests.rulelang.make import SITE
from tests.rulelang.make import event as facts
from tests.rules.engine import event, outcomes, rule, steps, take

EVERYTHING = ("all_users", "all_queues")
TO: dict[str, Any] = {"roles": ["contact"]}
MAIL: dict[str, Any] = {"do": "email", "to": TO, "subject": "Dear {{ contact.name }}", "text": "We write."}


def errors(*then: dict[str, Any], types: tuple[str, ...] = ("ticket.created",)) -> dict[str, str]:
    found = schema.parse({"types": list(types), "then": list(then)}, SITE)
    return {} if isinstance(found, Definition) else {path: said.render() for path, said in found.items()}


@pytest.mark.parametrize("types", [("ticket.created",), ("ticket.idle",), ("call.closed", "custom.sale")])
def test_events_about_customers_may_notify_them(types: tuple[str, ...]) -> None:
    after = {"after": {"seconds": 600}} if types == ("ticket.idle",) else {}
    found = schema.parse({"types": list(types), **after, "then": [MAIL]}, SITE)
    assert isinstance(found, Definition)
    assert schema.load(schema.dump(found)) == found


@pytest.mark.parametrize("type_", ["agent.signed_in", "auth.signed_in", "mail_in.login_failed"])
def test_events_of_the_site_itself_have_no_customer(type_: str) -> None:
    plain = {**MAIL, "subject": "S"}
    assert list(errors(plain, types=(type_,))) == ["then.0.to.roles"]
    assert list(errors(plain, types=("custom.sale", type_))) == ["then.0.to.roles"]


def test_the_customer_gets_no_notice() -> None:
    notice = {"do": "notify", "to": {"roles": ["contact", "owner"]}, "title": "T"}
    assert errors(notice) == {"then.0.to.roles": actions.ONLY_BY_MAIL}
    to = next(param for param in actions.ACTIONS["notify"].params if param.name == "to")
    roles = to.kind.parts()[0].kind
    assert isinstance(roles, actions.RoleNames)
    assert actions.Role.CONTACT not in roles.allowed


def test_a_rule_writes_to_the_customer_once() -> None:
    assert errors(MAIL, MAIL) == {"then.1.to.roles": schema.TWICE_TO_CUSTOMER}


def test_without_the_right_to_call_out_nobody_writes_to_customers() -> None:
    found = schema.parse({"types": ["ticket.created"], "then": [MAIL]}, replace(SITE, can_out=False))
    assert not isinstance(found, Definition)
    assert list(found) == ["then.0.do"]


@pytest.mark.parametrize(
    ("contact", "requester", "address"),
    [
        ("a@b.cz", "c@d.cz", "a@b.cz"),
        (None, "c@d.cz", "c@d.cz"),
        ("nobody", "c@d.cz", "c@d.cz"),
        ("a@b.cz, x@y.cz", None, ""),
        ("a@b.cz\r\nBcc: x@y.cz", None, ""),
        ("a\x00@b.cz", None, ""),
        (None, f"{'x' * 250}@b.cz", ""),
        (None, ["c@d.cz"], ""),
        (None, 7, ""),
        (None, None, ""),
    ],
)
def test_the_customer_is_the_contact_else_who_made_the_request(
    contact: str | None, requester: Any, address: str
) -> None:
    about = facts({"requester_email": requester}, "ticket.created", contact={"email": contact})
    assert customer(about) == address


EVA = {"name": "Eva", "phone": "+420123456789", "email": "Eva@example.org"}
TEXT = "{{ contact.name }} {{ contact.phone }} {{ contact.email }}; {{ ticket.cc }}; {{ ticket.title }}"


def sent() -> list[tuple[str, str, str]]:
    found = Step.select().where(Step.action == "email").order_by(Step.id)
    return [(step.recipient, step.payload["to"], step.payload["text"]) for step in found]


def ticket(**more: Any) -> dict[str, Any]:
    data = {"title": "Help", "cc": ["petr@example.org"], **more.pop("data", {})}
    return event("ticket.created", interaction="t1", user="agent", data=data, **more)


@pytest.mark.usefixtures("db")
def test_ones_own_details_are_whole_and_those_of_others_masked() -> None:
    author = make.user("author", access=make.access([P.HOME_VIEW], EVERYTHING))
    rule({**MAIL, "text": TEXT}, ["ticket.created"], updated_by=author.id)
    take(ticket(contact=EVA))
    whole = "Eva +420123456789 Eva@example.org; p•••@example.org; Help"
    assert sent() == [("eva@example.org", "Eva@example.org", whole)]


@pytest.mark.usefixtures("db")
def test_who_made_the_request_is_somebody_else_than_the_contact() -> None:
    author = make.user("author", access=make.access([P.HOME_VIEW], EVERYTHING))
    text = "{{ contact.name }} {{ ticket.requester }} {{ ticket.requester_email }}"
    rule({**MAIL, "text": text}, ["ticket.created"], updated_by=author.id)
    told = {"requester": "Adam", "requester_email": "adam@example.org"}
    take(ticket(contact=EVA, data=told), ticket(contact={"name": "Eva"}, data=told))
    assert [text for _to, _address, text in sent()] == [
        "Eva A••• a•••@example.org",
        "E••• Adam adam@example.org",
    ]


@pytest.mark.usefixtures("db")
def test_content_that_the_author_may_not_see_stays_hidden() -> None:
    author = make.user("author", access=make.access([P.HOME_VIEW]))
    rule({**MAIL, "text": TEXT}, ["ticket.created"], updated_by=author.id)
    take(ticket(contact=EVA))
    assert [text for _to, _address, text in sent()] == ["••• ••• •••; •••; •••"]


@pytest.mark.usefixtures("db")
def test_without_an_address_the_step_fails_and_says_why() -> None:
    one = rule({**MAIL, "limit": {"often": "once", "by": "subject"}}, ["ticket.created"])
    assert take(ticket()) == [(one.id, "failed")]
    assert steps(Step.state, Step.error) == [("failed", action_planner.NO_CUSTOMER)]
    take(ticket(contact=EVA))
    assert steps(Step.state)[1:] == [("waiting",)], "what failed does not count as done once"


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("by", ["subject", "recipient"])
def test_others_are_notified_though_the_customer_has_no_address(by: str) -> None:
    author = make.administrator("author")
    User.update(email="author@example.org").execute()
    mail = {**MAIL, "to": {"roles": ["contact", "owner"]}, "limit": {"often": "once", "by": by}}
    one = rule(mail, ["ticket.created"], updated_by=author.id)
    take(ticket())
    assert steps(Step.recipient, Step.state, Step.error) == [
        ("author@example.org", "waiting", ""),
        ("", "failed", action_planner.NO_CUSTOMER),
    ]
    assert outcomes(one) == [(one.id, "waiting")]


@pytest.mark.usefixtures("db")
def test_an_address_that_is_named_twice_gets_one_mail() -> None:
    rule({**MAIL, "addresses": ["EVA@example.org"]}, ["ticket.created"])
    take(ticket(contact=EVA))
    assert [to for to, _address, _text in sent()] == ["eva@example.org"]
