"""The user whom a reverse proxy names in a header. Only proxies of the settings are believed."""

from __future__ import annotations

import ipaddress

from flask import current_app, request

LOGIN_MAX = 120


def login() -> str:
    """Return the user name that the request's proxy sent, "" without one and for a header of anybody else."""
    chosen = current_app.config["STOPA"]
    if not chosen.auth_header or not _from_proxy():
        return ""
    value = request.headers.get(chosen.auth_header, "")
    try:
        text = value.encode("latin-1").decode().strip()  # WSGI gives each byte as a letter
    except UnicodeError:
        return ""
    return text if len(text) <= LOGIN_MAX and text.isprintable() else ""


def _from_proxy() -> bool:
    """Return whether the other end of the connection is a trusted proxy, whatever forwarded headers say."""
    replaced = request.environ.get("werkzeug.proxy_fix.orig", {})
    peer = replaced.get("REMOTE_ADDR", request.environ.get("REMOTE_ADDR", ""))
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in current_app.config["STOPA"].auth_proxies)
