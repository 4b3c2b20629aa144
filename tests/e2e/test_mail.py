"""Mail, as people see it: a mailbox is connected, mail comes and is answered, an answer ends a sequence."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.house import House, until
from tests.e2e.mailing import OWN, connect, make_sequence, sent_to, write_to_rosa
from tests.e2e.people import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

# What a reader must never let happen: scripts that run, pictures that tell.
HOSTILE = (
    "<p>Hello Rosa,</p><p>could you send me the <b>offer for autumn</b>?</p>"
    '<img src="https://tracker.example/seen.png" alt=""><script>parent.document.title = "taken"</script>'
    '<a href="javascript:alert(1)" onclick="alert(1)">here</a>'
)


async def is_watched(house: House) -> bool:
    """Was the provider asked to tell of new mail?"""
    return [box["is_watched"] for box in (await house.at_gmail("/mailboxes"))["mailboxes"] if box["address"] == OWN] == [True]


async def is_pushed(house: House) -> bool:
    """Is the provider known to tell of new mail?"""
    [mailbox] = (await house.get("rosa", "/mailboxes"))["data"]
    return bool(mailbox["meter"]["pushes"])


async def test_mail_is_read_answered_and_ends_a_sequence(house: House, browser: Browser) -> None:
    rep = await Person.arrive(browser, house, "rosa")
    page = rep.page
    await rep.sign_in()
    await rep.go_to("Inbox")
    await expect(page.get_by_text("No mailbox is connected")).to_be_visible()
    await connect(rep)
    contact = next(one for one in await house.all_contacts("rosa") if "demo" in one["tags"] and one["emails"])
    name = f"{contact['first_name']} {contact['last_name']}"

    # Mail comes: it is on the screen soon, without a reload, and does nothing by itself.
    await rep.go_to("Inbox")
    await expect(page.get_by_text("Complete, as measured")).to_be_visible()
    await until("the mailbox is watched", lambda: is_watched(house))
    await write_to_rosa(house, contact, "Offer for autumn", text="could you send me the offer?", html=HOSTILE)
    thread = page.get_by_role("region", name="Conversations").get_by_role("link").filter(has_text="Offer for autumn")
    await expect(thread).to_be_visible()
    # It is told of: who finds mail by asking, as is done every few seconds until then, trusts no pushes.
    await until("mail comes by pushes", lambda: is_pushed(house))
    await thread.click()
    mail = page.frame_locator(f'iframe[title="Mail of {name}"]')
    await expect(mail.get_by_text("offer for autumn")).to_be_visible()
    await expect(page.get_by_text("Pictures from elsewhere are not loaded")).to_be_visible()
    assert "taken" not in await page.title()
    assert await mail.locator("script, [onclick], a[href^=javascript]").count() == 0
    await rep.check_basics()

    # The answer goes into the thread, once.
    await page.keyboard.press("r")
    await expect(page.get_by_role("textbox", name="Text of the mail")).to_be_focused()
    await page.keyboard.type("Gladly, here it is.")
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_role("status").filter(has_text="The mail goes out")).to_be_visible()
    first = await until("the answer goes out", lambda: sent_to(house, contact))
    assert len(first) == 1 and first[0]["subject"] == "Re: Offer for autumn" and first[0]["in_reply_to"]

    # A sequence: played ahead, begun, and ended by an answer.
    await rep.go_to("Sequences")
    await make_sequence(page)
    await page.get_by_role("link", name="Play and enrol").click()
    await page.get_by_role("button", name="Enrol everybody").click()
    await page.get_by_role("dialog", name="Enrol every contact?").get_by_role("button", name="Cancel").click()
    await page.get_by_label("Search", exact=True).fill(contact["last_name"])
    await page.get_by_role("button", name="Play it").click()
    await expect(page.get_by_role("group", name="What would happen").get_by_text("1. Email A")).to_be_visible()
    await page.get_by_role("button", name="Enrol them").click()
    await expect(page.get_by_role("status").filter(has_text="1 enrolled")).to_be_visible()
    await page.get_by_role("navigation", name="Parts of the sequence").get_by_role("link", name="Contacts").click()
    row = page.get_by_role("list", name="Contacts of the sequence").get_by_role("listitem").filter(has_text=name)
    await expect(row.get_by_text("Active", exact=True)).to_be_visible()
    await write_to_rosa(house, contact, "Re: Good to meet you", text="Yes, call me tomorrow.")
    await expect(row.get_by_text("Stopped", exact=True)).to_be_visible()
    await rep.check_basics()

    # On the contact's timeline stands all of it.
    await row.get_by_role("link", name=name).click()
    timeline = page.get_by_role("region", name="Timeline").get_by_role("list")
    # On a working day the sequence's first mail may have gone out, too.
    answer = timeline.get_by_role("listitem").filter(has=page.get_by_role("link", name="Re: Offer for autumn"))
    await expect(answer.get_by_text("Rosa Delgado sent an email")).to_be_visible()
    assert rep.faults == []
    await rep.leave()


async def test_the_rooms_of_mail_fit_a_phone_in_the_dark(house: House, browser: Browser) -> None:
    manager = await Person.arrive(browser, house, "marcus", width=390, height=780, scheme="dark")
    await manager.sign_in()
    for address, heading in (
        ("/inbox", "Inbox"),
        ("/sequences", "Sequences"),
        ("/settings/mailboxes", "Settings"),
        ("/settings/templates", "Settings"),
        ("/settings/tracking", "Settings"),
    ):
        await manager.page.goto(address)
        await expect(manager.page.get_by_role("heading", name=heading, level=1)).to_be_visible()
        await expect(manager.page.get_by_role("status", name="Loading")).to_have_count(0)
        await manager.check_basics()
    assert manager.faults == []
    await manager.leave()
