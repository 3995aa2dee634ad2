"""Calendars of working time: their list, their form, special days, holidays out of a file."""

from __future__ import annotations

from io import BytesIO

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.access.permissions import Permission
from dashboard.models import Calendar, CalendarDay, Job
from dashboard.pages.settings.calendars import forms
from tests.pages import asks
from tests.rules import engine

P = Permission
AT = "/settings/calendars"
FORM = {"name": "Office", "zone": "Europe/Prague", "hours1": "8-12, 13:00–17:00", "hours6": "22:00-24:00"}
NO_RANGES = (
    "Enter up to three ranges, such as 08:00–12:00, 13:00–17:00. "
    "Split a night at midnight: 22:00–24:00, then 00:00–06:00 on the next day."
)
HOURS = {"1": [["08:00", "12:00"], ["13:00", "17:00"]], "6": [["22:00", "24:00"]]}
CHRISTMAS = b"""BEGIN:VCALENDAR\r
VERSION:2.0\r
BEGIN:VEVENT\r
SUMMARY:\xc5\xa0t\xc4\x9bdr\xc3\xbd den\r
DTSTART;VALUE=DATE:20201224\r
RRULE:FREQ=YEARLY\r
END:VEVENT\r
END:VCALENDAR\r
"""


@pytest.fixture
def editor(client: FlaskClient) -> FlaskClient:
    asks.sign_in_with(client, P.CALENDARS_VIEW, P.CALENDARS_EDIT, P.RULES_VIEW)
    return client


def calendar(name: str = "Office", **fields: object) -> Calendar:
    return Calendar.create(**{"name": name, "zone": "Europe/Prague", "hours": HOURS, **fields})


def user_of(name: str = "Office") -> None:
    engine.rule(name="Wakes", types=["ticket.idle"], after={"seconds": 60, "calendar": name})


def upload(client: FlaskClient, row: Calendar, file: bytes) -> TestResponse:
    return client.post(f"{AT}/{row.id}/import", data={"file": (BytesIO(file), "days.ics")})


def test_a_calendar_is_added_listed_and_audited(editor: FlaskClient) -> None:
    assert editor.post(f"{AT}/new", data=FORM).status_code == 302
    row = Calendar.get()
    assert (row.name, row.zone, row.hours) == ("Office", "Europe/Prague", HOURS)
    told = asks.audited("calendar.created").changes["hours"]
    assert told == [None, ["1 08:00–12:00, 13:00–17:00", "6 22:00–24:00"]]
    page = editor.get(f"{AT}?q=OFF").text
    assert "10:00:00" in page
    assert "08:00–12:00, 13:00–17:00" in editor.get(f"{AT}/{row.id}").text
    asks.fragment_is_block(editor, AT)


BAD = [
    ("name", "", "Enter 1 to 120 characters."),
    ("zone", "Mars/Base", "Choose a time zone from the list, such as Europe/Prague."),
    ("zone", "Factory", "Choose a time zone from the list, such as Europe/Prague."),
    ("hours2", "17:00–08:00", NO_RANGES),
    ("hours2", "8–12, 11–14", NO_RANGES),
    ("hours2", "1–2, 3–4, 5–6, 7–8", NO_RANGES),
    ("hours2", "all day", NO_RANGES),
    ("hours2", "8–25", NO_RANGES),
]


@pytest.mark.parametrize(("field", "value", "said"), BAD)
def test_a_bad_field_is_named_and_nothing_changes(
    editor: FlaskClient, field: str, value: str, said: str
) -> None:
    answer = editor.post(f"{AT}/new", data={**FORM, field: value})
    assert answer.status_code == 422
    assert said in answer.text
    assert not Calendar.select().exists()
    assert asks.entries() == 0


def test_a_name_is_taken_once(editor: FlaskClient) -> None:
    calendar()
    answer = editor.post(f"{AT}/new", data=FORM)
    assert answer.status_code == 422
    assert "A calendar with this name already exists." in answer.text


