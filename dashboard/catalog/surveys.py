"""Surveys of customers. Pure."""

from __future__ import annotations

from dashboard.catalog.fields import COMMENT, DEPARTMENT, RATING, RELATED
from dashboard.catalog.types import EventType, Field, Kind, maker
from dashboard.i18n.mark import N_

# The score of each question stands in `scores`, by path.
SURVEY = (Field("survey", Kind.TEXT, N_("Survey")), RATING, COMMENT, DEPARTMENT, RELATED)

_survey = maker("surveys", "personal")

TYPES: tuple[EventType, ...] = (
    _survey("survey.offered", N_("Survey offered"), *SURVEY),
    _survey("survey.answered", N_("Survey answered"), *SURVEY),
    _survey("survey.declined", N_("Survey declined"), *SURVEY),
    _survey("survey.expired", N_("Survey expired"), *SURVEY),
)
