"""Lets only those who were shown the form send a large file.

The body of a request is received before the application learns whose it is. The address of the form carries
a signed pass, which is checked without a database: without one, nobody fills the disk with 200 MB a request.
"""

from __future__ import annotations

from urllib.parse import parse_qs

from itsdangerous import BadData, URLSafeTimedSerializer

PATH = "/import"
FILE_MAX = 200 * 1024 * 1024  # bytes
FORM = 1024 * 1024  # of the other fields and of what lies between
VALID_S = 12 * 3600
_SALT = "upload"


def make(secret: str) -> str:
    return URLSafeTimedSerializer(secret, _SALT).dumps(PATH)


def body_max(secret: str, path: str, query: str) -> int:
    """Return the most bytes of a body that a pass in the query of this path allows, 0 without a valid one."""
    if path != PATH:
        return 0
    given = parse_qs(query).get("pass", [""])[0]
    try:
        URLSafeTimedSerializer(secret, _SALT).loads(given, max_age=VALID_S)
    except BadData:
        return 0
    return FILE_MAX + FORM