def test_a_change_moves_the_deadlines_of_the_rules_that_use_it(editor: FlaskClient) -> None:
    row = calendar()
    user_of()
    editor.post(f"{AT}/{row.id}", data={**FORM, "hours2": "9–10", "version": "1"})
    assert Calendar.get().hours["2"] == [["09:00", "10:00"]]
    assert "arm_timers" in {job.kind for job in Job.select()}


def test_later_of_two_editors_is_warned(editor: FlaskClient) -> None:
    row = calendar()
    editor.post(f"{AT}/{row.id}", data={**FORM, "zone": "Asia/Tokyo", "version": "1"})
    late = editor.post(f"{AT}/{row.id}", data={**FORM, "zone": "Europe/London", "version": "1"})
    assert late.status_code == 422
    assert "<td>Asia/Tokyo</td><td>Europe/London</td>" in late.text
    assert Calendar.get().zone == "Asia/Tokyo"


def test_a_calendar_in_use_keeps_its_name_and_stays(editor: FlaskClient) -> None:
    row = calendar()
    user_of()
    renamed = editor.post(f"{AT}/{row.id}", data={**FORM, "name": "Shop", "version": "1"})
    assert renamed.status_code == 422
    assert "This calendar is used by rules: Wakes." in renamed.text
    assert editor.post(f"{AT}/{row.id}/delete").status_code == 422
    assert Calendar.get().name == "Office"


def test_a_rule_that_the_viewer_may_not_see_is_not_named(client: FlaskClient) -> None:
    row = calendar()
    user_of()
    asks.sign_in_with(client, P.CALENDARS_VIEW, P.CALENDARS_EDIT)
    page = client.get(f"{AT}/{row.id}/delete").text
    assert "Wakes" not in page
    assert "1 rule you don&#39;t have access to" in page


def test_deletion_asks_first_and_takes_the_days_along(editor: FlaskClient) -> None:
    row = calendar()
    CalendarDay.create(calendar=row, on="2026-12-24", hours=[])
    assert "Delete Office?" in editor.get(f"{AT}/{row.id}/delete").text
    assert editor.post(f"{AT}/{row.id}/delete").status_code == 302
    assert editor.post(f"{AT}/{row.id}/delete").status_code == 404
    asks.audited("calendar.deleted")
    assert not CalendarDay.select().exists()


def test_a_day_is_added_once_and_removed(editor: FlaskClient) -> None:
    row = calendar()
    day = {"on": "2090-12-24", "day": "Christmas Eve", "open": "8-12"}
    assert editor.post(f"{AT}/{row.id}/days", data=day).status_code == 302
    assert CalendarDay.get().hours == [["08:00", "12:00"]]
    again = editor.post(f"{AT}/{row.id}/days", data=day)
    assert again.status_code == 422
    assert "This date is already in the calendar. Remove it first." in again.text
    assert "Christmas Eve" in editor.get(f"{AT}/{row.id}").text
    for _ in range(2):
        assert editor.post(f"{AT}/{row.id}/days/remove", data={"on": "2090-12-24"}).status_code == 302
    assert not CalendarDay.select().exists()
    assert asks.entries() == 2


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("on", "24.12.2026", "Enter a valid date, such as 2026-12-24."),
        ("on", "2026-02-30", "Enter a valid date, such as 2026-12-24."),
        (
            "open",
            "never",
            NO_RANGES,
        ),
        ("day", "tab\tinside", "Remove control characters."),
    ],
)
def test_a_bad_day_is_named(editor: FlaskClient, field: str, value: str, said: str) -> None:
    row = calendar()
    answer = editor.post(
        f"{AT}/{row.id}/days", data={"on": "2026-12-24", "day": "", "open": "", field: value}
    )
    assert answer.status_code == 422
    assert said in answer.text
    assert not CalendarDay.select().exists()


