"""Status callbacks: the fields, the signature, and the ways in which they arrive."""

import asyncio
import logging
from datetime import UTC, datetime
from typing import Final

import phonenumbers
from aiohttp import ClientError, ClientSession, ClientTimeout
from twilio.request_validator import SIGNATURE_HEADER, RequestValidator
from yarl import URL

from integrations.sandbox.twilio.calls import API_VERSION, Call, Delivery, rfc_2822
from integrations.sandbox.twilio.settings import SandboxSettings

log = logging.getLogger(__name__)

_SIP_CODES: Final = {"busy": "486", "no-answer": "487", "failed": "404"}
_ATTEMPTS: Final = 2


def callback_fields(call: Call) -> dict[str, str]:
    """Return what Twilio would say about `call` now. Durations are in it once the call is over."""
    fields = {
        "AccountSid": call.account_sid,
        "ApiVersion": API_VERSION,
        "CallSid": call.sid,
        "CallStatus": call.status,
        "Called": call.to,
        "Caller": call.from_,
        "To": call.to,
        "From": call.from_,
        "Direction": "outbound-api",
        "CallbackSource": "call-progress-events",
        "SequenceNumber": str(call.events_sent),
        "Timestamp": rfc_2822(datetime.now(UTC)) or "",
    }
    for party, number in (("To", call.to), ("Called", call.to), ("From", call.from_), ("Caller", call.from_)):
        fields |= {f"{party}City": "", f"{party}State": "", f"{party}Zip": "", f"{party}Country": _country(number)}
    if call.is_over:
        seconds = call.duration_s or 0
        fields |= {"CallDuration": str(seconds), "Duration": str(-(-seconds // 60))}
        if call.status in _SIP_CODES:
            fields["SipResponseCode"] = _SIP_CODES[call.status]
        if call.answered_by:
            fields["AnsweredBy"] = call.answered_by
    return fields


class Courier:
    """Carries the callbacks of all calls; those of one call one after the other."""

    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings
        self._validator = RequestValidator(settings.auth_token)
        self._session = ClientSession(timeout=ClientTimeout(total=settings.callback_timeout_s))
        self._held: dict[str, tuple[str, dict[str, str]]] = {}
        self._last: dict[str, asyncio.Task[None]] = {}

    async def close(self) -> None:
        """Drop what is still on its way."""
        running = list(self._last.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self._session.close()

    def announce(self, call: Call, event: str) -> None:
        """Send `event` with the call's present fields, if it was asked for."""
        if not call.status_callback or event not in call.status_callback_events:
            return
        fields = callback_fields(call)
        if event == "initiated":
            # The resource still says queued, the callback does not.
            fields["CallStatus"] = "initiated"
        call.events_sent += 1
        habit = call.plan.callbacks or self._settings.callbacks
        if not habit.is_sent:
            return
        batch = [(event, fields)]
        if habit.is_swapped:
            held = self._held.pop(call.sid, None)
            if held is not None:
                batch.append(held)
            elif event != "completed":
                self._held[call.sid] = (event, fields)
                return
        for copy in batch:
            for _ in range(habit.copies):
                self._enqueue(call, *copy, delay_s=habit.delay_s)

    def _enqueue(self, call: Call, event: str, fields: dict[str, str], *, delay_s: float) -> None:
        task = asyncio.create_task(self._deliver(call, event, fields, self._last.get(call.sid), delay_s))
        self._last[call.sid] = task
        task.add_done_callback(lambda done: self._forget(call.sid, done))

    def _forget(self, sid: str, done: asyncio.Task[None]) -> None:
        if self._last.get(sid) is done:
            del self._last[sid]

    async def _deliver(
        self,
        call: Call,
        event: str,
        fields: dict[str, str],
        previous: asyncio.Task[None] | None,
        delay_s: float,
    ) -> None:
        if previous is not None:
            await asyncio.wait([previous])
        await asyncio.sleep(delay_s)
        for _ in range(_ATTEMPTS):
            http_status = await self._send(call, fields)
            call.deliveries.append(
                Delivery(event, fields["CallStatus"], int(fields["SequenceNumber"]), http_status, datetime.now(UTC))
            )
            if http_status is not None and http_status < 500:
                return
            log.warning("callback %s of %s got %s", event, call.sid, http_status or "no answer")

    async def _send(self, call: Call, fields: dict[str, str]) -> int | None:
        url = call.status_callback
        if call.status_callback_method == "GET":
            url = str(URL(url).update_query(fields))
            fields = {}
        headers = {
            SIGNATURE_HEADER: self._validator.compute_signature(url, fields),
            "User-Agent": "TwilioProxy/1.1",
        }
        try:
            async with self._session.request(
                call.status_callback_method,
                URL(url, encoded=True),
                data=fields or None,
                headers=headers,
                allow_redirects=False,
            ) as response:
                await response.read()
                return response.status
        except (ClientError, OSError, TimeoutError):
            return None


def _country(number: str) -> str:
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or ""
    except phonenumbers.NumberParseException:
        return ""
