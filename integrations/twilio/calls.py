"""Calls."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from integrations.errors import Rejected
from integrations.ports import PlaceCall, ProviderCall
from integrations.steps import Conference, Step
from integrations.twilio.account import CALL_BUDGET, NOT_IN_PROGRESS, Resource
from integrations.twilio.mapping import provider_call
from integrations.twilio.twiml import LEG_EVENTS, render

_DETECTION: Final = {"detect": "Enable", "message_end": "DetectMessageEnd"}
# As many calls between two numbers as anyone will look through.
_LOOKBACK_LIMIT: Final = 1000


class Calls(Resource):
    """The part of the `Telephony` port that is about calls."""

    @property
    def _calls(self) -> Any:
        return self._account.client.calls

    async def place_call(self, call: PlaceCall) -> ProviderCall:
        """Place a call, once. Twilio has no idempotency key: after an ambiguous error use `find_calls`."""
        return await self._account.ask(
            "calls.create",
            lambda: self._calls.create_async(
                to=call.to,
                from_=call.from_,
                timeout=call.timeout_s,
                status_callback=call.status_callback_url,
                status_callback_event=list(LEG_EVENTS),
                status_callback_method="POST",
                **_instructions(call),
                **_detection(call),
                **_recording(call),
            ),
            provider_call,
            repeatable=False,
            budget=CALL_BUDGET,
        )

    async def hang_up(self, sid: str) -> ProviderCall:
        """End a call. `completed` ends it in any state; where it has ended already, its last state is the answer."""
        try:
            return await self._account.ask(
                "calls.hang_up",
                lambda: self._calls(sid).update_async(status="completed"),
                provider_call,
                repeatable=True,
            )
        except Rejected as error:
            ended = await self.fetch_call(sid) if error.code == NOT_IN_PROGRESS else None
            if ended is None:
                raise
            return ended

    async def fetch_call(self, sid: str) -> ProviderCall | None:
        """Return the call, or None when Twilio does not know it."""
        return await self._account.ask_or_none("calls.fetch", lambda: self._calls(sid).fetch_async(), provider_call)

    async def find_calls(self, to: str, from_: str, started_after: datetime) -> list[ProviderCall]:
        """Return the calls between two numbers created at or after `started_after`, newest first.

        Twilio filters by the start time, by the day, and a call that still waits has none. So this asks for the
        waiting ones first and then for the started ones: a call that starts in between is in the second answer.
        Twilio's times are whole seconds, so a call of the very same second counts.
        """
        since = started_after.replace(microsecond=0)
        found = [
            *await self._list(to=to, from_=from_, status="queued"),
            *await self._list(to=to, from_=from_, start_time_after=(since - timedelta(days=1)).date()),
        ]
        calls = {call.sid: call for call in found if call.created_at and call.created_at >= since}
        return sorted(calls.values(), key=lambda call: (call.created_at or since, call.sid), reverse=True)

    async def redirect(self, sid: str, steps: Sequence[Step]) -> ProviderCall:
        """Let a live call follow other steps from now on. Doing it twice only begins them again."""
        document = render(steps)
        return await self._account.ask(
            "calls.redirect",
            lambda: self._calls(sid).update_async(twiml=document),
            provider_call,
            repeatable=True,
        )

    async def _list(self, **filters: Any) -> list[ProviderCall]:
        return await self._account.ask(
            "calls.list",
            lambda: self._calls.list_async(limit=_LOOKBACK_LIMIT, **filters),
            lambda instances: [provider_call(instance) for instance in instances],
            repeatable=True,
        )


def _instructions(call: PlaceCall) -> dict[str, Any]:
    if call.answer_url is not None:
        return {"url": call.answer_url, "method": "POST"}
    if call.twiml is not None:
        return {"twiml": call.twiml}
    conference = Conference(call.conference or "", end_on_exit=True, status_callback_url=call.conference_callback_url)
    return {"twiml": render([conference])}


def _detection(call: PlaceCall) -> dict[str, Any]:
    if call.machine_detection == "off":
        return {}
    options: dict[str, Any] = {"machine_detection": _DETECTION[call.machine_detection]}
    if call.amd_callback_url is not None:
        options |= {
            "async_amd": "true",
            "async_amd_status_callback": call.amd_callback_url,
            "async_amd_status_callback_method": "POST",
        }
    return options


def _recording(call: PlaceCall) -> dict[str, Any]:
    if not call.record:
        return {}
    options: dict[str, Any] = {"record": True, "recording_channels": "dual"}
    if call.recording_callback_url is not None:
        options |= {
            "recording_status_callback": call.recording_callback_url,
            "recording_status_callback_method": "POST",
            "recording_status_callback_event": ["in-progress", "completed", "absent"],
        }
    return options
