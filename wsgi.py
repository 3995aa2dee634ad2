"""The application for any WSGI server; `flask` commands find it here."""

from dashboard import create_app

app = create_app()
