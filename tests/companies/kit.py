"""A town with companies in it: what their people do, over HTTP as they do it, and looks at what became of it."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import stripe

from hub.clock import Clock
from hub.plans.table import Feature
from hub.realtime.server import Realtime
from tests.beats import within_a_second
from tests.billing.kit import VISA, Bank
from tests.conftest import TestDatabase
from tests.harness import Answer, Api
from tests.integrations.stripe_kit import post
from tests.joining.kit import PASSWORD
from tests.letters import ReadLetter, letters_to
from tests.realtime.kit import Client


@dataclass
class Person:
    """Somebody with an account, signed in at a company as in a browser: with an access token and the cookies."""

    town: Town
    name: str
    email: str
    api: Api
    id: UUID = field(default_factory=lambda: UUID(int=0))
    company_id: UUID = field(default_factory=lambda: UUID(int=0))

    async def signs_in(self) -> Answer:
        """Sign in with the password."""
        answer = await self.api.post("/auth/login", {"email": self.email, "password": PASSWORD})
        if answer.status == 200:
            self.api.token = answer.body["access_token"]
            self.id, self.company_id = UUID(answer.body["user"]["id"]), UUID(answer.body["tenant"]["id"])
        return answer

    async def goes_on(self) -> None:
        """Go on with the browser's cookie, as a console does by itself after one's role or what it allows has changed."""
        answer = await self.api.post("/auth/refresh")
        assert answer.status == 200, answer.body
        self.api.token = answer.body["access_token"]

    async def opens_the_console(self) -> Client:
        """A console that is open until the end of the story, or until it is told to go."""
        client = await Client.connect(self.town.bank.server.url, self.api.token)
        self.town.until_the_end.push_async_callback(client.close)
        return client

    async def invites(self, name: str, *, role: str = "rep") -> ReadLetter:
        """Invite somebody; the letter that they get."""
        email = self.town.address_of(name, self.email)
        answer = await self.api.post("/invitations", {"email": email, "name": name, "role": role})
        assert answer.status == 201, answer.body
        return (await self.town.letters(email))[-1]

    async def hires(self, name: str, *, role: str = "rep") -> Person:
        """Invite somebody, who follows the letter's link and signs in."""
        letter = await self.invites(name, role=role)
        stranger = self.town.bank.server.client()
        seen = (await stranger.post("/join/look", {"token": letter.token})).body
        assert (seen["state"], seen["inviter"], seen["role"]) == ("open", self.name, role)
        joined = await stranger.post("/join", {"token": letter.token, "name": name, "password": PASSWORD})
        assert joined.status == 201, joined.body
        return await self.town.signed_in(name, letter.to)

    async def makes_a_key(self) -> Api:
        """A client with an API key of this person's, which reads contacts."""
        made = await self.api.post("/api-keys", {"name": "Nightly", "scopes": ["contacts:read"]})
        assert made.status == 201, made.body
        return self.town.bank.server.client(made.body["key"])

    async def standing(self) -> tuple[str, str]:
        """The plan, and how the company stands, as everybody in it may see."""
        found = (await self.api.get("/plans")).body["in_force"]
        return found["plan"], found["standing"]

    async def account(self) -> dict[str, Any]:
        """What was bought, as who pays sees it."""
        found: dict[str, Any] = (await self.api.get("/billing")).body["account"]
        return found

    async def invoices(self) -> list[tuple[str, int, int]]:
        """The invoices that are for something, oldest first: how they stand, what they came to, and what was paid."""
        found = (await self.api.get("/billing/invoices", limit=100)).body["data"]
        return [(each["status"], each["total_minor"], each["paid_minor"]) for each in reversed(found) if each["total_minor"]]

    async def newest_invoice(self) -> str:
        """The id of the newest invoice."""
        found: str = (await self.api.get("/billing/invoices", limit=1)).body["data"][0]["id"]
        return found

    async def goes_to_the_checkout(self, plan: str, seats: int, *, every: str = "month") -> str:
        """The page to pay on."""
        answer = await self.api.post("/billing/checkout", {"plan": plan, "every": every, "seats": seats})
        assert answer.status == 200, answer.body
        return str(answer.body["url"])

    async def pays_there(self, page: str, *, card: str = VISA, **form: str) -> None:
        """Fill in the page to pay on."""
        status, location, text = await post(page, card=card, **form)
        assert (status, "bought=yes" in location) == (303, True), text
        await self.town.bank.work()

    async def replaces_the_card(self, card: str) -> None:
        """Enter another card on the provider's own pages."""
        portal = (await self.api.post("/billing/portal")).body["url"]
        assert (await post(f"{portal}?action=card", card=card))[0] == 303
        await self.town.bank.work()

    async def pays_the_open_invoice(self, card: str = VISA) -> None:
        """Pay on the invoice's own page what is open."""
        [due] = [each for each in (await self.api.get("/billing/invoices")).body["data"] if each["status"] == "open"]
        page = (await self.api.get(f"/billing/invoices/{due['id']}/links")).body["page"]
        assert (await post(page, card=card))[0] == 303
        await self.town.bank.work()

    async def is_shown(self, plan: str, seats: int, *, every: str = "month") -> dict[str, Any]:
        """What a change would cost."""
        answer = await self.api.post("/billing/preview", {"plan": plan, "every": every, "seats": seats})
        assert answer.status == 200, answer.body
        found: dict[str, Any] = answer.body
        return found

    async def changes_to(self, plan: str, seats: int, shown: dict[str, Any], *, every: str = "month") -> None:
        """Change the plan at the price that was shown."""
        wanted = {"plan": plan, "every": every, "seats": seats, "at": shown["at"]}
        answer = await self.api.post("/billing/change", wanted)
        assert (answer.status, answer.body["account"]["plan"], answer.body["account"]["seats"]) == (200, plan, seats)
        await self.town.bank.work()

    async def may_use(self) -> set[Feature]:
        """The features that are not refused, each tried and undone; the list that the plan shows says the same."""
        tries = {
            "api_keys": await self.api.post("/api-keys", {"name": "Try", "scopes": ["contacts:read"]}),
            "webhooks": await self.api.post("/api/v1/webhooks", {"url": "https://hooks.example.com/ringside"}),
            "visibility": await self.api.put("/visibility", {"visibility": "own"}),
            "custom_roles": await self.api.post("/roles", {"name": "Try", "permissions": ["contacts:read"]}),
            "sso": await self.api.post("/sso/domains", {"domain": self.town.a_domain()}),
            "audit_export": await self.api.get("/audit/export"),
        }
        refused = {name for name, answer in tries.items() if answer.status == 402}
        for name in refused:
            assert (tries[name].error, tries[name].body["details"]["limit"]) == ("plan_limit", name)
        allowed: set[Feature] = {name for name in get_args(Feature) if name not in refused}
        assert {tries[name].status for name in allowed} <= {200, 201}, {name: tries[name].status for name in allowed}
        await self._undo(tries, allowed)
        shown = (await self.api.get("/plans")).body["features"]
        assert {each["name"] for each in shown if each["allowed"]} == allowed
        return allowed

    async def _undo(self, tries: dict[str, Answer], allowed: set[Feature]) -> None:
        for name, path in (("api_keys", "/api-keys"), ("webhooks", "/api/v1/webhooks"), ("custom_roles", "/roles")):
            if name in allowed:
                await self.api.delete(f"{path}/{tries[name].body['id']}")
        if "visibility" in allowed:
            await self.api.put("/visibility", {"visibility": "everyone"})

    async def exports_everything(self) -> dict[str, int]:
        """Have the company's data put together as files; how many rows of each kind there are."""
        asked = await self.api.post("/privacy/exports", {"subject_kind": "company"})
        assert asked.status == 202, asked.body
        await self.town.bank.work()
        made = (await self.api.get(f"/privacy/requests/{asked.body['id']}")).body
        assert (made["state"], made["has_file"]) == ("done", True), made
        file = await self.api.get(f"/privacy/requests/{asked.body['id']}/file")
        assert file.status == 200
        counts: dict[str, int] = made["counts"]
        return counts

    async def log(self, *actions: str) -> list[tuple[str, str]]:
        """Who did what, oldest first, of the actions that begin with one of these."""
        found = []
        for action in actions:
            found += (await self.api.get("/audit", action=action, limit=200)).body["data"]
        return [(_first_name(entry["actor"]), entry["action"]) for entry in sorted(found, key=lambda entry: entry["at"])]

    async def standings(self) -> list[tuple[str, int, str]]:
        """The plan, the seats and how the company stood, each time that one of them changed, by the audit log."""
        found = (await self.api.get("/audit", action="billing.changed", limit=200)).body["data"]
        plans = [entry["details"] for entry in reversed(found)]
        said = [(plan["plan"], plan["seats"], plan["standing"]) for plan in plans]
        return [each for number, each in enumerate(said) if number == 0 or each != said[number - 1]]


