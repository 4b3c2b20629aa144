"""Stripe behind the ports `Payments` and `PaymentEventReader`."""

from integrations.stripe.client import StripePayments
from integrations.stripe.webhook import StripeWebhook

__all__ = ["StripePayments", "StripeWebhook"]
