"""What people do with mail in the browser: connect a mailbox, get mail, make a sequence."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Page, expect

from tests.e2e.house import House
from tests.e2e.people import Person

OWN = "rosa@harborlane.test"


async def connect(rep: Person) -> None:
    """Through the settings, Google's page, and back."""
    page = rep.page
    await page.goto("/settings/mailboxes")
    await page.get_by_role("button", name="Connect Gmail").click()
    await page.locator("input#address").fill(OWN)
    await page.get_by_role("button", name="Allow").click()
    await expect(page.get_by_role("status").filter(has_text="The mailbox is connected")).to_be_visible()
    await expect(page.get_by_role("list", name="Mailboxes").get_by_text("Up to date")).to_be_visible()


async def write_to_rosa(house: House, contact: dict[str, Any], subject: str, **more: Any) -> None:
    """A contact writes."""
    name = f"{contact['first_name']} {contact['last_name']}"
    sender = f"{name} <{contact['emails'][0]['address']}>"
    await house.at_gmail("/deliver", {"address": OWN, "from": sender, "subject": subject, **more})


async def sent_to(house: House, contact: dict[str, Any]) -> list[dict[str, Any]]:
    """What the provider has sent to a contact."""
    return (await house.at_gmail("/messages", to=contact["emails"][0]["address"]))["messages"]  # type: ignore[no-any-return]


async def make_sequence(page: Page) -> None:
    """Two steps: a mail, and a call two days later."""
    await page.get_by_role("button", name="New sequence").click()
    await page.get_by_role("dialog").get_by_label("Name").fill("After the trade fair")
    await page.get_by_role("button", name="Make sequence").click()
    for kind in ("Email", "Call"):
        await page.get_by_role("button", name="Add a step").click()
        await page.get_by_role("menuitem", name=kind, exact=True).click()
    await page.get_by_label("Subject of variant A").fill("Good to meet you, {{ contact.first_name }}")
    await page.get_by_label("Text of variant A").fill("Hello {{ contact.first_name }},\n\nshall we talk?")
    await page.get_by_role("button", name="Save steps").click()
    await expect(page.get_by_text("The steps are saved")).to_be_visible()
    await page.get_by_role("button", name="Start", exact=True).click()
    await expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
