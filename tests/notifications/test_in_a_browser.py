"""A push in a real browser: it is shown, and who clicks on it is where it leads, and has read it. No push service is needed."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from playwright.async_api import CDPSession, expect

from hub.auth.passwords import hash_password
from hub.db import tenant_tx
from hub.notifications.actions import notify
from hub.notifications.telling import write_push
from tests.conftest import make_company
from tests.e2e.people import find_chromium, open_browser
from tests.harness import PASSWORD, RunningHub, until
from tests.patience import PATIENCE_S

CHROMIUM = find_chromium()
# Chromium lets no script click on a notification; the worker is told what a click would have told it.
CLICK = """async (title) => {
    const [shown] = (await self.registration.getNotifications()).filter((one) => one.title === title);
    self.dispatchEvent(new NotificationEvent('notificationclick', { notification: shown }));
}"""
SHOWN = "async () => (await self.registration.getNotifications()).map((one) => [one.title, one.data.url])"


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: install it, or name one in RINGSIDE_CHROMIUM")
async def test_a_push_is_shown_and_a_click_leads_to_what_it_is_about(server: RunningHub) -> None:
    company = await make_company(server.hub.db, "Acme", await hash_password(PASSWORD))
    rep = server.as_member(company, "rep")
    contact = (await rep.post("/contacts", {"first_name": "Ada", "last_name": "Lovelace"})).body["id"]
    async with tenant_tx(server.hub.db, company.who("owner")) as tx:
        told = await notify(tx, company.members["rep"], "mail_reply", "Ada has answered", "Private words", "contact", contact)
        assert told is not None
        push = await write_push(tx, [told], 1)
    assert push is not None and b"Private" not in push.body
    async with open_browser(str(CHROMIUM)) as browser:
        context = await browser.new_context(base_url=server.url)
        await context.grant_permissions(["notifications"])
        page = await context.new_page()
        await page.goto("/")
        await page.get_by_label("Email").fill("rep@acme.test")
        await page.get_by_label("Password", exact=True).fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_label("Connection: Live")).to_be_visible()
        worker = context.service_workers[0] if context.service_workers else await context.wait_for_event("serviceworker")
        # As Chromium would hand on what came from its push service, deciphered.
        tools = await context.new_cdp_session(page)
        address = {"origin": server.url, "registrationId": await registration(tools)}

        async def shown() -> Any:
            return await worker.evaluate(SHOWN)

        async def deliver(data: str) -> Any:
            # A browser that is short of time drops what comes this way; a push service would send it again.
            for _ in range(6):
                await tools.send("ServiceWorker.deliverPushMessage", {**address, "data": data})
                with suppress(AssertionError):
                    return await until(shown, seconds=10)
            raise AssertionError("it is never shown")

        assert await deliver(push.body.decode()) == [["Ada has answered", f"/contacts/{contact}"]]
        await worker.evaluate(CLICK, "Ada has answered")
        await expect(page).to_have_url(f"{server.url}/contacts/{contact}")
        await expect(page.get_by_role("heading", name="Ada Lovelace")).to_be_visible()
        # It is taken back, by a message of its own to the browser.
        await until(lambda: _none(shown))

        async def unread() -> Any:
            return [one for one in (await rep.get("/notifications")).body["data"] if one["read_at"] is None]

        await until(lambda: _none(unread))
        # What can't be read, or leads elsewhere, still shows something, and leads home.
        assert await deliver('{"url": "//elsewhere.example"}') == [["There is something new in Ringside", "/"]]


async def registration(tools: CDPSession) -> str:
    """By what name Chromium knows our worker."""
    found: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def heard(said: dict[str, Any]) -> None:
        for one in said["registrations"]:
            if not one["isDeleted"] and not found.done():
                found.set_result(one["registrationId"])

    tools.on("ServiceWorker.workerRegistrationUpdated", heard)
    await tools.send("ServiceWorker.enable")
    return await asyncio.wait_for(found, PATIENCE_S)


async def _none(look: Any) -> bool:
    return not await look()
