"""Creates the built-in roles of this version in the database."""

from __future__ import annotations

from dashboard.access import agent_exports
from dashboard.access.permissions import PRESETS
from dashboard.models import Access, AccessGrant, Setting


def make() -> None:
    """Add missing built-in roles. Existing ones keep the changes of administrators."""
    for preset in PRESETS:
        access, created = Access.get_or_create(
            name=preset.name,
            defaults={
                "description": preset.description,
                "is_system": True,
                "permissions": sorted(preset.permissions),
            },
        )
        if created:
            for kind in preset.grants:
                AccessGrant.create(access=access, kind=kind)
            if preset.name == agent_exports.ROLE:
                Setting.put(agent_exports.ANSWER, "yes")
