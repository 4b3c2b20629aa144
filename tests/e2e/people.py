"""People at their browsers: each has one of their own, and everything that goes wrong in it is written down."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, WebSocket, async_playwright, expect

from tests.e2e.house import House
from tests.patience import PATIENCE_S

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = PATIENCE_S * 1000
# What a person can act on; each must have a name for those who can't see it.
ACTIONABLE = frozenset({"button", "link", "textbox", "searchbox", "combobox", "checkbox", "radio", "menuitem", "slider"})
# Browsers log every answer that is an error. Without a session, asking for one is answered 401, as it should be.
EXPECTED = re.compile(r"/api/v1/auth/refresh.*\b401\b|\b401\b.*/api/v1/auth/refresh")

Scheme = Literal["light", "dark"]


def find_chromium() -> str | None:
    """A Chromium of this machine, or the one that RINGSIDE_CHROMIUM names."""
    given = os.environ.get("RINGSIDE_CHROMIUM")
    if given and Path(given).is_file():
        return given
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next(filter(None, map(shutil.which, names)), None)


@asynccontextmanager
async def open_browser(executable: str) -> AsyncIterator[Browser]:
    """A headless Chromium."""
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, headless=True, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Person:
    """Somebody signed in at a browser of their own. `faults` is what must stay empty, `frames` what the socket brought."""

    name: str
    house: House
    context: BrowserContext
    page: Page
    faults: list[str] = field(default_factory=list)
    frames: list[str] = field(default_factory=list)

    @classmethod
    async def arrive(
        cls, browser: Browser, house: House, name: str, *, width: int = 1280, height: int = 800, scheme: Scheme = "light"
    ) -> Person:
        """Open the console in a new browser profile; nobody is signed in there yet."""
        size: Any = {"width": width, "height": height}
        context = await browser.new_context(
            base_url=house.url, viewport=size, color_scheme=scheme, accept_downloads=True, reduced_motion="reduce", locale="en-US"
        )
        context.set_default_timeout(PATIENCE_MS)
        page = await context.new_page()
        person = cls(name, house, context, page)
        page.on("console", person._heard)
        page.on("pageerror", lambda error: person.faults.append(f"uncaught: {error}"))
        page.on("request", person._requested)
        page.on("websocket", person._connected)
        return person

    async def sign_in(self) -> None:
        """Through the form, as people do."""
        login = self.house.login(self.name)
        await self.page.goto("/")
        await self.page.get_by_label("Email").fill(login.email)
        await self.page.get_by_label("Password", exact=True).fill(login.password)
        await self.page.get_by_role("button", name="Sign in").click()
        await expect(self.page.get_by_label("Connection: Live")).to_be_visible()

    async def go_to(self, room: str) -> None:
        """Through the navigation, without a reload."""
        rooms = self.page.get_by_role("navigation", name="Rooms", exact=True)
        link = rooms.get_by_role("link", name=room, exact=True)
        more = rooms.get_by_role("button", name="More")
        await expect(link.or_(more).first).to_be_visible()
        if not await link.is_visible():
            await more.click()
            link = self.page.get_by_role("menuitem", name=room, exact=True)
        await link.click()
        await expect(self.page.get_by_role("heading", level=1)).to_be_visible()

    async def check_basics(self) -> None:
        """One heading of the first level, everything that can be used has a name, and nothing is wider than the screen."""
        where = self.page.url
        assert await self.page.get_by_role("heading", level=1).count() == 1, f"{where}: not exactly one h1"
        nameless = await self._nameless()
        assert not nameless, f"{where}: without a name: {nameless}"
        wide, screen = await self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide <= screen, f"{where}: {wide} px wide on a screen of {screen}"

    async def leave(self) -> None:
        """Close the browser's profile."""
        await self.context.close()

    async def _nameless(self) -> list[str]:
        """Roles of what can be used but has no accessible name, as the browser computes it."""
        session = await self.context.new_cdp_session(self.page)
        tree = await session.send("Accessibility.getFullAXTree")
        await session.detach()
        return [
            f"{node['role']['value']} {node.get('description', {}).get('value', '')}"
            for node in tree["nodes"]
            if not node.get("ignored")
            and node.get("role", {}).get("value") in ACTIONABLE
            and not str(node.get("name", {}).get("value", "")).strip()
        ]

    def _heard(self, message: ConsoleMessage) -> None:
        text = f"{message.text} {message.location.get('url', '')}"
        if message.type == "error" and not EXPECTED.search(text):
            self.faults.append(f"console: {text}")

    def _requested(self, request: Request) -> None:
        address = urlsplit(request.url)
        # Google's own page is asked for consent; here the sandbox's.
        ours = (urlsplit(self.house.url).netloc, urlsplit(self.house.gmail).netloc)
        if address.scheme not in ("data", "blob", "about") and address.netloc not in ours:
            self.faults.append(f"asked another host: {request.url}")

    def _connected(self, socket: WebSocket) -> None:
        if urlsplit(socket.url).netloc != urlsplit(self.house.url).netloc:
            self.faults.append(f"connected to another host: {socket.url}")
        socket.on("framereceived", lambda frame: self.frames.append(str(frame)))
