"""List pages of two admin frameworks over a site's activities: no sign-in, no list filters, no full count."""

from __future__ import annotations

import atexit
import tempfile
from collections.abc import Callable
from typing import Any

COLUMNS = (
    "id",
    "user_id",
    "queue_id",
    "channel",
    "start_ts",
    "end_ts",
    "handling_s",
    "talk_s",
    "state",
    "title",
)
WORDS = ("channel", "state", "title")
ROWS = 50


def django(path: str) -> Any:
    """Django's admin: everyone a superuser, an unmanaged model, no count of the whole table."""
    import django as framework
    from django.conf import settings

    own = tempfile.TemporaryDirectory(prefix="stopa-bench-django-")
    settings.configure(
        SECRET_KEY="bench",
        DEBUG=False,
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF="tests.bench.django_urls",
        USE_TZ=True,
        USE_I18N=False,
        STATIC_URL="/static/",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.messages",
            "django.contrib.sessions",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "tests.bench.django_urls.everyone",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{own.name}/own.db"},
            "data": {"ENGINE": "django.db.backends.sqlite3", "NAME": path},
        },
        DATABASE_ROUTERS=["tests.bench.django_urls.Router"],
    )
    framework.setup()
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    call_command("migrate", verbosity=0)
    atexit.register(own.cleanup)
    return get_wsgi_application()


def flask_admin(path: str) -> Any:
    """Flask-Admin over peewee, as its manual shows it."""
    import peewee
    from flask import Flask
    from flask_admin import Admin
    from flask_admin.contrib.peewee import ModelView

    base = peewee.SqliteDatabase(path, thread_safe=False, check_same_thread=False)
    fields: dict[str, Any] = {
        name: peewee.TextField() if name in WORDS else peewee.BigIntegerField() for name in COLUMNS[1:]
    }
    meta = type("Meta", (), {"database": base, "table_name": "activity"})
    activity = type("Activity", (peewee.Model,), {**fields, "Meta": meta})

    class View(ModelView):
        page_size = ROWS
        column_list = COLUMNS
        column_filters = ("user_id", "start_ts", "end_ts")
        column_default_sort = ("start_ts", True)
        column_display_pk = True

    app = Flask("flask_admin_bench")
    app.config["SECRET_KEY"] = "bench"
    Admin(app, name="bench").add_view(View(activity, endpoint="activity", name="activity"))
    return app


PEERS: dict[str, Callable[[str], Any]] = {"django": django, "flask_admin": flask_admin}
