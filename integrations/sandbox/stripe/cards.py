"""Payment methods: test cards, and what becomes of them: https://docs.stripe.com/testing"""

from dataclasses import dataclass
from typing import Any, Final, Literal

from integrations.sandbox.stripe.asking import Ask, Handler, merge_metadata
from integrations.sandbox.stripe.refusals import Refusal, invalid
from integrations.sandbox.stripe.store import Thing
from integrations.sandbox.stripe.world import Work, random_text

# What a card does: `pays`; is `declined` when it is attached; is attached and declined `later`; wants to be `authenticated`.
Habit = Literal["pays", "declined", "later", "authenticated"]


@dataclass(frozen=True, slots=True)
class TestCard:
    """A card number of Stripe's, the names that stand for it, and what it does; `reason` is the decline code."""

    __test__ = False

    number: str
    brand: str
    habit: Habit = "pays"
    reason: str = "generic_decline"
    names: tuple[str, ...] = ()


TEST_CARDS: Final = (
    TestCard("4242424242424242", "visa", names=("pm_card_visa", "tok_visa")),
    TestCard("4000056655665556", "visa", names=("pm_card_visa_debit", "tok_visa_debit")),
    TestCard("5555555555554444", "mastercard", names=("pm_card_mastercard", "tok_mastercard")),
    TestCard("378282246310005", "amex", names=("pm_card_amex", "tok_amex")),
    TestCard(
        "4000000000000002",
        "visa",
        "declined",
        names=("pm_card_visa_chargeDeclined", "pm_card_chargeDeclined", "tok_chargeDeclined"),
    ),
    TestCard(
        "4000000000009995",
        "visa",
        "declined",
        "insufficient_funds",
        (
            "pm_card_visa_chargeDeclinedInsufficientFunds",
            "pm_card_chargeDeclinedInsufficientFunds",
            "tok_chargeDeclinedInsufficientFunds",
        ),
    ),
    TestCard(
        "4000000000000069",
        "visa",
        "declined",
        "expired_card",
        ("pm_card_chargeDeclinedExpiredCard", "tok_chargeDeclinedExpiredCard"),
    ),
    TestCard(
        "4000000000000127",
        "visa",
        "declined",
        "incorrect_cvc",
        ("pm_card_chargeDeclinedIncorrectCvc", "tok_chargeDeclinedIncorrectCvc"),
    ),
    TestCard("4000000000000341", "visa", "later", names=("pm_card_chargeCustomerFail", "tok_chargeCustomerFail")),
    TestCard("4000002760003184", "visa", "authenticated", names=("pm_card_authenticationRequired", "tok_authenticationRequired")),
    TestCard(
        "4000002500003155",
        "visa",
        "authenticated",
        names=("pm_card_authenticationRequiredOnSetup", "pm_card_threeDSecure2Required"),
    ),
)
_BY_NAME: Final = {name: card for card in TEST_CARDS for name in (card.number, *card.names)}
_WORDS: Final = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "authentication_required": "Your card was declined. This transaction requires authentication.",
}


def decline(reason: str, **more: Any) -> Refusal:
    """A card that is declined."""
    return Refusal(words_for(reason), status=402, kind="card_error", keeps=True, **_codes(reason), **more)


def _codes(reason: str) -> dict[str, Any]:
    if reason in ("expired_card", "incorrect_cvc"):
        return {"code": reason, "param": "exp_month" if reason == "expired_card" else "cvc"}
    if reason == "authentication_required":
        return {"code": reason, "decline_code": reason}
    return {"code": "card_declined", "decline_code": reason}


def words_for(reason: str) -> str:
    """Return what a cardholder is told."""
    return _WORDS[reason]


def error_of(reason: str, charge: str | None = None) -> dict[str, Any]:
    """Return what a payment intent says of its last failure."""
    refusal = decline(reason, advice_code="try_again_later" if reason == "insufficient_funds" else "", charge=charge)
    return refusal.error


def card_named(name: str, param: str) -> TestCard:
    """Return the test card of a number, a token or a name. Raises Refusal."""
    card = _BY_NAME.get(name.replace(" ", ""))
    if card is None:
        raise Refusal(
            "Your card was declined. Your request was in test mode, but used a non test card. For a list of valid test cards, "
            "visit: https://stripe.com/docs/testing.",
            status=402,
            kind="card_error",
            code="card_declined",
            decline_code="test_mode_live_card",
            param=param,
        )
    return card