def test_holidays_of_a_file_are_shown_before_they_are_taken_in(editor: FlaskClient) -> None:
    row = calendar()
    CalendarDay.create(calendar=row, on="2026-05-01", hours=[])
    preview = upload(editor, row, CHRISTMAS)
    assert preview.status_code == 200
    assert "The file contains 7 days." in preview.text
    assert "Štědrý den" in preview.text
    assert CalendarDay.select().count() == 1
    lines = "2026-12-24 Štědrý den\n2027-12-24 Štědrý den\nnonsense\n"
    assert 'name="entry" value="Štědrý den" checked' in preview.text
    editor.post(f"{AT}/{row.id}/import/days", data={"days": lines, "how": "add", "entry": "Štědrý den"})
    assert CalendarDay.select().count() == 3
    again = {"days": "2026-12-24 Xmas", "how": "replace", "entry": "Xmas"}
    editor.post(f"{AT}/{row.id}/import/days", data=again)
    assert [(day.on, day.name) for day in CalendarDay.select()] == [("2026-12-24", "Xmas")]


def test_an_entry_that_is_unticked_in_the_preview_is_not_taken_in(editor: FlaskClient) -> None:
    row = calendar()
    lines = "2026-03-27 Teachers' Day\n2026-12-24 Xmas\n2027-03-27 Teachers' Day"
    editor.post(f"{AT}/{row.id}/import/days", data={"days": lines, "how": "add", "entry": "Xmas"})
    assert [(day.on, day.name) for day in CalendarDay.select()] == [("2026-12-24", "Xmas")]
    none = editor.post(f"{AT}/{row.id}/import/days", data={"days": lines, "how": "replace"})
    assert none.status_code == 422
    assert CalendarDay.select().count() == 1


@pytest.mark.parametrize("holidays", [b"", CHRISTMAS[17:-15]], ids=["alone", "beside a holiday"])
def test_entries_that_are_left_out_are_counted_and_named(editor: FlaskClient, holidays: bytes) -> None:
    meeting = b"BEGIN:VEVENT\r\nSUMMARY:Meeting <1>\r\nDTSTART:20261228T100000Z\r\nEND:VEVENT\r\n"
    broken = b"BEGIN:VEVENT\r\nDTSTART:x\r\nEND:VEVENT\r\n"
    file = b"BEGIN:VCALENDAR\r\n" + meeting + holidays + broken + b"END:VCALENDAR\r\n"
    preview = upload(editor, calendar(), file)
    assert preview.status_code == (200 if holidays else 422)
    assert "2 entries skipped" in preview.text
    assert "Meeting &lt;1&gt;: It does not fill whole days." in preview.text
    assert "–: It cannot be read." in preview.text


@pytest.mark.parametrize("file", [b"", b"hello", b"\xff\xfe\x00", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"])
def test_a_bad_file_is_told_what_to_do(editor: FlaskClient, file: bytes) -> None:
    answer = upload(editor, calendar(), file)
    assert answer.status_code == 422
    assert "Export the" in answer.text


def test_ranges_are_read_in_any_order() -> None:
    assert forms.ranges("21:00–24:00, 00:00–02:00") == [["00:00", "02:00"], ["21:00", "24:00"]]
    assert forms.ranges("13–17, 8–14") is None


def test_what_is_shown_is_what_is_read_again() -> None:
    for text in ("", "8-12", "08:00–12:00, 13:00–24:00", "0:00~0:00"):
        found = forms.ranges(text)
        assert found is not None
        assert forms.ranges(forms.shown(found)) == found


def test_hostile_text_is_shown_as_typed(editor: FlaskClient) -> None:
    row = calendar(asks.HOSTILE)
    CalendarDay.create(calendar=row, on="2099-01-01", name=asks.HOSTILE, hours=[])
    assert asks.SHOWN in editor.get(AT).text
    assert editor.get(f"{AT}/{row.id}").text.count(asks.SHOWN) >= 2


def test_who_may(client: FlaskClient) -> None:
    row = calendar()
    for url in (AT, f"{AT}/new", f"{AT}/{row.id}", f"{AT}/{row.id}/delete", f"{AT}/{row.id}/import"):
        asks.refuses_strangers(client, url)
    for url in (f"{AT}/new", f"{AT}/{row.id}", f"{AT}/{row.id}/days", f"{AT}/{row.id}/import/days"):
        asks.refuses_posts(client, url, P.CALENDARS_VIEW)
    assert "<fieldset disabled>" in client.get(f"{AT}/{row.id}").text
    assert client.get(f"{AT}/999").status_code == 404
    assert client.delete(f"{AT}/{row.id}").status_code == 405
