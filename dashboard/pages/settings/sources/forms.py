"""The form of a log that workers follow as a source."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from wtforms.validators import ValidationError

from dashboard.access import keys
from dashboard.i18n.message import N_
from dashboard.ingest import encodings, followed, growing_log
from dashboard.ingest.followed import Problem
from dashboard.web.fields import Choice, Field, Form, TextLine

OFFERED = 50  # files of a folder
PROBLEMS = {
    Problem.MISSING: N_("There is no file at this path."),
    Problem.UNREADABLE: N_("Stopa may not read this file. Allow its user to read it."),
    Problem.ELSEWHERE: N_("The file isn't in a folder that STOPA_LOG_FOLDERS names: %(folders)s."),
}
STARTS = {
    "start": N_("Everything in the file, then new lines"),
    "now": N_("New lines only"),
}


def folders() -> str:
    return ", ".join(str(each) for each in current_app.config["STOPA"].log_folders)


def problem_text(problem: Problem) -> str:
    return str(_(PROBLEMS[problem], folders=folders()))


def offered() -> list[str]:
    """Return paths of logs in the folders that the settings name."""
    return [str(path) for folder in current_app.config["STOPA"].log_folders for path in _logs(folder)]


def _logs(folder: Path) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            paths = sorted(Path(each.path) for each in islice(entries, OFFERED) if each.is_file())
    except OSError:
        return
    for path in paths:
        if path.suffix != ".gz" and followed.check(path) is None and growing_log.is_log(path):
            yield path


class LogForm(Form):
    path = TextLine(
        N_("File"),
        500,
        attrs={"placeholder": "/var/log/asterisk/queue_log"},
        suggest=offered,
    )
    name = TextLine(N_("Source"), 120, hint=N_("Events are stored under this source name."))
    start = Choice(N_("Begin with"), STARTS, default="start", problem=N_("Choose where to begin."))
    encoding = TextLine(
        N_("Encoding"),
        20,
        needed=False,
        fits=encodings.known,
        problem=N_("Enter an encoding such as utf-8, cp1250 or cp932, or leave empty for utf-8."),
        hint=N_("Leave empty for utf-8."),
    )

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.path.hint = _(
            "A queue_log on Stopa's machine, in %(folders)s. Its rotated parts beside it are read, too.",
            folders=folders(),
        )

    def validate_name(self, field: Field) -> None:
        if keys.is_reserved(field.data):
            raise ValidationError(_(keys.RESERVED))

    def validate_path(self, field: Field) -> None:
        path = Path(field.data)
        if not path.is_absolute():
            raise ValidationError(_("Enter a path that begins with /."))
        problem = followed.check(path)
        if problem is not None:
            raise ValidationError(problem_text(problem))
        if not growing_log.is_log(path):
            raise ValidationError(_("The file doesn't begin with a record of a queue_log."))
