"""People who have no mouse: they reach everything with Tab, letters, digits, the arrows and Ctrl."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from playwright.async_api import Locator, Page, expect

from tests.e2e.people import Person

DONE = "Control+Enter"
HANG_UP = "Control+e"
# So many stops of the Tab key are more than a patient person makes.
MOST_STOPS = 150

# Notes every sign of a mouse or a finger that the page sees.
_NO_MOUSE = """() => {
  window.ringsideTouched = [];
  for (const kind of ['pointerdown', 'mousedown', 'mousemove', 'wheel', 'touchstart'])
    addEventListener(kind, (event) => event.isTrusted && window.ringsideTouched.push(kind), true);
}"""

# What the dialer's screen says: the session, its note, who is next, and the call bar.
_SCREEN = """() => {
  const text = (node) => (node ? node.textContent.trim() : '');
  const dial = [...document.querySelectorAll('section button')].find((each) => /^Dial\\b|^Dial[A-Z]?$/.test(text(each)));
  const panel = dial && dial.closest('section[aria-labelledby]');
  const bar = document.querySelector('[aria-label="Call bar"]');
  const next = panel && panel.querySelector('section[aria-label^="Next: "]');
  return {
    session: panel ? text(panel.querySelector('header [data-tone]')) : '',
    note: panel ? [...panel.querySelectorAll('[role=status]')].map(text).join(' ') : '',
    next: next ? next.getAttribute('aria-label').slice(6) : '',
    bar: bar && {
      who: text(bar.querySelector('a, strong')),
      says: text(bar.querySelector('[data-tone]')),
      talks: !!bar.querySelector('[aria-label="While talking"]'),
      wraps: !!bar.querySelector('[role=radiogroup][aria-label="Disposition"]'),
      chosen: text(bar.querySelector('[role=radio][aria-checked=true]')),
      legs: text(bar.querySelector('[aria-label="Also in this call"]')),
    },
  };
}"""


async def put_the_mouse_away(person: Person) -> None:
    """From now on, whatever looks like a mouse is written down."""
    await person.context.add_init_script(f"({_NO_MOUSE})()")


async def touched(page: Page) -> list[str]:
    """What looked like a mouse since the page was loaded."""
    kinds: list[str] = await page.evaluate("window.ringsideTouched")
    return kinds


async def tab_to(page: Page, target: Locator, *, back: bool = False) -> None:
    """Press Tab (or Shift+Tab) until the target, or something in it, has the focus."""
    await expect(target).to_be_visible()
    await expect(target).to_be_enabled()
    for _ in range(MOST_STOPS):
        if await target.evaluate("node => node.contains(document.activeElement)"):
            return
        await page.keyboard.press("Shift+Tab" if back else "Tab")
    raise AssertionError(f"the Tab key does not lead to {target}")


async def press_on(page: Page, target: Locator, key: str = "Enter") -> None:
    """Tab to a button and press it."""
    await tab_to(page, target)
    await page.keyboard.press(key)


async def write_in(page: Page, target: Locator, text: str) -> None:
    """Tab to a field and type."""
    await tab_to(page, target)
    await page.keyboard.type(text)


async def sign_in(person: Person) -> None:
    """The form, without a mouse."""
    login, page = person.house.login(person.name), person.page
    await page.goto("/")
    await write_in(page, page.get_by_label("Email"), login.email)
    await write_in(page, page.get_by_label("Password", exact=True), login.password)
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Connection: Live")).to_be_visible()


async def go_to(page: Page, room: str) -> None:
    """Through the palette."""
    await page.keyboard.press("Control+k")
    await expect(page.get_by_label("Find a contact or a command")).to_be_focused()
    await page.keyboard.type(f"Go to {room}")
    await expect(
        page.get_by_role("button", name=f"Go to {room}").or_(page.get_by_text(f"Go to {room}", exact=True)).first
    ).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name=room, level=1)).to_be_visible()


async def make_queue(page: Page, name: str, tag: str) -> str:
    """A queue of everybody with this tag; its id."""
    await press_on(page, page.get_by_role("button", name="New queue"))
    dialog = page.get_by_role("dialog", name="New queue")
    await expect(dialog.get_by_label("Name")).to_be_focused()
    await page.keyboard.type(name)
    await write_in(page, dialog.get_by_role("combobox", name="Tag", exact=True), tag)
    await expect(page.get_by_role("option", name=tag)).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await press_on(page, dialog.get_by_role("button", name="Make queue"))
    await page.wait_for_url(re.compile(r"/dialer/[0-9a-f-]{36}"))
    await expect(page.get_by_role("heading", name=name, level=2)).to_be_visible()
    return page.url.rpartition("/")[2]


async def look(page: Page) -> dict[str, Any]:
    """What the screen of the dialer says now."""
    seen: dict[str, Any] = await page.evaluate(_SCREEN)
    return seen


class Keys:
    """Presses what a situation asks for once, and again only when nothing came of it for a while."""

    AGAIN_S = 2.0

    def __init__(self, page: Page) -> None:
        self._page = page
        self._last: tuple[str, ...] = ()
        self._at = 0.0

    async def press(self, situation: str, *keys: str) -> None:
        """Press keys for a situation."""
        now = asyncio.get_running_loop().time()
        if self._last == (situation, *keys) and now - self._at < self.AGAIN_S:
            return
        self._last, self._at = (situation, *keys), now
        for key in keys:
            await self._page.keyboard.press(key)
