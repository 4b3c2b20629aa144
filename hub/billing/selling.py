"""What people do about the plan: the provider is asked, outside of any transaction, and what it knows then is fetched."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
import orjson

from hub.audit.actions import record
from hub.billing.actions import facts_of
from hub.billing.mirroring import mirror
from hub.billing.models import OtherEnded
from hub.billing.office import Office
from hub.billing.standing import stand
from hub.db import Database, tenant_tx
from hub.errors import Conflict, Invalid, NotFound, PaymentRequired, Unavailable
from hub.plans.table import PLANS, Every, PlanName
from hub.sqlfiles import load_sql
from hub.who import Who
from integrations.errors import CircuitOpen, ProviderError, Rejected
from integrations.payments import CheckoutPage, InvoiceLinks, Payments, Preview, Wanted

_SQL = load_sql("billing")
_LIVE = ("trialing", "active", "past_due", "unpaid", "paused")


@dataclass(frozen=True, slots=True)
class Counter:
    """Where plans are bought and changed. `payments` is None where no provider is set up."""

    db: Database
    payments: Payments | None
    office: Office

    async def checkout(self, who: Who, plan: PlanName, every: Every, seats: int) -> str:
        """The address of a page to buy a plan on. What is left of the trial stays free.

        There is one such page for a company at most: the one before is closed, also where two are asked for at once. Raises
        Conflict for who has a plan, also one that was bought a moment ago in another window.
        """
        account, people = await self._account(who)
        _fits(plan, seats, people)
        _refuse_second(account)
        if account["customer_id"] is not None:
            # What was bought in another window may not have been told of yet.
            await self.sync(who)
            account, _ = await self._account(who)
            _refuse_second(account)
        customer = await self._customer(who, account)
        await self._note(who, "plan.checkout_opened", plan=plan, every=every, seats=seats)
        standing = stand(facts_of(account), self.office.now())
        free_until = account["trial_ends_at"] if standing.name == "trial" else None
        async with told():
            page = await self._payments.open_checkout(
                customer,
                Wanted(plan, every, seats),
                f"{self.office.link}?bought=yes",
                self.office.link,
                trial_ends_at=free_until,
            )
            await self._take_the_place(who, page)
        return page.url

    async def _take_the_place(self, who: Who, page: CheckoutPage) -> None:
        """Let this be the one page of the company: whoever comes last closes the one before, and sees whether it was in time."""
        async with tenant_tx(self.db, who) as tx:
            row = await tx.fetchrow(_SQL["lock_account"])
            await tx.execute(_SQL["note_checkout_page"], page=page.id)
        before = row["checkout_page"] if row is not None else None
        if before is None or await self._payments.close_checkout(before):
            return
        await self.sync(who)
        account, _ = await self._account(who)
        if _is_live(account):
            await self._payments.close_checkout(page.id)
            _refuse_second(account)

    async def end_other(self, who: Who, subscription: str) -> OtherEnded:
        """End a plan that lives besides the one that counts, and give back what was paid for it. Raises NotFound."""
        account, _ = await self._account(who)
        others = {each["id"]: each for each in orjson.loads(account["others"])}
        if account["customer_id"] is None or subscription not in others:
            raise NotFound("There is no such second plan; it may have ended already.", code="second_plan_not_found")
        async with told():
            returned = await self._payments.end_other(account["customer_id"], subscription)
        currency = others[subscription]["currency"]
        await self._note(who, "plan.second_ended", subscription=subscription, returned_minor=returned, currency=currency)
        await self.sync(who)
        return OtherEnded(returned_minor=returned, currency=currency)

    async def portal(self, who: Who) -> str:
        """The address of the provider's pages for cards, tax ids and invoices."""
        account, _ = await self._account(who)
        customer = await self._customer(who, account)
        await self._note(who, "plan.portal_opened")
        async with told():
            return await self._payments.open_portal(customer, self.office.link)

    async def preview(self, who: Who, plan: PlanName, every: Every, seats: int) -> Preview:
        """What a change would cost."""
        account, people = await self._account(who)
        _fits(plan, seats, people)
        subscription = _bought(account)
        async with told():
            return await self._payments.preview(account["customer_id"], subscription, Wanted(plan, every, seats))

    async def change(self, who: Who, plan: PlanName, every: Every, seats: int, at: datetime) -> None:
        """Change the plan, how it is paid or the seats, at the price that was shown for the moment `at`."""
        account, people = await self._account(who)
        _fits(plan, seats, people)
        subscription = _bought(account)
        async with told():
            await self._payments.change(subscription, Wanted(plan, every, seats), at)
        await self._note(who, "plan.changed", plan=plan, every=every, seats=seats)
        await self.sync(who)

    async def cancel(self, who: Who) -> None:
        """End the plan when what is paid for ends."""
        account, _ = await self._account(who)
        async with told():
            await self._payments.cancel(_bought(account))
        await self._note(who, "plan.cancelled")
        await self.sync(who)

    async def keep(self, who: Who) -> None:
        """Take a cancellation back."""
        account, _ = await self._account(who)
        async with told():
            await self._payments.keep(_bought(account))
        await self._note(who, "plan.kept")
        await self.sync(who)

    async def redeem(self, who: Who, code: str) -> None:
        """Use a promotion code for what was bought."""
        account, _ = await self._account(who)
        subscription = _bought(account)
        try:
            async with told():
                await self._payments.redeem(subscription, code.strip())
        except Conflict as refusal:
            raise Invalid.field("code", refusal.message) from None
        await self._note(who, "plan.code_used")
        await self.sync(who)

    async def links(self, who: Who, invoice_id: UUID) -> InvoiceLinks:
        """Where an invoice can be seen, paid and downloaded."""
        async with tenant_tx(self.db, who) as tx:
            invoice = await tx.fetchval(_SQL["get_invoice"], id=invoice_id)
        if invoice is None:
            raise NotFound("There is no such invoice.", code="invoice_not_found")
        async with told():
            return await self._payments.links(invoice)

    async def sync(self, who: Who) -> None:
        """Fetch what the provider knows now."""
        async with told():
            await mirror(self.db, self._payments, self.office, who.tenant_id)

    async def _note(self, who: Who, action: str, **details: str | int) -> None:
        async with tenant_tx(self.db, who) as tx:
            await record(tx, action, subject_kind="plan", details=details)

    @property
    def _payments(self) -> Payments:
        if self.payments is None:
            raise Conflict(
                "No payment provider is set up on this server: every company may do everything, and there is nothing to pay.",
                code="billing_not_set_up",
            )
        return self.payments

    async def _account(self, who: Who) -> tuple[asyncpg.Record, int]:
        _ = self._payments
        async with tenant_tx(self.db, who) as tx:
            account = await tx.fetchrow(_SQL["get_account"])
            people: int = await tx.fetchval(_SQL["count_people"])
        if account is None:
            raise Unavailable("Your company's account is just being opened. Try again in a moment.", retry_after_s=15)
        return account, people

    async def _customer(self, who: Who, account: asyncpg.Record) -> str:
        if account["customer_id"] is not None:
            return str(account["customer_id"])
        async with tenant_tx(self.db, who) as tx:
            row = await tx.fetchrow(_SQL["company_and_owner"])
        assert row is not None
        async with told():
            # The version: who was forgotten by the provider gets a new customer, and not the answer of the first time.
            reference = f"{who.tenant_id}/{account['version']}"
            said = {"name": row["name"], "email": row["email"] or ""}
            made = await self._payments.make_customer(reference, **said)
        async with tenant_tx(self.db, who) as tx:
            return str(await tx.fetchval(_SQL["note_customer"], customer=made, **said))


