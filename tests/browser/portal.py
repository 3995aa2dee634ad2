"""A portal site on an origin of its own under a strict policy, and a server to which its pages report."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from playwright.sync_api import Browser, Error, Page, Request

from dashboard.settings import ROOT
from tests.browser.window import WAIT_MS, watched
from tests.postgres import free_port
from tests.test_start import SERVER, environment, started, until

KEY, SECRET = "portal-key", "signing-secret"
ADMIN, PASSWORD = "admin", "right and long"
POLICY = "default-src 'self'; script-src {stopa}; connect-src {stopa}"
SET_UP = f"""
from dashboard import clock, create_app
from dashboard.events import record
from dashboard.models import Site
from tests import make
import sys
with create_app().app_context():
    make.administrator({ADMIN!r}, {PASSWORD!r})
    Site.create(source=record.source("Portal"), key={KEY!r}, enabled=True, origins=[sys.argv[1]],
        elements=["order", "terms", "shown"], secret={SECRET!r}, created_ts=clock.now_s())
"""
STYLE = """.long { height: 3000px }
body { font: 16px/1.5 sans-serif; max-width: 960px; margin: auto; padding: 16px }"""
PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>Tariffs {path}</title>
<link rel="stylesheet" href="/style.css">
<script async src="{stopa}/visitor.js" data-key="{key}" data-elements="order, terms, shown"{more}></script>
</head>
<body>
<header><a href="/second">Contact</a></header>
<main id="main">
<h1>Tariffs</h1>
<p data-stopa="terms">Prices hold from 1 January and include tax.</p>
<p id="advice">Choose by what you use.</p>
<button type="button"><span>Compare tariffs</span></button>
<form name="contact" action="/sent">
<label>Person <input name="person"></label>
<label>Order <input name="order"></label>
<label>Password <input name="password" type="password"></label>
<label>Shown password <input name="shown" autocomplete="new-password"></label>
<label>Card <input name="card" autocomplete="cc-number"></label>
<button aria-label="Send">OK</button>
</form>
<div class="long"></div>
</main>
</body>
</html>"""


class Happened(NamedTuple):
    """An event of a visit."""

    type: str
    session: str
    data: dict[str, Any]


@dataclass
class Portal:
    """The address of its pages, the address they report to, and the database behind that."""

    address: str
    stopa: str
    database: str
    left: set[str] = field(default_factory=set)

    def find(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(sql, values).fetchall()

    def change(self, sql: str, *values: object) -> int:
        """Run a statement and return the id of the row that it added."""
        with closing(sqlite3.connect(self.database, timeout=20)) as connection, connection:
            return connection.execute(sql, values).lastrowid or 0

    def events(self) -> list[Happened]:
        """Return the events of the visits since the last call of `forget`, in their order."""
        rows = self.find(
            "SELECT e.type, e.session, e.data FROM event e JOIN source s ON s.id = e.source_id"
            " WHERE s.name = 'Portal' AND e.session IS NOT NULL ORDER BY e.time_ms, e.id"
        )
        return [Happened(*row, json.loads(data)) for *row, data in rows if row[1] not in self.left]

    def forget(self) -> None:
        self.left = {token for (token,) in self.find("SELECT token FROM visit")}


@contextmanager
def portal(database: str) -> Iterator[Portal]:
    """Serve a portal site and a server with a worker on an empty migrated database."""
    url, port = f"sqlite:///{database}", free_port()
    origin = f"http://localhost:{port}"
    subprocess.run([sys.executable, "-c", SET_UP, origin], check=True, cwd=ROOT, env=environment(url))
    with started(SERVER, url) as running:
        pages = ThreadingHTTPServer(("localhost", port), _pages(running.address))
        thread = threading.Thread(target=pages.serve_forever)
        thread.start()
        try:
            yield Portal(origin, running.address, database)
        finally:
            pages.shutdown()
            thread.join()
            pages.server_close()


def _pages(stopa: str) -> type[BaseHTTPRequestHandler]:
    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/style.css":
                return self.answer("text/css", STYLE)
            language = (re.findall("^/(cs|ja)", path) or ["en"])[0]
            more = "" if path == "/asks" else ' data-consent="not-needed"'
            text = PAGE.format(language=language, path=path, stopa=stopa, key=KEY, more=more)
            return self.answer("text/html; charset=utf-8", text)

        def answer(self, type_: str, text: str) -> None:
            body = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", type_)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", POLICY.format(stopa=stopa))
            self.send_header("Referrer-Policy", "same-origin")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *given: object) -> None:
            pass

    return Pages


class Visitor:
    """Somebody on the portal, whose pages may complain of nothing, and what they have sent to Stopa."""

    def __init__(self, chromium: Browser, site: Portal, script: str = "", **look: Any) -> None:
        self.context = chromium.new_context(**{"base_url": site.address, "locale": "cs-CZ", **look})
        self.context.set_default_timeout(WAIT_MS)
        self.site = site
        if script:
            self.context.add_init_script(script)
        self.problems: list[list[str]] = []
        self.sent: list[str] = []
        self.context.on("request", self._note)
        site.forget()

    def open(self, path: str) -> Page:
        tab = watched(self.context.new_page())
        self.problems.append(tab.problems)
        tab.page.goto(path)
        wait_for(tab.page, "Boolean(window.stopa?.consent)")
        return tab.page

    def waits(self, fact: Callable[[list[Happened]], object]) -> list[Happened]:
        """Wait until a fact holds of the events since this visitor came, and return them."""
        until(lambda: fact(self.site.events()), self._turn)
        return self.site.events()

    def _turn(self) -> None:
        """Let the browser's requests be answered, which time.sleep() does not."""
        if self.context.pages:
            self.context.pages[0].wait_for_timeout(50)
        else:
            time.sleep(0.05)

    def _note(self, request: Request) -> None:
        if "/visit/" in request.url:
            self.sent.append(request.url)


def wait_for(page: Page, expression: str) -> None:
    """Wait until a page says so; its policy forbids what Playwright has for it."""

    def holds() -> bool:
        try:
            return bool(page.evaluate(expression))
        except Error:  # the page is being left
            return False

    until(holds)


def types(events: list[Happened]) -> Counter[str]:
    return Counter(each.type for each in events)
