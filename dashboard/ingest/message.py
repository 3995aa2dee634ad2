"""What is wrong with a record, by field. Pure."""

from __future__ import annotations

from dashboard.i18n.message import Message, message

Errors = dict[str, Message]

__all__ = ["Errors", "Message", "message"]