def make_method(work: Work, card: TestCard, now: int, *, month: int = 12, year: int = 2034, **fields: Any) -> Thing:
    """Make a payment method of a card; nobody's yet."""
    method = work.new("payment_method", "pm", now, type="card", allow_redisplay="unspecified", metadata={})
    address = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
    method["billing_details"] = {"address": address, "email": None, "name": None, "phone": None, "tax_id": None}
    method["card"] = {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "display_brand": card.brand,
        "exp_month": month,
        "exp_year": year,
        "fingerprint": random_text(16),
        "funding": "debit" if "debit" in "".join(card.names) else "credit",
        "generated_from": None,
        "last4": card.number[-4:],
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
    method |= fields | {"_habit": card.habit, "_reason": card.reason}
    return work.store.add(method)


def attach(work: Work, name: str, customer: Thing, param: str) -> Thing:
    """Give a card to a customer. Raises Refusal: it is declined, it is another's, or there is none."""
    if name in _BY_NAME:
        method = make_method(work, _BY_NAME[name], work.now(customer))
    else:
        method = work.get("payment_method", name, param)
    if method["customer"] == customer["id"]:
        return method
    if method["customer"] is not None or method.get("_detached"):
        raise invalid(
            "This PaymentMethod was previously used without being attached to a Customer or was detached from a Customer, "
            "and may not be used again.",
            param,
            "payment_method_unexpected_state" if method["customer"] else "",
        )
    if method["_habit"] == "declined":
        refusal = decline(method["_reason"])
        refusal.keeps = False
        raise refusal
    method["customer"] = customer["id"]
    method["_owners"] = [customer["id"]]
    work.emit("payment_method.attached", method)
    return method


def methods_of(work: Work, customer: Thing) -> list[Thing]:
    """Return the cards of a customer, oldest first."""
    return [each for each in work.store.all("payment_method") if each["customer"] == customer["id"]]


def _create(ask: Ask) -> Thing:
    params = ask.params
    if params.get("type", "card") != "card":
        raise invalid("The sandbox knows cards only.", "type")
    given = params.get("card") or {}
    card = card_named(given.get("token") or given.get("number") or "", "card[number]")
    details = params.get("billing_details") or {}
    method = make_method(
        ask.work, card, ask.work.now(), month=int(given.get("exp_month", 12)), year=int(given.get("exp_year", 2034))
    )
    _describe(method, details)
    merge_metadata(method, params.get("metadata"))
    return method


def _describe(method: Thing, details: dict[str, Any]) -> None:
    for name, value in details.items():
        method["billing_details"][name] = (
            method["billing_details"]["address"] | value if name == "address" and value else value or None
        )


def _update(ask: Ask) -> Thing:
    method = ask.named("payment_method", "payment_method", kind="payment_method")
    method["card"] |= {name: ask.params["card"][name] for name in ("exp_month", "exp_year") if name in ask.params.get("card", {})}
    _describe(method, ask.params.get("billing_details") or {})
    merge_metadata(method, ask.params.get("metadata"))
    ask.work.changed("payment_method.updated", method)
    return method


def _attach(ask: Ask) -> Thing:
    if "customer" not in ask.params:
        raise invalid("You must provide a customer.", "customer", "parameter_missing")
    customer = ask.work.get("customer", ask.params["customer"], "customer")
    return attach(ask.work, ask.path["payment_method"], customer, "payment_method")


def _detach(ask: Ask) -> Thing:
    method = ask.named("payment_method", "payment_method")
    if method["customer"] is None:
        raise invalid(
            "The payment method you provided is not attached to a customer so detachment is impossible.", "payment_method"
        )
    detach(ask.work, method)
    return method


def detach(work: Work, method: Thing) -> None:
    """Take a card from its customer, and from where it was the usual one."""
    customer = work.store.find(method["customer"])
    assert customer is not None
    if customer["invoice_settings"]["default_payment_method"] == method["id"]:
        customer["invoice_settings"]["default_payment_method"] = None
        work.changed("customer.updated", customer)
    for each in work.store.owned("subscription", customer["id"]):
        if each["default_payment_method"] == method["id"]:
            each["default_payment_method"] = None
            work.changed("customer.subscription.updated", each)
    before = method["customer"]
    method |= {"customer": None, "_detached": True}
    work.emit("payment_method.detached", method, {"customer": before})


def _list(ask: Ask) -> dict[str, Any]:
    name = ask.params.get("customer")
    if name is None:
        return ask.page([])
    return ask.page(methods_of(ask.work, ask.work.get("customer", name, "customer")))


def _one_of_customer(ask: Ask) -> Thing:
    customer, method = ask.named("customer", "customer"), ask.named("payment_method", "payment_method")
    if method["customer"] != customer["id"]:
        raise invalid(f"No such payment_method: '{method['id']}'", "payment_method", "resource_missing")
    return method


HANDLERS: Final[dict[str, Handler]] = {
    "payment_methods.create": _create,
    "payment_methods.update": _update,
    "payment_methods.retrieve": lambda ask: ask.named("payment_method", "payment_method"),
    "payment_methods.list": _list,
    "payment_methods.attach": _attach,
    "payment_methods.detach": _detach,
    "customers.payment_methods": lambda ask: ask.page(methods_of(ask.work, ask.named("customer", "customer"))),
    "customers.payment_method": _one_of_customer,
}
