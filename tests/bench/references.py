"""What is attainable, not a product: Flask, Jinja2 and the least of queries, without sign-in or chrome.

`lists` answers /list and /trace over a site's file; `parsing` only reads what `POST /` brings;
`storing` keeps it as well, in one table by executemany, one commit a request.
"""

from __future__ import annotations

import sqlite3
from typing import Any

import msgspec
from flask import Flask, request
from jinja2 import Environment

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
HEAD = "<!doctype html><html lang=en><head><title>Activities</title></head><body><nav>" + "".join(
    f'<a href="/{name}">{name}</a>' for name in ("activities", "rules", "users", "tracing", "settings")
)
LIST = (
    HEAD
    + """</nav><form method=get><input name=u value="{{ u or '' }}"><button>Filter</button></form>
<table><thead><tr>{% for c in cols %}<th><a href="?sort={{ c }}">{{ c }}</a></th>{% endfor %}</tr></thead>
<tbody>
{% for r in rows %}<tr id="a{{ r[0] }}">{% for v in r %}<td>{{ v }}</td>{% endfor %}
<td><a href="/a/{{ r[0] }}">open</a></td></tr>
{% endfor %}</tbody></table><p>{{ total }}</p><a href="?before={{ last }}">next</a></body></html>"""
)
TRACE = (
    HEAD
    + """</nav><svg viewBox="0 0 86400 24">
{% for s, t, d in bars %}<rect x="{{ s }}" width="{{ d }}" class="{{ t }}"/>
{% endfor %}</svg><table>
{% for t, n, s in stats %}<tr><th>{{ t }}</th><td>{{ n }}</td><td>{{ s }}</td></tr>{% endfor %}</table>
<table>
{% for r in rows %}<tr>{% for v in r %}<td>{{ v }}</td>{% endfor %}</tr>{% endfor %}</table></body></html>"""
)
COUNT_AT_MOST = 10_001


def lists(path: str) -> Flask:
    """A list page by keyset with a capped count, and a day with bars, sums and rows."""
    app = Flask("lists")
    base = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    base.execute("PRAGMA cache_size = -64000")
    made = Environment(autoescape=True, trim_blocks=True)
    page, trace = made.from_string(LIST), made.from_string(TRACE)

    @app.get("/list")
    def bare_list() -> str:
        given = request.args
        tests, values = ["1"], []
        for name, test in (("u", "user_id = ?"), ("a", "start_ts >= ?"), ("b", "start_ts < ?")):
            if name in given:
                tests.append(test)
                values.append(int(given[name]))
        where = " AND ".join(tests)
        count = base.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM activity WHERE {where} LIMIT {COUNT_AT_MOST})", values
        ).fetchone()[0]
        if "before" in given:
            where += " AND (start_ts, id) < (?, ?)"
            values += [int(part) for part in given["before"].split("-")]
        names = ", ".join(COLUMNS)
        found = base.execute(
            f"SELECT {names} FROM activity WHERE {where} ORDER BY start_ts DESC, id DESC LIMIT 50", values
        ).fetchall()
        last = f"{found[-1][4]}-{found[-1][0]}" if found else ""
        return page.render(cols=COLUMNS, rows=found, total=count, last=last, u=given.get("u"))

    @app.get("/trace")
    def bare_trace() -> str:
        user, first, last = (int(request.args[name]) for name in "uab")
        found = base.execute(
            f"SELECT {', '.join(COLUMNS)} FROM activity WHERE user_id = ? AND start_ts >= ? AND start_ts < ?"
            " ORDER BY start_ts",
            (user, first, last),
        ).fetchall()
        sums: dict[str, list[int]] = {}
        for row in found:
            both = sums.setdefault(row[3], [0, 0])
            both[0] += 1
            both[1] += row[6]
        bars = [(row[4] - first, row[3], row[6]) for row in found]
        return trace.render(bars=bars, stats=[(k, *v) for k, v in sorted(sums.items())], rows=found)

    return app


class Sent(msgspec.Struct):
    """An event as clients send it; its data is kept as it came."""

    type: str
    time: str
    id: str | None = None
    user: str | None = None
    queue: str | None = None
    interaction: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"{}")


def parsing(_path: str) -> Flask:
    """POST / decodes one event or a list of them and answers how many; nothing is stored."""
    app = Flask("parsing")
    many, one = msgspec.json.Decoder(list[Sent]), msgspec.json.Decoder(Sent)

    @app.post("/")
    def parse() -> dict[str, Any]:
        body = request.get_data()
        found = many.decode(body) if body.startswith(b"[") else [one.decode(body)]
        return {"accepted": len(found)}

    return app
