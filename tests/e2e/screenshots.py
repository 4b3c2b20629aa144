"""Makes the pictures of the documentation: `.venv/bin/python -m tests.e2e.screenshots` writes docs/images/*.png.

Starts a Ringside of its own on free ports, lets the demo's people work, and takes the pictures with a headless Chromium.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Locator, Page, expect

from tests.e2e.customers import write_customers
from tests.e2e.house import ROOT, House, open_house, until
from tests.e2e.mailing import connect, make_sequence, write_to_rosa
from tests.e2e.people import Person, find_chromium, open_browser

IMAGES = ROOT / "docs" / "images"
SIZE = {"width": 1280, "height": 800}

# Who called whom before the pictures are taken (by the last digits of the demo's numbers), and how it went.
EARLIER = (
    ("rosa", "0105", "busy"),
    ("ravi", "0101", "meeting_booked"),
    ("rosa", "0108", "wrong_number"),
    ("ravi", "0102", "callback"),
    ("rosa", "0103", "connected"),
    ("ravi", "0109", "callback"),
)


async def main() -> int:
    """Take all pictures; the exit code."""
    executable = find_chromium()
    if executable is None:
        print("no Chromium here: install it (Debian: apt install chromium) or name one in RINGSIDE_CHROMIUM", file=sys.stderr)
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    async with open_house() as house, open_browser(executable) as browser:
        await take(house, browser)
    return 0


async def take(house: House, browser: Browser) -> None:
    """Let the people work, and take the pictures on the way."""
    manager = await arrive(house, browser, "marcus")
    rosa = await arrive(house, browser, "rosa")
    ravi = await arrive(house, browser, "ravi")
    await arrive(house, browser, "olivia")
    await import_customers(ravi)
    contacts = await house.all_contacts("rosa")
    for name, digits, disposition in EARLIER:
        await earlier_call(house, name, by_number(contacts, digits), disposition)

    await start_call(ravi, by_number(contacts, "0106"))
    ada = by_number(contacts, "0100")
    await start_call(rosa, ada)
    await expect(call_bar(rosa.page).get_by_text("Connected", exact=True)).to_be_visible()
    note = rosa.page.get_by_label("Note", exact=True)
    await note.fill("Tasting went well. She wants prices for 40 kg a month, delivered on Mondays.")
    await note.press("Control+Enter")
    await expect(note).to_have_value("")
    await rosa.page.mouse.move(0, 0)  # away from the button, whose hint would be in the picture
    await expect(manager.page.get_by_role("log")).to_contain_text("wrote a note")
    await picture(manager.page, "floor")
    await picture(rosa.page, "contact")
    await manager.page.emulate_media(color_scheme="dark")
    await picture(manager.page, "floor-dark")

    await call_bar(rosa.page).get_by_role("button", name="Hang up").click()
    await expect(rosa.page.get_by_role("radiogroup", name="Disposition")).to_be_visible()
    await rosa.page.keyboard.press("7")
    await picture(call_bar(rosa.page), "call-bar")

    await manager.page.emulate_media(color_scheme="light")
    await manager.go_to("Contacts")
    await expect(manager.page.get_by_role("table").get_by_role("row").nth(12)).to_be_visible()
    await picture(manager.page, "contacts")
    await manager.page.set_viewport_size({"width": 390, "height": 844})
    await picture(manager.page, "contacts-phone")
    await take_mail(house, rosa, ada)


async def take_mail(house: House, rosa: Person, ada: dict[str, Any]) -> None:
    """A conversation that is being answered, and a sequence played ahead."""
    page = rosa.page
    await page.keyboard.press("Control+Enter")
    await connect(rosa)
    await rosa.go_to("Inbox")
    for subject, text in (
        ("Samples arrived", "Thank you, the box came this morning. The team likes the second roast best."),
        (
            "Prices for 40 kg a month",
            "Hello Rosa,\n\ncould you send me prices for 40 kg a month, delivered on Mondays?\n\nBest,\nAda",
        ),
    ):
        await write_to_rosa(house, ada, subject, text=text)
        thread = page.get_by_role("region", name="Conversations").get_by_role("link").filter(has_text=subject)
        await expect(thread).to_be_visible()
    await thread.click()
    await expect(page.get_by_role("button", name="Answer", exact=True)).to_be_visible()
    await page.keyboard.press("r")
    await expect(page.get_by_role("textbox", name="Text of the mail")).to_be_focused()
    await page.keyboard.type("Gladly, Ada. I have put the offer together for you; Mondays are fine.")
    await picture(page, "inbox")
    await rosa.go_to("Sequences")
    await make_sequence(page)
    await page.get_by_role("link", name="Play and enrol").click()
    await page.get_by_role("button", name="Play it").click()
    await expect(page.get_by_role("group", name="What would happen")).to_be_visible()
    await page.get_by_role("heading", name="What would go out when").scroll_into_view_if_needed()
    await picture(page, "sequence")


async def arrive(house: House, browser: Browser, name: str) -> Person:
    """Somebody signs in."""
    person = await Person.arrive(browser, house, name, width=SIZE["width"], height=SIZE["height"])
    await person.sign_in()
    return person


async def import_customers(person: Person) -> None:
    """Bring a list; the preview is a picture of its own."""
    page = person.page
    with tempfile.TemporaryDirectory() as folder:
        file = write_customers(Path(folder) / "autumn-fair.csv")
        await person.go_to("Import")
        await page.get_by_role("link", name="New import").click()
        await page.get_by_label("CSV file", exact=True).set_input_files(file)
        await expect(page.get_by_role("heading", name="Preview")).to_be_visible()
        await picture(page, "import")
        await page.get_by_role("button", name="Start import").click()
        await expect(page.get_by_role("status").get_by_text("Done", exact=True)).to_be_visible()


def by_number(contacts: list[dict[str, Any]], digits: str) -> dict[str, Any]:
    """The demo's contact whose number ends so."""
    return next(c for c in contacts if "demo" in c["tags"] and c["phones"][0]["e164"].endswith(digits))


async def earlier_call(house: House, name: str, contact: dict[str, Any], disposition: str) -> None:
    """A call over the API, hung up after a few words if nobody else ends it, and its disposition."""
    call = await house.post(name, "/calls", {"contact_id": contact["id"]})

    async def state() -> str | None:
        found = (await house.get(name, f"/calls/{call['id']}"))["state"]
        return found if found not in ("queued", "dialing", "ringing") else None

    if await until("the call got somewhere", state) == "in_progress":
        await asyncio.sleep(3)  # a talk, not a wait: the floor's talk time is to be more than nothing
        await house.post(name, f"/calls/{call['id']}/hangup", {})

    async def has_ended() -> bool:
        return (await house.get(name, f"/calls/{call['id']}"))["ended_at"] is not None

    await until("the call ended", has_ended)
    await house.put(name, f"/calls/{call['id']}/disposition", {"disposition": disposition})


async def start_call(person: Person, contact: dict[str, Any]) -> None:
    """From the contact's page."""
    await person.page.goto(f"/contacts/{contact['id']}")
    await person.page.get_by_role("button", name=f"Call {contact['phones'][0]['e164']}").click()
    await expect(call_bar(person.page)).to_be_visible()


def call_bar(page: Page) -> Locator:
    """The bar at the bottom."""
    return page.get_by_role("region", name="Call bar")


async def picture(what: Page | Locator, name: str) -> None:
    """Write docs/images/<name>.png."""
    path = IMAGES / f"{name}.png"
    await what.screenshot(path=path, animations="disabled")
    print(f"{path.relative_to(ROOT)} {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
