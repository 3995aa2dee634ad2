"""Rules for tests of the editor: stored, typed into its form, and read off its page."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from werkzeug.datastructures import MultiDict

from dashboard.models import (
    Rule,
    RuleVersion,
)
from dashboard.pages.ruleeditor import commands
from dashboard.pages.ruleeditor import form as rule_form
from dashboard.rulelang import schema
from tests.pages.posted_form import posted_fields

ZONE = "UTC"


SAYS: dict[str, Any] = {
    "types": ["chat.queued"],
    "if": {"all": [{"field": "data.position", "op": "ge", "value": 2}]},
    "then": [{"do": "notify", "to": {"roles": ["owner"]}, "title": "Chat waits", "text": ""}],
}


def stored(says: dict[str, Any] | None = None, **fields: Any) -> Rule:
    """Make a rule with its first version, as the editor leaves it."""
    read = schema.load(says or SAYS)
    assert isinstance(read, schema.Definition), read
    values = {
        "name": "Waiting",
        "created_ts": 0,
        "updated_ts": 0,
        "definition": schema.dump(read),
        **fields,
    }
    rule = Rule.create(**values)
    RuleVersion.create(rule=rule, version=1, name=rule.name, definition=rule.definition, made_ts=0)
    return rule


def posted(
    rule: Rule | None = None,
    op: str = "save",
    says: Any = None,
    typed: dict[str, str] | None = None,
    **head: Any,
) -> Any:
    """Return what the form of a rule posts when the button `op` is pressed, some fields `typed` anew."""
    values: dict[str, Any] = {"name": "Waiting", "list": "system", "state": "off"}
    if rule is not None:
        now = Rule.get_by_id(rule.id)
        values |= {"name": now.name, "state": now.state, "seen": commands.mark(now), "version": now.version}
    raw = says or (rule.definition if rule else SAYS)
    form = posted_fields(rule_form.typed(raw, **{**values, **head}), ZONE)
    for name, value in {**(typed or {}), "op": op}.items():
        form[name] = value
    return form


class Fields(HTMLParser):
    """What a browser would post of the form called `rule`, without a button."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: MultiDict[str, str] = MultiDict()
        self.inside, self.select, self.area = False, "", ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.inside = self.inside or (tag == "form" and given.get("id") == "rule")
        if not (self.inside or self.select or given.get("form") == "rule"):
            return
        if tag == "input" and "name" in given:
            ticks = given.get("type") in ("checkbox", "radio")
            if not ticks or "checked" in given:
                self.found.add(given["name"], given.get("value", ""))
        elif tag == "select":
            self.select = given.get("name", "")
        elif tag == "textarea":
            self.area = given.get("name", "")
            self.found.add(self.area, "")
        elif tag == "option" and self.select and ("selected" in given or self.select not in self.found):
            self.found[self.select] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        if self.area:
            self.found[self.area] = data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        elif tag == "select":
            self.select = ""
        elif tag == "textarea":
            self.area = ""