@dataclass
class Town:
    """Where the companies are: a hub, a worker's hands, a Stripe whose time can be moved, and somebody who runs it all."""

    bank: Bank
    database: TestDatabase
    operator: stripe.StripeClient
    until_the_end: AsyncExitStack
    _domains: int = 0

    @property
    def realtime(self) -> Realtime:
        """The hub's live floor."""
        return self.bank.server.hub.realtime

    def address_of(self, name: str, colleague: str) -> str:
        """A person's address at the domain of a colleague's."""
        return f"{name.split()[0].lower()}@{colleague.partition('@')[2]}"

    def a_domain(self) -> str:
        """A domain that nobody asked for yet."""
        self._domains += 1
        return f"domain{self._domains}.example"

    async def signed_in(self, name: str, email: str) -> Person:
        """Somebody in front of a browser of their own."""
        person = Person(self, name, email, self.bank.server.client())
        answer = await person.signs_in()
        assert answer.status == 200, answer.body
        return person

    async def signs_up(self, company: str, name: str, email: str, *, zone: str = "UTC") -> Person:
        """Sign a company up by the form, follow the letter's link, and sign in as its owner."""
        stranger = self.bank.server.client()
        form = {"company": company, "name": name, "email": email, "zone": zone}
        assert (await stranger.post("/signup", form)).status == 202
        [letter] = await self.letters(email)
        finish = {"token": letter.token, "name": name, "password": PASSWORD}
        made = await stranger.post("/signup/finish", finish)
        assert (made.status, made.body["company"]) == (201, company), made.body
        owner = await self.signed_in(name, email)
        await self.bank.open()
        return owner

    async def sells_with(self, code: str, percent_off: int) -> None:
        """Whoever runs this Ringside gives out a code that makes the first invoice cheaper."""
        coupon = await self._stripe.coupons.create_async({"percent_off": percent_off, "duration": "once"})
        await self._stripe.promotion_codes.create_async({"promotion": {"type": "coupon", "coupon": coupon.id}, "code": code})

    async def customer_of(self, owner: Person) -> Any:
        """The company as the payment provider knows it, with its tax ids and what it bought."""
        sql = "SELECT customer_id FROM billing_accounts WHERE tenant_id = $1"
        customer = (await self.look(sql, owner.company_id))[0]["customer_id"]
        expand = ["tax_ids", "subscriptions"]
        return await self._stripe.customers.retrieve_async(customer, {"expand": expand})

    async def forgotten(self, customer: str) -> Any:
        """What the payment provider says of a customer who was to be forgotten."""
        return await self._stripe.customers.retrieve_async(customer)

    async def days_pass(self, days: float) -> None:
        """Days pass; webhooks arrive, and what is to be done by then is done."""
        await self.bank.pass_days(days)

    async def day_comes(self, moment: str, *, days_before: float = 0.0) -> None:
        """A moment comes, or so many days before it, and two hours more: after one an invoice is no draft any longer."""
        await self.days_pass((datetime.fromisoformat(moment) - Clock().now()) / timedelta(days=1) - days_before + 2 / 24)

    async def the_week_is_over(self, request_id: str) -> None:
        """What was to happen in a week happens: the database's own clock can't be moved, so the moment is brought here."""
        conn = await asyncpg.connect(self.database.admin_url)
        try:
            await conn.execute("UPDATE privacy_requests SET due_at = now() WHERE id = $1", UUID(request_id))
            await conn.execute("UPDATE jobs SET run_at = now() WHERE args ->> 'request_id' = $1", request_id)
        finally:
            await conn.close()
        await self.bank.work()

    async def letters(self, address: str) -> list[ReadLetter]:
        """The letters to an address, oldest first."""
        return await letters_to(self.database, self.bank.server.settings, address)

    async def dunned(self, person: Person) -> list[str]:
        """What somebody was written about the plan, oldest first, by the letters' subjects."""
        return [each.subject for each in await self.letters(person.email) if each.template.startswith("billing_")]

    async def look(self, sql: str, *args: Any) -> list[Any]:
        """Look into the tables."""
        conn = await asyncpg.connect(self.database.admin_url)
        try:
            return list(await conn.fetch(sql, *args))
        finally:
            await conn.close()

    @property
    def _stripe(self) -> Any:
        return self.operator.v1


