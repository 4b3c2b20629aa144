"""Ways in beside the password, in a real browser: the company's own sign-in, and a second factor that the company wants."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from hub.embedded import PostgresServer
from integrations.sandbox.gmail import GmailSandbox
from integrations.sandbox.oidc import OidcSandbox
from tests.accounts.kit import Telephone
from tests.conftest import cloned_database
from tests.e2e.house import CONSOLE, HOW_TO_BUILD
from tests.e2e.house import House as Address
from tests.e2e.people import Person
from tests.harness import PASSWORD, make_settings, running_hub
from tests.ports import free_ports
from tests.sso.conftest import House, mail

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(chromium: str, postgres: PostgresServer, valkey_url: str) -> AsyncIterator[House]:
    """A hub that knows its own address, as passkeys and providers want it, with a company's provider beside."""
    assert CONSOLE.is_file(), HOW_TO_BUILD
    [port] = free_ports(1)
    async with cloned_database(postgres) as database, OidcSandbox() as oidc, GmailSandbox() as gmail:
        # Browsers take no passkeys for a number.
        settings = make_settings(
            database.app_url, valkey_url, public_url=f"http://localhost:{port}", port=port, private_sso_hosts=True
        )
        async with running_hub(settings, port=port) as server:
            yield House(server, oidc, gmail, database)


async def at_the_door(browser: Browser, house: House, name: str) -> Person:
    """Somebody on the sign-in page."""
    person = await Person.arrive(browser, Address(house.server.settings.public_url, []), name)
    await person.page.goto("/")
    return person


async def test_the_companys_own_sign_in_leads_from_its_page_into_the_console(house: House, browser: Browser) -> None:
    acme = await house.company()
    await house.set_up(acme)
    rep = await at_the_door(browser, house, "rep")
    page = rep.page
    company = page.get_by_role("button", name="Use your company’s sign-in")
    await company.click()
    await expect(page.get_by_role("alert").filter(has_text="Enter your address")).to_be_visible()
    await page.get_by_label("Email").fill("somebody@nowhere.test")
    await company.click()
    await expect(page.get_by_role("alert").filter(has_text="No company has a sign-in of its own")).to_be_visible()
    await page.get_by_label("Email").fill(mail(acme))
    await company.click()
    await page.wait_for_url(f"{house.oidc.url}/**")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_label("Connection: Live")).to_be_visible()
    assert page.url.startswith(house.server.settings.public_url) and "code=" not in page.url
    await page.reload()
    await expect(page.get_by_label("Connection: Live")).to_be_visible()
    await rep.leave()


async def test_who_needs_a_second_factor_sets_one_up_before_anything_else(house: House, browser: Browser) -> None:
    acme = await house.company()
    await house.as_admin("INSERT INTO sign_in_rules (tenant_id, second_factor) VALUES ($1, true)", acme.tenant_id)
    rep = await at_the_door(browser, house, "rep")
    page = rep.page
    await page.get_by_label("Email").fill(mail(acme))
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.get_by_role("heading", name=f"{acme.name} asks for a second factor")).to_be_visible()
    await rep.check_basics()
    await page.goto("/contacts")
    await expect(page.get_by_role("heading", name=f"{acme.name} asks for a second factor")).to_be_visible()
    await page.get_by_role("button", name="Set up").click()
    seed = await page.get_by_role("dialog").locator("code").inner_text()
    await page.get_by_label("Enter the code").fill(Telephone(seed.replace(" ", "")).code())
    await page.get_by_role("button", name="Turn on").click()
    await page.get_by_label("I have put them where I find them again").check()
    await page.get_by_role("button", name="Done").click()
    await page.get_by_role("button", name="Go on").click()
    await expect(page.get_by_label("Connection: Live")).to_be_visible()
    assert not rep.faults, rep.faults
    await rep.leave()


async def test_a_passkey_is_offered_where_the_email_is_typed(house: House, browser: Browser) -> None:
    acme = await house.company()
    await house.as_admin("INSERT INTO sign_in_rules (tenant_id, second_factor) VALUES ($1, true)", acme.tenant_id)
    rep = await at_the_door(browser, house, "rep")
    page = rep.page
    # The device has an authenticator that says yes to whatever is asked (WebDriver's virtual authenticator).
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("WebAuthn.enable")
    kind = {"protocol": "ctap2", "transport": "internal", "automaticPresenceSimulation": True}
    able = {"hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
    await devtools.send("WebAuthn.addVirtualAuthenticator", {"options": kind | able})
    await page.get_by_label("Email").fill(mail(acme))
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await page.get_by_role("button", name="Add a passkey").click()
    await page.get_by_label("Name").fill("This laptop")
    await page.get_by_role("button", name="Go on").click()
    await expect(page.get_by_role("list", name="Passkeys").get_by_text("This laptop")).to_be_visible()
    await page.get_by_role("button", name="Go on").click()
    await expect(page.get_by_label("Connection: Live")).to_be_visible()

    # In a browser without a session it is filled in by itself, as this device says yes to everything.
    await page.context.clear_cookies()
    await page.reload()
    await expect(page.get_by_label("Connection: Live")).to_be_visible()
    ways = "SELECT string_agg(method, ' ' ORDER BY created_at) FROM sessions WHERE user_id = $1"
    assert await house.as_admin(ways, acme.members["rep"]) == "password passkey"
    await rep.leave()