@asynccontextmanager
async def told() -> AsyncIterator[None]:
    """Turns what the provider says into what a user can be told."""
    try:
        yield
    except Rejected as refusal:
        if refusal.status == 402:
            said = refusal.message.rstrip(".")
            raise PaymentRequired(f"{said}. Nothing was changed; try another card.", code="card_declined") from refusal
        if refusal.is_credential_fault:
            raise Unavailable("The payment provider refuses this server. Its operator must look.", retry_after_s=60) from refusal
        raise Conflict(refusal.message, code="payment_refused", details={"reason": refusal.code}) from refusal
    except (ProviderError, CircuitOpen) as problem:
        raise Unavailable("The payment provider does not answer. Try again in a moment.", retry_after_s=5) from problem


def _is_live(account: asyncpg.Record) -> bool:
    return account["subscription_id"] is not None and account["status"] in _LIVE


def _refuse_second(account: asyncpg.Record) -> None:
    if _is_live(account):
        raise Conflict("Your company has a plan. Change it instead of buying another one.", code="already_subscribed")


def _bought(account: asyncpg.Record) -> str:
    if not _is_live(account):
        raise Conflict("Your company has not bought a plan yet. Choose one first.", code="not_subscribed")
    return str(account["subscription_id"])


def _fits(name: PlanName, seats: int, people: int) -> None:
    plan = PLANS[name]
    if plan.most_seats is not None and seats > plan.most_seats:
        raise Invalid.field("seats", f"{plan.title} is for up to {plan.most_seats} people. Take fewer seats or a larger plan.")
    if seats < people:
        said = f"Your company has {people} active people. Take at least {people} seats, or deactivate somebody first."
        raise Invalid.field("seats", said)
