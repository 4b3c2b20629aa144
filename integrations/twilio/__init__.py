"""Twilio: calls, conferences, numbers and messages with the real SDK, and its signed webhooks."""

from integrations.twilio.client import TwilioTelephony
from integrations.twilio.tokens import TwilioTokens
from integrations.twilio.twiml import Renderer
from integrations.twilio.webhook import TwilioWebhook

__all__ = ["Renderer", "TwilioTelephony", "TwilioTokens", "TwilioWebhook"]
