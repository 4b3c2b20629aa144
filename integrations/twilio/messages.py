"""Text messages."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from integrations.ports import ProviderMessage, SendMessage
from integrations.twilio.account import Resource
from integrations.twilio.mapping import provider_message

# As many messages between two numbers as a lost one could hide among.
_LOOKBACK_LIMIT: Final = 100


class TwilioMessaging(Resource):
    """The `Messaging` port."""

    async def send(self, message: SendMessage) -> ProviderMessage:
        """Send a message, once. Twilio has no idempotency key: after an ambiguous error use `find`."""
        return await self._account.ask(
            "messages.create",
            lambda: self._account.client.messages.create_async(
                to=message.to,
                from_=message.from_,
                body=message.body,
                status_callback=message.status_callback_url,
            ),
            provider_message,
            repeatable=False,
        )

    async def fetch(self, sid: str) -> ProviderMessage | None:
        """Return the message, or None when Twilio does not know it."""
        return await self._account.ask_or_none(
            "messages.fetch", lambda: self._account.client.messages(sid).fetch_async(), provider_message
        )

    async def find(self, to: str, from_: str, since: datetime) -> list[ProviderMessage]:
        """The latest messages between two numbers, created at or after `since`.

        Twilio's filter is by the time of sending, which a message that waits has not; so it is not used.
        """
        earliest = since.replace(microsecond=0)
        found = await self._account.ask(
            "messages.list",
            lambda: self._account.client.messages.list_async(to=to, from_=from_, limit=_LOOKBACK_LIMIT),
            lambda instances: [provider_message(instance) for instance in instances],
            repeatable=True,
        )
        recent = [message for message in found if message.created_at and message.created_at >= earliest]
        return sorted(recent, key=lambda message: (message.created_at or earliest, message.sid), reverse=True)
