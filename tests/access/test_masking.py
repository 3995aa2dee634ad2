"""How a contact is called for viewers with and without the right to full contact details."""

from __future__ import annotations

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
