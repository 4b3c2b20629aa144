"""Browsers: what they are called in words, and how long they are remembered."""

from __future__ import annotations

import re

REMEMBERED_S = 365 * 86_400

# The first that is found: browsers name the ones they descend from as well.
_BROWSERS = (
    (r"Edg(?:e|A|iOS)?/", "Edge"),
    (r"OPR/|Opera", "Opera"),
    (r"SamsungBrowser/", "Samsung Internet"),
    (r"Firefox/|FxiOS/", "Firefox"),
    (r"Chrome/|CriOS/|Chromium/", "Chrome"),
    (r"Safari/", "Safari"),
    (r"curl/|python|aiohttp|okhttp|Go-http|Postman", "A program"),
)
_SYSTEMS = (
    (r"iPhone", "an iPhone"),
    (r"iPad", "an iPad"),
    (r"Android", "Android"),
    (r"Windows", "Windows"),
    (r"CrOS", "ChromeOS"),
    (r"Mac OS X|Macintosh", "a Mac"),
    (r"Linux|X11", "Linux"),
)


def device_words(user_agent: str) -> str:
    """What a browser is called, such as "Chrome on Windows". User agents lie; it is a help for memory and proves nothing."""
    browser = _first(_BROWSERS, user_agent)
    system = _first(_SYSTEMS, user_agent)
    if browser and system:
        return f"{browser} on {system}"
    return browser or (f"A browser on {system}" if system else "An unknown device")


def _first(patterns: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for pattern, name in patterns if re.search(pattern, text)), "")
