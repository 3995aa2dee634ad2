"""The blueprint of the editor; its views stand in several modules."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("ruleeditor", __name__, url_prefix="/rules")
