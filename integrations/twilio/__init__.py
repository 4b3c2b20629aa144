"""Twilio: phone calls with the real SDK, and its signed webhooks."""

from integrations.twilio.client import TwilioTelephony
from integrations.twilio.webhook import TwilioWebhook

__all__ = ["TwilioTelephony", "TwilioWebhook"]
