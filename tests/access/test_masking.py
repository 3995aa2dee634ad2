"""How a contact is called for viewers with and without the right to full contact details."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from dashboard.access import masking

EVA = ("Eva Malá", "+420601234567", "eva@example.org")


@pytest.mark.parametrize(
    ("details", "by_email", "masked", "full"),
    [
        (EVA, False, "+420 ••• ••• 567", "Eva Malá · +420601234567"),
        (EVA, True, "e•••@example.org", "Eva Malá · eva@example.org"),
        (("Eva Malá", "+420601234567", ""), True, "+420 ••• ••• 567", "Eva Malá · +420601234567"),
        (("", "", "eva@example.org"), False, "e•••@example.org", "eva@example.org"),
        (("Eva Malá", "", ""), True, "E•••", "Eva Malá"),
        (("", "", ""), False, "", ""),
    ],
)
def test_a_contact_is_named_by_what_the_channel_uses(
    details: tuple[str, str, str], by_email: bool, masked: str, full: str
) -> None:
    assert masking.contact(*details, full=False, by_email=by_email) == masked
    assert masking.contact(*details, full=True, by_email=by_email) == full


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"q": "+420601234567", "queue": "support"}, {"q": "+420 ••• ••• 567", "queue": "support"}),
        ({"contact__contains": "nov@example.org"}, {"contact__contains": "n•••@example.org"}),
        (
            {"filter": '{"all": [{"field": "contact", "value": ["Nová", 601234567]}, {"any": []}]}'},
            {"filter": '{"all": [{"field": "contact", "value": ["N•••", "••• ••• 567"]}, {"any": []}]}'},
        ),
        ({"filter": '{"field": "talk", "value": "1:30"}'}, {"filter": '{"field": "talk", "value": "1:30"}'}),
        ({"filter": "Nová"}, {"filter": "•••"}),
        ({"filter": "[" * 5000}, {"filter": "•••"}),
    ],
)
def test_a_query_is_logged_without_the_contacts_that_it_looks_for(
    given: dict[str, str], expected: dict[str, str]
) -> None:
    assert masking.query(given) == expected
    assert masking.saved_query(urlencode(given)) == urlencode(expected)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("write to eva@example.org, a@b@c@d", "write to e•••@example.org, a•••@b@c•••@d"),
        ("<eva@example.org>", "<e•••@example.org>"),
        ("x" * 1_000_000, "x" * 1_000_000),  # in time that does not grow with the square
        ("1-" * 300_000, "1-" * 300_000),
        ("+1" + "(" * 300_000, "+1" + "(" * 300_000),
    ],
    ids=["addresses", "brackets", "word", "digits", "number"],
)
def test_texts_of_any_length_are_masked(written: str, shown: str) -> None:
    assert masking.text(written) == shown
