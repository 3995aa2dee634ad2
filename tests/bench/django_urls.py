"""Django's side of peers.py: model, admin site, addresses; Django imports it by name."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db import models
from django.urls import path

from tests.bench.peers import COLUMNS, ROWS, WORDS


class Router:
    """Activities are read from the site's file, Django's own tables from another."""

    def db_for_read(self, model: Any, **_hints: Any) -> str:
        return "data" if model.__name__ == "Activity" else "default"

    db_for_write = db_for_read

    def allow_migrate(self, db: str, _app_label: str, **_hints: Any) -> bool:
        return db == "default"


def everyone(get_response: Any) -> Any:
    def ask(request: Any) -> Any:
        request.user = User(pk=1, username="boss", is_staff=True, is_superuser=True, is_active=True)
        return get_response(request)

    return ask


def _activity() -> Any:
    columns: dict[str, Any] = {
        name: models.TextField() if name in WORDS else models.BigIntegerField() for name in COLUMNS[1:]
    }
    meta = type("Meta", (), {"app_label": "auth", "managed": False, "db_table": "activity"})
    return type("Activity", (models.Model,), {**columns, "Meta": meta, "__module__": __name__})


class Lines(admin.ModelAdmin):
    list_display = COLUMNS
    list_per_page = ROWS
    ordering = ("-start_ts", "-id")
    show_full_result_count = False

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        return True


site = admin.AdminSite("lean")
site.register(_activity(), Lines)
site.has_permission = lambda request: True
urlpatterns = [path("", site.urls)]