async def is_out(api: Api) -> bool:
    """Is this token or key good for nothing any more?"""
    return (await api.get("/me")).status == 401


async def rests_with_the_plan(key: Api) -> bool:
    """Is an API key refused since the plan has none?"""
    answer = await key.get("/contacts")
    return (answer.status, answer.body.get("error")) == (402, "plan_limit")


async def out_at_once(person: Person, console: Client, key: Api) -> None:
    """Whoever was sent away is out everywhere within a second: the open console, the access token, the key, the cookie."""
    assert person.api.withdrawn is not None
    await within_a_second(person.api.withdrawn, lambda: console.disconnected)
    for api in (person.api, key):
        await api.within_a_second(lambda api=api: is_out(api))  # type: ignore[misc]
    person.api.token = None
    assert (await person.api.post("/auth/refresh")).status in (401, 403)


def day_of(moment: str, zone: str) -> str:
    """The day of a moment as letters write it to a company of that time zone."""
    day = datetime.fromisoformat(moment).astimezone(ZoneInfo(zone))
    return f"{day.day} {day:%B %Y} ({zone if zone == 'UTC' else f'{zone} time'})"


def share(whole_minor: int, at: datetime, begins: datetime, ends: datetime) -> int:
    """What is left of a period's price from `at` on, to the cent, halves up."""
    left, whole = int((ends - at).total_seconds()), int((ends - begins).total_seconds())
    return (2 * whole_minor * left + whole) // (2 * whole)


def _first_name(actor: dict[str, Any] | None) -> str:
    return "" if actor is None else str(actor["name"] or "?").split()[0]
