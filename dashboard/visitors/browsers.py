"""The names of browser and operating system in a User-Agent header, and whether it is a robot's. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from crawlerdetect import CrawlerDetect

AGENT_MAX = 300  # characters that are looked at; the list of robots takes quadratic time for hostile ones
BROWSERS = (
    (r"\bEdgi?A?(?:OS)?/", "Edge"),
    (r"\bOPR/|\bOPT/|\bOpera\b", "Opera"),
    (r"\bSamsungBrowser/", "Samsung Internet"),
    (r"\bVivaldi/", "Vivaldi"),
    (r"\bYaBrowser/", "Yandex Browser"),
    (r"\b(?:Firefox|FxiOS)/", "Firefox"),
    (r"Chrom(?:e|ium)/|\bCriOS/", "Chrome"),
    (r"\bVersion/[\d.]+.*\bSafari/", "Safari"),
)
SYSTEMS = (
    (r"\bWindows\b", "Windows"),
    (r"\biP(?:hone|ad|od)\b", "iOS"),
    (r"\bAndroid\b", "Android"),
    (r"\bCrOS\b", "ChromeOS"),
    (r"\bMac OS X\b|\bMacintosh\b", "macOS"),
    (r"\bLinux\b|\bX11\b", "Linux"),
)
_robots = CrawlerDetect()


class Browser(NamedTuple):
    """What is kept of a User-Agent header: names, "" where unknown. Nothing is kept of a robot."""

    name: str
    system: str
    is_robot: bool


UNKNOWN = Browser("", "", False)


@lru_cache(maxsize=4096)
def read(agent: str) -> Browser:
    """Return what a User-Agent header says; one without a header is a robot's."""
    agent = agent[:AGENT_MAX]
    robot = not agent.strip() or _robots.is_crawler(agent)
    return Browser(_first(BROWSERS, agent), _first(SYSTEMS, agent), robot)


def _first(names: tuple[tuple[str, str], ...], agent: str) -> str:
    return next((name for pattern, name in names if re.search(pattern, agent)), "")
