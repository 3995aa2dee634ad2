"""The data of a CloudEvent, whose kind its content type says: JSON, text, or bytes as base64. Pure."""

from __future__ import annotations

import re
from base64 import b64encode
from binascii import a2b_base64
from typing import NamedTuple

import msgspec
from werkzeug.http import parse_options_header

from dashboard.i18n.message import N_, Message

NOT_BASE64 = N_("Must be base64.")

_JSON = re.compile(r"application/(?:json|[\w.+-]+\+json)", re.ASCII)
_TEXT = re.compile(r"text/.+|[\w.+-]+/(?:xml|[\w.+-]+\+xml)", re.ASCII)
_FAILED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Content(NamedTuple):
    """Data as JSON text, or bytes as base64; both are empty for an event without data."""

    json: bytes = b""
    base64: str = ""

    def size(self) -> int:
        """Return about how many bytes it has."""
        return len(self.json) or len(self.base64) * 3 // 4

    def members(self) -> dict[str, msgspec.Raw]:
        """Return the member of a JSON envelope that holds it."""
        if self.base64:
            return {"data_base64": msgspec.Raw(msgspec.json.encode(self.base64))}
        return {"data": msgspec.Raw(self.json)} if self.json else {}


def is_json(media: str) -> bool:
    """Say whether a content type is that of JSON."""
    return _JSON.fullmatch(_kind(media)) is not None


def of_bytes(raw: bytes, media: str) -> Content:
    """Return data that came as bytes of a content type: JSON and text are read, all else is base64.

    Without a content type it is JSON if it can be. What is not as its type says is base64, too.
    """
    if not raw.strip():
        return Content()
    if (not media or is_json(media)) and _is_json_text(raw):
        return Content(raw.strip())
    if _TEXT.fullmatch(_kind(media)):
        charset = parse_options_header(media)[1].get("charset", "utf-8")
        try:
            return Content(msgspec.json.encode(raw.decode(charset)))
        except (ValueError, LookupError):
            pass  # not in its charset, or no charset that there is
    return Content(base64=b64encode(raw).decode())


def of_base64(text: str, media: str) -> Content | Message:
    """Return the data of the member `data_base64`: JSON that its content type announces, else as it came."""
    try:
        found = a2b_base64(text, strict_mode=True)
    except ValueError:
        return Message(NOT_BASE64)
    return Content(found.strip()) if is_json(media) and _is_json_text(found) else Content(base64=text)


def _is_json_text(raw: bytes) -> bool:
    try:
        raw.decode()
        msgspec.json.decode(raw, type=msgspec.Raw)
    except _FAILED:
        return False
    return True


def _kind(media: str) -> str:
    return parse_options_header(media)[0].lower()
