"""The routes of the pages: showing them, and doing what their forms ask for."""

from collections.abc import Callable
from typing import Any, Final

from aiohttp import web

from integrations.sandbox.stripe import checkout, portal
from integrations.sandbox.stripe.api_invoices import refuse_unpaid
from integrations.sandbox.stripe.cards import attach, card_named, make_method
from integrations.sandbox.stripe.collecting import collect
from integrations.sandbox.stripe.customers import set_default_method
from integrations.sandbox.stripe.pages import checkout_page, framed, invoice_page, invoice_pdf, portal_page
from integrations.sandbox.stripe.refusals import Refusal
from integrations.sandbox.stripe.store import Thing
from integrations.sandbox.stripe.world import Work, World

_NOTHING: Final = "<p>There is no such page.</p>"


class Front:
    """Pages for people."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        """Return the pages' routes."""
        return [
            web.get("/pay/checkout/{id}", self.checkout),
            web.post("/pay/checkout/{id}", self.pay_checkout),
            web.get("/pay/portal/{token}", self.portal),
            web.post("/pay/portal/{token}", self.act_in_portal),
            web.get("/pay/invoice/{token}", self.invoice),
            web.post("/pay/invoice/{token}", self.pay_invoice),
            web.get("/pay/invoice/{token}/pdf", self.pdf),
            web.get("/pay/authenticate/{id}", self.authentication),
            web.post("/pay/authenticate/{id}", self.authenticate),
        ]

    async def checkout(self, request: web.Request) -> web.Response:
        """Show a checkout."""
        session = self._world.store.find(request.match_info["id"])
        if session is None or session["object"] != "checkout.session":
            return _page(framed("Checkout", _NOTHING), 404)
        return _page(checkout_page(self._world.rehearsal(), session))

    async def pay_checkout(self, request: web.Request) -> web.Response:
        """Pay, and go where the shop wants people to go then."""
        form = await _form(request)
        try:
            with self._world.work() as work:
                session = work.get("checkout session", request.match_info["id"], "id", kind="checkout.session")
                checkout.pay(work, session, form)
                target = session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])
        except Refusal as refusal:
            found = self._world.store.find(request.match_info["id"])
            if found is None:
                return _page(framed("Checkout", _NOTHING), 404)
            asks = form.get("card", "") if refusal.error.get("code") == "authentication_required" else ""
            return _page(checkout_page(self._world.rehearsal(), found, str(refusal), asks=asks), 402)
        return web.Response(status=303, headers={"Location": target})

    async def portal(self, request: web.Request) -> web.Response:
        """Show what a customer has."""
        session = self._portal_of(request)
        if session is None:
            return _page(framed("Billing", _NOTHING), 404)
        return _page(portal_page(self._world.rehearsal(), session))

    async def act_in_portal(self, request: web.Request) -> web.Response:
        """Do what a customer asks for: `?action=` card, cancel, keep or quantity."""
        session = self._portal_of(request)
        if session is None:
            return _page(framed("Billing", _NOTHING), 404)
        form = await _form(request)
        try:
            with self._world.work() as work:
                portal.act(work, session, request.query.get("action", ""), form)
        except Refusal as refusal:
            return _page(portal_page(self._world.rehearsal(), session, str(refusal)), 402)
        return web.Response(status=303, headers={"Location": request.path})

    async def invoice(self, request: web.Request) -> web.Response:
        """Show an invoice."""
        return self._with_invoice(request, lambda invoice: _page(invoice_page(self._world.rehearsal(), invoice)))

    async def pdf(self, request: web.Request) -> web.Response:
        """Send an invoice as a file."""
        return self._with_invoice(request, _download)

    async def pay_invoice(self, request: web.Request) -> web.Response:
        """Pay an invoice with another card, which becomes the customer's."""
        form = await _form(request)
        found = self._invoice_of(request)
        if found is None:
            return _page(framed("Invoice", _NOTHING), 404)
        try:
            with self._world.work() as work:
                _pay(work, found["id"], form)
        except Refusal as refusal:
            return _page(invoice_page(self._world.rehearsal(), found, str(refusal)), 402)
        return web.Response(status=303, headers={"Location": request.path})

    async def authentication(self, request: web.Request) -> web.Response:
        """Ask what a bank asks."""
        buttons = '<button name="answer" value="yes">It was me</button><button name="answer" value="no">No</button>'
        return _page(framed("Your bank asks", f'<form method="post">{buttons}</form>'))

    async def authenticate(self, request: web.Request) -> web.Response:
        """Go on with a payment that waited for the bank's question."""
        form = await _form(request)
        try:
            with self._world.work() as work:
                intent = work.get("payment_intent", request.match_info["id"], "id")
                invoice = work.store.find(intent["_invoice"])
                assert invoice is not None
                if intent["status"] == "requires_action":
                    method = work.store.find(intent["payment_method"])
                    is_sure = form.get("answer") == "yes"
                    result = collect(work, invoice, method, off_session=not is_sure, is_authenticated=is_sure)
                    refuse_unpaid(work, invoice, result)
        except Refusal as refusal:
            return _page(framed("Your bank asks", f"<p>{refusal}</p>"), 402)
        return _page(framed("Your bank asks", "<p>Thank you. You can close this page.</p>"))

    def _portal_of(self, request: web.Request) -> Thing | None:
        return next(self._world.store.owned("billing_portal.session", request.match_info["token"]), None)

    def _invoice_of(self, request: web.Request) -> Thing | None:
        token = request.match_info["token"]
        return next((each for each in self._world.store.all("invoice") if each["_token"] == token and each["number"]), None)

    def _with_invoice(self, request: web.Request, show: Callable[[Thing], web.Response]) -> web.Response:
        found = self._invoice_of(request)
        return _page(framed("Invoice", _NOTHING), 404) if found is None else show(found)


def _pay(work: Work, invoice_id: str, form: dict[str, str]) -> None:
    invoice = work.get("invoice", invoice_id, "invoice")
    customer = work.get("customer", invoice["customer"], "customer")
    if invoice["status"] != "open":
        raise Refusal("This invoice can't be paid any more.")
    method = make_method(work, card_named(form.get("card") or "4242424242424242", "card"), work.now(customer))
    attach(work, method["id"], customer, "card")
    result = collect(work, invoice, method, off_session=False, is_authenticated=bool(form.get("authenticated")))
    if result == "paid":
        set_default_method(work, customer, method)
    refuse_unpaid(work, invoice, result)


def _download(invoice: Thing) -> web.Response:
    headers = {"Content-Disposition": f'attachment; filename="Invoice-{invoice["number"]}.pdf"'}
    return web.Response(body=invoice_pdf(invoice), content_type="application/pdf", headers=headers)


def _page(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, content_type="text/html", status=status)


async def _form(request: web.Request) -> dict[str, Any]:
    return {name: str(value) for name, value in (await request.post()).items()}
