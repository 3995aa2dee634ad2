"""Browsers, systems, robots, and what is left of addresses."""

from __future__ import annotations

import time

import pytest

from dashboard.visitors import browsers, privacy

AGENTS = {
    "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0": "Edge Windows",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.0 Safari/605.1": "Safari macOS",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) CriOS/140.0 Mobile Safari/604.1": "Chrome iOS",
    "Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1": "Safari iOS",
    "Mozilla/5.0 (Linux; Android 15; CUBOT) AppleWebKit/537.36 Chrome/140.0 Mobile Safari": "Chrome Android",
    "Mozilla/5.0 (Linux; Android 15; SM-S1) SamsungBrowser/27.0 Chrome/125.0": "Samsung Internet Android",
    "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0": "Firefox Linux",
    "Mozilla/5.0 (X11; CrOS x86_64 16000) AppleWebKit/537.36 Chrome/140.0 Safari/537.36": "Chrome ChromeOS",
    "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 OPR/120.0": "Opera Windows",
    "Something/1.0": " ",
}
ROBOTS = (
    "",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/140.0 Safari/537.36",
    "Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "Go-http-client/2.0",
)
ADDRESSES = {
    "203.0.113.77": "203.0.113.0",
    "2001:db8:1:2:3::4": "2001:db8:1::",
    "::ffff:203.0.113.77": "203.0.113.0",
    "fe80::1%eth0": "fe80::",
    "unix:/run/x": "",
    "": "",
}
URLS = {
    "HTTPS://U:P@Shop.Example:8443/a/b?c=d#e": "https://shop.example:8443/a/b",
    "https://shop.example/#/orders/5?token=x": "https://shop.example/#/orders/5",
    "https://shop.example/#access_token=x": "https://shop.example/",
    "http://[2001:db8::1]/x": "http://[2001:db8::1]/x",
    "javascript:alert(1)": "",
    "https://[": "",
    "https://x:port/": "",
    "/relative": "",
}
TEXTS = {
    "order 1234567890123": "order 1234567890123",  # no check digit
    "4111 1111 1111 1111": "•••",
    "a4111-1111-1111-1111b": "a•••b",
    "٤١١١١١١١١١١١١١١١": "•••",
    "no. 12 4111111111111111 exp 12/29": "no. ••• exp 12/29",
    "2026-11-29 14:17": "2026-11-29 14:17",
    "write to a.b+c@mail.example.com!": "write to •••!",
    "/users/a%40b.example/x": "/users/•••/x",
    "40" * 90: "•••",
}


def test_names_and_addresses_are_reduced() -> None:
    for agent, wanted in AGENTS.items():
        found = browsers.read(agent)
        assert (f"{found.name} {found.system}", found.is_robot) == (wanted, False), agent
    assert [agent for agent in ROBOTS if not browsers.read(agent).is_robot] == []
    for given, short in ADDRESSES.items():
        assert privacy.short_address(given) == short
    for given, kept in URLS.items():
        assert privacy.url(given) == kept
    for given, kept in TEXTS.items():
        assert privacy.text(given, 200) == kept


@pytest.mark.parametrize(
    "text", ["1" * 60_000, "1 " * 30_000, "a" * 60_000 + "@", "a@" * 30_000, "%20" * 20_000]
)
def test_hostile_texts_take_no_time(text: str) -> None:
    """Far over what a quadratic search of 60,000 letters takes; the limit allows for a busy machine."""
    begun = time.process_time()
    privacy.text(text, 4096)
    privacy.url(f"https://shop.example/{text}")
    privacy.is_secret(text[:120])
    browsers.read(text)
    assert time.process_time() - begun < 0.5
