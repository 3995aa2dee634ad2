"""What a page holds, read by an HTML parser rather than by looking for texts."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import NamedTuple

VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}


class Element(NamedTuple):
    tag: str
    attributes: dict[str, str]


@dataclass
class Page(HTMLParser):
    """The elements of a page in order, its texts, and the cells of its table rows by the row's id."""

    source: str
    elements: list[Element] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    rows: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._row: list[str] | None = None
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.elements.append(Element(tag, found))
        if tag == "tr":
            self._row = self.rows.setdefault(found.get("id") or f"row{len(self.rows)}", [])
        elif tag in ("td", "th") and self._row is not None:
            self._row.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "tr":
            self._row = None

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self._row:
            self._row[-1] += data.strip()

    @property
    def text(self) -> str:
        return "".join(self.texts)

    def links(self) -> list[str]:
        """Return where the page leads, once each, without the marks inside it."""
        found = (one.attributes.get("href", "").partition("#")[0] for one in self.elements if one.tag == "a")
        return list(dict.fromkeys(url for url in found if url))

    def link(self, **wanted: str) -> str | None:
        """Return the address of the link with these attributes, None when there is none."""
        links = [one.attributes.get("href") for one in self.having(**wanted) if one.tag == "a"]
        return links[0] if links else None

    def having(self, **wanted: str) -> list[Element]:
        """Return the elements with these attributes."""
        return [
            one
            for one in self.elements
            if all(one.attributes.get(name) == value for name, value in wanted.items())
        ]

    def filled(self) -> dict[str, str]:
        """Return what a browser sends of the fields in the main part of the page, without buttons."""
        start = next(n for n, one in enumerate(self.elements) if one.tag == "main")
        name, found = "", {}
        for tag, attributes in self.elements[start:]:
            if tag == "input" and attributes.get("type") not in ("file", "checkbox"):
                found[attributes.get("name", "")] = attributes.get("value", "")
            elif tag == "select":
                name = attributes.get("name", "")
            elif tag == "option" and name and ("selected" in attributes or name not in found):
                found[name] = attributes.get("value", "")
            elif tag == "datalist":
                name = ""
        areas = re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>\n?(.*?)</textarea>', self.source, re.DOTALL)
        return found | {name: html.unescape(text) for name, text in areas}

    def values(self, name: str) -> list[str]:
        """Return the values of the fields, or the options of the list, of that name."""
        inside, found = False, []
        for tag, attributes in self.elements:
            if tag in ("input", "select", "textarea"):
                inside = tag == "select" and attributes.get("name") == name
                if tag == "input" and attributes.get("name") == name:
                    found.append(attributes.get("value", ""))
            elif tag == "option" and inside:
                found.append(attributes.get("value", ""))
        return found
