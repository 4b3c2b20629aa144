"""Endpoints of the plan, what it costs, and the provider's webhook."""

from __future__ import annotations

from typing import Any

import orjson

from hub.billing import usage
from hub.billing.downgrading import effects
from hub.billing.models import (
    Billing,
    CodeGiven,
    Elsewhere,
    InvoiceLinks,
    InvoicePage,
    OtherEnded,
    OtherNamed,
    PlanAsked,
    PlanChange,
    PlanEffects,
    PlanPreview,
    PlanWanted,
)
from hub.billing.office import Office
from hub.billing.selling import Counter
from hub.billing.webhooks import receive_payment_event
from hub.config import Settings
from hub.db import Database, Tx, tenant_tx
from hub.http.endpoint import Reply, Req, Routes
from hub.http.paging import PageQuery, page, read_cursor
from hub.providers import Providers
from hub.sqlfiles import load_sql

_SQL = load_sql("billing")
_SORT = "created_at"


def billing_routes(settings: Settings, providers: Providers) -> Routes:
    """The endpoints. Where no provider is set up they say that there is nothing to pay."""
    routes = Routes("billing")
    office = Office.of(settings)

    def counter(db: Database) -> Counter:
        return Counter(db, providers.payments, office)

    @routes.get("/billing", returns=Billing, allow="billing:read")
    async def get_billing(tx: Tx, req: Req[None, None]) -> Reply:
        """The plan, what it costs, and what is used of it."""
        return await _billing(tx)

    @routes.get("/billing/effects", query=PlanAsked, returns=PlanEffects, allow="billing:read")
    async def get_effects(tx: Tx, req: Req[PlanAsked, None]) -> Reply:
        """What becomes of what is in use with another plan: what rests, and what comes back."""
        return Reply(await effects(tx, req.query.plan))

    @routes.get("/billing/invoices", query=PageQuery, returns=InvoicePage, allow="billing:read")
    async def list_invoices(tx: Tx, req: Req[PageQuery, None]) -> Reply:
        """The company's invoices, newest first."""
        after = read_cursor(req.query.cursor, _SORT)
        rows = await tx.fetch(
            _SQL["list_invoices"],
            limit=req.query.limit + 1,
            after_at=after.moment() if after else None,
            after_id=after.id if after else None,
        )
        return Reply(page(rows, req.query.limit, _SORT))

    @routes.get("/billing/invoices/{id}/links", scope="db", returns=InvoiceLinks, allow="billing:read", errors=(409,))
    async def get_invoice_links(db: Database, req: Req[None, None]) -> Reply:
        """Where an invoice can be seen and paid, and its PDF."""
        found = await counter(db).links(req.who, req.id())
        return Reply(InvoiceLinks(page=found.page, pdf=found.pdf))

    @routes.post("/billing/checkout", scope="db", body=PlanWanted, returns=Elsewhere, allow="billing:write", errors=(409,))
    async def open_checkout(db: Database, req: Req[None, PlanWanted]) -> Reply:
        """Buy a plan: the address of the page to pay on."""
        wanted = req.body
        return Reply(Elsewhere(url=await counter(db).checkout(req.who, wanted.plan, wanted.every, wanted.seats)))

    @routes.post("/billing/portal", scope="db", returns=Elsewhere, allow="billing:write", errors=(409,))
    async def open_portal(db: Database, req: Req[None, None]) -> Reply:
        """Change the card or the tax id: the address of the page to do it on."""
        return Reply(Elsewhere(url=await counter(db).portal(req.who)))

    @routes.post("/billing/preview", scope="db", body=PlanWanted, returns=PlanPreview, allow="billing:write", errors=(409,))
    async def preview_plan(db: Database, req: Req[None, PlanWanted]) -> Reply:
        """What a change of plan or seats would cost now."""
        wanted = req.body
        found = await counter(db).preview(req.who, wanted.plan, wanted.every, wanted.seats)
        lines: list[dict[str, Any]] = [{"words": line.words, "amount_minor": line.amount_minor} for line in found.lines]
        shown = {"total_minor": found.total_minor, "due_minor": found.due_minor, "currency": found.currency}
        return Reply(PlanPreview.model_validate(shown | {"lines": lines, "at": found.at, "is_now": found.is_now}))

    @routes.post("/billing/change", scope="db", body=PlanChange, returns=Billing, allow="billing:write", errors=(409,))
    async def change_plan(db: Database, req: Req[None, PlanChange]) -> Reply:
        """Change the plan, how it is paid or the seats, at the price that was shown."""
        wanted = req.body
        await counter(db).change(req.who, wanted.plan, wanted.every, wanted.seats, wanted.at)
        return await _after(db, req)

    @routes.post("/billing/cancel", scope="db", returns=Billing, allow="billing:write", errors=(409,))
    async def cancel_plan(db: Database, req: Req[None, None]) -> Reply:
        """End the plan when what is paid for ends."""
        await counter(db).cancel(req.who)
        return await _after(db, req)

    @routes.post("/billing/keep", scope="db", returns=Billing, allow="billing:write", errors=(409,))
    async def keep_plan(db: Database, req: Req[None, None]) -> Reply:
        """Take a cancellation back."""
        await counter(db).keep(req.who)
        return await _after(db, req)

    @routes.post("/billing/others/end", scope="db", body=OtherNamed, returns=OtherEnded, allow="billing:write", errors=(404, 409))
    async def end_other_plan(db: Database, req: Req[None, OtherNamed]) -> Reply:
        """End at once a plan that runs besides the one that counts, and have all that was paid for it given back."""
        return Reply(await counter(db).end_other(req.who, req.body.id))

    @routes.post("/billing/codes", scope="db", body=CodeGiven, returns=Billing, allow="billing:write", errors=(409,))
    async def redeem_code(db: Database, req: Req[None, CodeGiven]) -> Reply:
        """Use a promotion code."""
        await counter(db).redeem(req.who, req.body.code)
        return await _after(db, req)

    @routes.post("/billing/sync", scope="db", returns=Billing, allow="billing:write", errors=(409,))
    async def sync_billing(db: Database, req: Req[None, None]) -> Reply:
        """Fetch what the payment provider knows now, for who comes back from its pages."""
        await counter(db).sync(req.who)
        return await _after(db, req)

    @routes.post("//webhooks/stripe", scope="public", status=204, errors=(403,))
    async def stripe_webhook(db: Database, req: Req[None, None]) -> Reply:
        """What has happened at Stripe."""
        signature = req.http.headers.get("Stripe-Signature", "")
        await receive_payment_event(db, providers.payment_events, await req.http.read(), signature)
        return Reply()

    return routes


async def _after(db: Database, req: Req[Any, Any]) -> Reply:
    async with tenant_tx(db, req.who) as tx:
        return await _billing(tx)


async def _billing(tx: Tx) -> Reply:
    account = await tx.fetchrow(_SQL["get_account"])
    text = await tx.fetchval(_SQL["get_account_json"])
    found: dict[str, Any] = {"account": None if text is None else orjson.Fragment(text), "used": []}
    found["seats_used"] = await tx.fetchval(_SQL["count_people"])
    found["differences"] = orjson.Fragment(await tx.fetchval(_SQL["list_differences"]))
    if account is not None and account["period_starts_at"] is not None:
        found["used"] = await usage.used(tx, account["period_starts_at"])
    return Reply(orjson.dumps(found))
