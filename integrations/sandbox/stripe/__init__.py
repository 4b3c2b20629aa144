"""A Stripe for one machine: its API as the specification has it, subscriptions that live by a clock, signed webhooks.

    async with StripeSandbox() as sandbox:
        client = StripeClient(sandbox.settings.secret_key, base_addresses={"api": sandbox.url}, ...)

What is asked and answered is held to Stripe's OpenAPI document of the version in `contract.json`. Parameters that Stripe does
not know are refused as Stripe refuses them; those that it knows and the sandbox does not act on are refused, too, with the
code `sandbox_unsupported`.

What a card does is decided by its number, or the name that stands for it:

    4242424242424242  pm_card_visa                       pays
    4000000000000002  pm_card_chargeDeclined             declined when it is attached
    4000000000009995  pm_card_chargeDeclinedInsufficientFunds   declined when it is attached: insufficient funds
    4000000000000341  pm_card_chargeCustomerFail         attached, and declined whenever it is charged
    4000002760003184  pm_card_authenticationRequired     attached; the bank asks, so payments off session fail

`GET /` shows all of them. Subscriptions are billed in the flexible mode: periods belong to items, proration is by the second
and gives back a share of what was really billed. Renewals make a draft that becomes open after an hour; what can't be
collected is tried again by `retry_after_days`, then `after_retries` happens. Customers on a test clock live by it, all others
by the sandbox's own, which passes `speed` times as fast as ours and can be moved forwards.

People pay on pages: checkout (`session.url`), the portal (`session.url`), invoices (`hosted_invoice_url`, `invoice_pdf`),
the bank's question (`/pay/authenticate/{payment intent}`). Their forms take POSTs: `card`, `email`, `promotion_code` and so on.

The sandbox has handles of its own, without credentials, JSON in and out:

    GET    /_sandbox/clock                  what time it is here; POST {"seconds"} moves on, and what is due happens
    GET    /_sandbox/things/{kind}          all things of a kind, such as `subscription`
    POST   /_sandbox/cards/{id}             {"habit"}: pays, later (declined from now on), authenticated
    GET    /_sandbox/deliveries             what was sent to webhook endpoints, with the status of every attempt
    POST   /_sandbox/deliveries             {"copies", "reversed_by", "is_sent", "skew_s"}: twice, in the wrong order, not at all
    POST   /_sandbox/deliveries/release     sends what is held back, the latest first
    POST   /_sandbox/events/{id}/resend     sends an event again
    POST   /_sandbox/webhooks               an endpoint with a secret that is known: {"url", "secret", "events"}
    POST   /_sandbox/webhooks/{id}/rotate   a new secret; the old one signs, too, for {"keep_s"}
    PUT    /_sandbox/settings               retry_after_days, after_retries, webhook_retry_s, webhook_tries, requests_per_s
    POST   /_sandbox/faults                 the next {"times"} requests for {"operation"} go wrong: {"kind"} is 409, 429, 500,
                                            503, hang, drop, lost or slow (by {"delay_s"})
    GET    /_sandbox/faults                 the faults to come; DELETE takes them back

Operations are named as in `operations.py`: subscriptions.update, invoices.pay, billing.meter_events.create; `invoices.*` and
`*` stand for several.
"""

from integrations.sandbox.stripe.faults import Fault
from integrations.sandbox.stripe.server import StripeSandbox
from integrations.sandbox.stripe.settings import StripeSettings

__all__ = ["Fault", "StripeSandbox", "StripeSettings"]
