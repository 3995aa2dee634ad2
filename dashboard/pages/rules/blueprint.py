"""The blueprint, and who may open its pages; its views stand in several modules."""

from __future__ import annotations

from flask import Blueprint

from dashboard.access.permissions import Permission as P

bp = Blueprint("rules", __name__, url_prefix="/rules")

# Each list has its permission; a view asks for the one of the rules it touches besides.
SEE = (P.RULES_OWN, P.RULES_VIEW, P.RULES_OVERSEE)
ACT = (P.RULES_OWN, P.RULES_EDIT, P.RULES_SWITCH, P.RULES_OVERSEE)
ADD = (P.RULES_OWN, P.RULES_EDIT)
