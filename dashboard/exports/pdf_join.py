"""Joins PDF files into one with its structure tags, and adds page numbers."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import pikepdf
from pikepdf import Array, Dictionary, Name, String


class Joined:
    """A PDF that grows by parts. The first gives title, language and metadata.

    Tagged parts keep their tags: each part's elements follow the former's in one document element,
    and the keys from page content to tags (ISO 32000, parent tree) are counted on.
    """

    def __init__(self, tagged: bool) -> None:
        self._tagged = tagged
        self._parts: list[pikepdf.Pdf] = []  # kept open: streams are copied when saved
        self._next_key = 0

    @property
    def upright(self) -> list[bool]:
        """Which of the pages so far are higher than wide, in order."""
        boxes = [page.mediabox for page in self._pdf.pages]
        return [bool(box[3] > box[2]) for box in boxes]

    @property
    def _pdf(self) -> pikepdf.Pdf:
        return self._parts[0]

    def add(self, data: bytes) -> None:
        """Append the pages of a PDF."""
        part = pikepdf.open(io.BytesIO(data))
        self._parts.append(part)
        if part is not self._pdf:
            self._pdf.pages.extend(part.pages)
        added = list(self._pdf.pages)[-len(part.pages) :]
        if "/Names" in part.Root:
            del part.Root.Names  # row marks, needed only to cut parts at pages
        if self._tagged:
            self._add_tags(part, added)

    def stamp(self, data: bytes) -> None:
        """Lay each page of a PDF over the page of the same number, as decoration that readers skip."""
        over = pikepdf.open(io.BytesIO(data))
        self._parts.append(over)
        for page, mark in zip(self._pdf.pages, over.pages, strict=True):
            name = page.add_resource(self._pdf.copy_foreign(mark.as_form_xobject()), Name.XObject)
            # WeasyPrint leaves its axes turned at the end of a page, so they are put back.
            page.contents_add(b"q", prepend=True)
            page.contents_add(b"Q /Artifact BMC q " + bytes(name) + b" Do Q EMC")

    def save(self, target: str | Path | IO[bytes]) -> None:
        """Write the file; call once."""
        self._pdf.remove_unreferenced_resources()
        self._pdf.save(cast("BinaryIO", target), object_stream_mode=pikepdf.ObjectStreamMode.generate)

    def _add_tags(self, part: pikepdf.Pdf, pages: list[pikepdf.Page]) -> None:
        """Take over the tags of a part whose pages are already there."""
        tree = part.Root.StructTreeRoot
        if part is not self._pdf:
            tree = self._pdf.copy_foreign(tree)
            self._renumber(tree, pages)
        for element in _walk(tree.K[0], "/Table"):
            _name_heads(element, len(self._parts))
        nums = list(tree.ParentTree.Nums)
        root = self._pdf.Root.StructTreeRoot
        if part is not self._pdf:
            for element in tree.K[0].K:
                element.P = root.K[0]
            root.K[0].K.extend(tree.K[0].K)
            for key, value in zip(nums[::2], nums[1::2], strict=True):
                root.ParentTree.Nums.append(int(key) + self._next_key)
                root.ParentTree.Nums.append(value)
        self._next_key += max(map(int, nums[::2]), default=-1) + 1

    def _renumber(self, tree: Any, pages: list[pikepdf.Page]) -> None:
        """Count the keys of pages and links on from those of the parts before."""
        for page in pages:
            page.obj.StructParents = int(page.obj.StructParents) + self._next_key
            for note in page.obj.get("/Annots", ()):
                if "/StructParent" in note:
                    note.StructParent = int(note.StructParent) + self._next_key


def _walk(element: Any, *kinds: str) -> Iterator[Any]:
    """Yield the elements of these kinds at or below one, in reading order."""
    if not isinstance(element, Dictionary) or "/S" not in element:
        return
    if element.S in kinds:
        yield element
        return
    children = element.get("/K", ())
    for child in children if isinstance(children, Array) else [children]:
        yield from _walk(child, *kinds)


def _name_heads(table: Any, number: int) -> None:
    """Make the names of a table's heads unique in the joined file, and say which head columns."""
    for head in chain.from_iterable(_walk(part, "/TH") for part in _walk(table, "/THead")):
        head.A.Scope = Name.Column
    for cell in _walk(table, "/TH", "/TD"):
        if "/ID" in cell:
            cell.ID = String(f"{number}-{cell.ID}")
        if "/Headers" in cell.get("/A", {}):
            cell.A.Headers = Array([String(f"{number}-{name}") for name in cell.A.Headers])
