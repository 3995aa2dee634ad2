"""Brings the preset accesses of this version into the database."""

from __future__ import annotations

from dashboard.access.permissions import PRESETS
from dashboard.models import Access, AccessGrant


def make() -> None:
    """Add the presets that are missing; those that exist keep what an administrator made of them."""
    for preset in PRESETS:
        access, made = Access.get_or_create(
            name=preset.name,
            defaults={
                "description": preset.description,
                "is_system": True,
                "permissions": sorted(preset.permissions),
            },
        )
        if made:
            for kind in preset.grants:
                AccessGrant.create(access=access, kind=kind)
