"""Chat messages through Apprise: only services reached over HTTP, from a list, under the SSRF protection."""

from __future__ import annotations

import logging
from typing import Any

from dashboard.i18n.message import N_
from dashboard.notify import addresses, result, safe_http, webhook
from dashboard.notify.addresses import AddressError
from dashboard.notify.result import DeliveryResult, ResultKind

# Apprise's names of services; every other one (mail, files, desktop, shell, system log …) is refused.
SERVICES = frozenset(
    {
        "discord",
        "gchat",
        "gotify",
        "gotifys",
        "matrix",
        "matrixs",
        "mmost",
        "mmosts",
        "ntfy",
        "ntfys",
        "pover",
        "rocket",
        "rockets",
        "slack",
        "tgram",
        "workflow",
        "workflows",
        "wxteams",
        "zulip",
    }
)
SELF_HOSTED = {
    "gotify": 80,
    "gotifys": 443,
    "matrix": 80,
    "matrixs": 443,
    "mmost": 80,
    "mmosts": 443,
    "ntfy": 80,
    "ntfys": 443,
    "rocket": 80,
    "rockets": 443,
}
# Options of an address that read files, weaken TLS, or that repeat and wait where the delivery itself does.
REFUSED = frozenset({"redirect", "retry", "store", "template", "verify", "wait"})
BODY_MAX = 65_536  # some services answer a sign-in with more than a page's worth
TEXT_MAX = 4000
NOT_A_CHAT = N_("Unsupported chat service address.")
BAD_OPTION = N_("Remove the options template, verify, redirect, retry, wait and store.")

logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it names addresses, which are secrets


def check(address: str) -> None:
    """Raise AddressError unless `address` is one of a known chat service, on a host that may be called."""
    found = place(address)
    if found is not None:
        safe_http.check_host(*found)


def place(address: str) -> tuple[str, int] | None:
    """Return host and port of a self-hosted service, None for one of a known maker.

    Raises AddressError unless `address` is one of a known chat service.
    """
    service, plugin = _plugin(address)
    if service not in SELF_HOSTED or not plugin.host or _is_cloud(plugin):
        return None
    return str(plugin.host), int(plugin.port or SELF_HOSTED[service])


def send(address: str, title: str, text: str) -> DeliveryResult:
    """Write to the chat and say what came of it. Takes up to guard.TOTAL_S seconds; raises nothing."""
    try:
        _service, plugin = _plugin(address)
    except AddressError as error:
        return DeliveryResult(ResultKind.NEVER, error.args[0])
    with safe_http.call(body_max=BODY_MAX) as call:
        try:
            done = bool(plugin.notify(body=text[:TEXT_MAX], title=title, body_format="text"))
        except Exception:  # whatever a service's module makes of an answer must not end the delivery
            done = False
    if done:
        return DeliveryResult(ResultKind.DONE, "", call.status, "", call.length)
    found = webhook.of_call(call, (address,))
    return (
        found._replace(how=ResultKind.LATER, why=result.ODD_ANSWER) if found.how is ResultKind.DONE else found
    )


def _plugin(address: str) -> tuple[str, Any]:
    """Return the name of the service and what Apprise makes of its address.

    Raises AddressError for one that may not be called. Apprise alone reads the address: its options are
    looked at as Apprise has taken them.
    """
    from apprise import Apprise, AppriseAsset  # here: it takes 150 ms, and few processes need it
    from apprise.plugins import url_to_dict

    if len(address) > addresses.ADDRESS_MAX:
        raise AddressError(addresses.TOO_LONG)
    if address.lower().startswith("http:"):  # Apprise would call https, which the user did not say
        raise AddressError(NOT_A_CHAT)
    parts = url_to_dict(address)  # type: ignore[no-untyped-call]
    if parts is None or parts["schema"] not in SERVICES:
        raise AddressError(NOT_A_CHAT)
    if REFUSED.intersection(parts["qsd"]):
        raise AddressError(BAD_OPTION)
    asset = AppriseAsset(
        app_id="Stopa",
        app_desc="Stopa",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        async_mode=False,
        storage_mode="memory",
        http_redirects=False,
    )
    plugin = Apprise.instantiate(parts, asset=asset, suppress_exceptions=True)
    if plugin is None:
        raise AddressError(NOT_A_CHAT)
    if getattr(plugin, "template", None) or not plugin.verify_certificate or plugin.redirects:
        raise AddressError(BAD_OPTION)
    return parts["schema"], plugin


def _is_cloud(plugin: Any) -> bool:
    """Services that are also offered by their makers take a mere topic where a host would stand."""
    return getattr(plugin, "mode", "") == "cloud"
