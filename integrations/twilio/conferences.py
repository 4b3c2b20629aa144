"""Conferences and who is in them."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from integrations.errors import Rejected
from integrations.ports import AddParticipant, Participant
from integrations.twilio.account import CALL_BUDGET, Resource, nothing
from integrations.twilio.mapping import participant
from integrations.twilio.twiml import CONFERENCE_EVENTS, PARTICIPANT_EVENTS

# A conference waits (`init`) until somebody enters who may start it.
_LIVE: Final = ("in-progress", "init")
# Twilio's own bound on a conference.
_MOST_PARTICIPANTS: Final = 250


class Conferences(Resource):
    """The part of the `Telephony` port that is about conferences."""

    def _conference(self, sid: str) -> Any:
        return self._account.client.conferences(sid)

    async def add_participant(self, wanted: AddParticipant) -> Participant:
        """Ring a leg into a conference, once. After an ambiguous error look for its label."""
        options: dict[str, Any] = {}
        if wanted.coach_sid is not None:
            options |= {"coaching": True, "call_sid_to_coach": wanted.coach_sid}
        if wanted.conference_callback_url is not None:
            options |= {
                "conference_status_callback": wanted.conference_callback_url,
                "conference_status_callback_method": "POST",
                "conference_status_callback_event": list(CONFERENCE_EVENTS),
            }
        return await self._account.ask(
            "participants.create",
            lambda: self._conference(wanted.conference).participants.create_async(
                from_=wanted.from_,
                to=wanted.to,
                label=wanted.label,
                timeout=wanted.timeout_s,
                muted=wanted.muted,
                beep="false",
                # Nobody in the room shall hear somebody else's phone ring, least of all the contact a listener's.
                early_media=False,
                end_conference_on_exit=wanted.end_on_exit,
                # Silence instead of Twilio's music for whoever is first.
                wait_url="",
                status_callback=wanted.status_callback_url,
                status_callback_event=list(PARTICIPANT_EVENTS),
                status_callback_method="POST",
                **options,
            ),
            participant,
            repeatable=False,
            budget=CALL_BUDGET,
        )

    async def update_participant(
        self,
        conference_sid: str,
        call_sid: str,
        *,
        muted: bool | None = None,
        hold: bool | None = None,
        coach_sid: str | None = None,
        coaching: bool | None = None,
        end_on_exit: bool | None = None,
        hold_url: str | None = None,
    ) -> Participant:
        """Change what is given and leave the rest."""
        given = {
            "muted": muted,
            "hold": hold,
            "coaching": True if coach_sid is not None and coaching is None else coaching,
            "call_sid_to_coach": coach_sid,
            "end_conference_on_exit": end_on_exit,
            "hold_url": hold_url,
            "hold_method": "POST" if hold_url is not None else None,
        }
        return await self._update(conference_sid, call_sid, "participants.update", given)

    async def announce(self, conference_sid: str, call_sid: str, url: str) -> None:
        """Let one participant hear what is at `url`. Asked twice, it would be heard twice, so it is not repeated."""
        await self._update(
            conference_sid,
            call_sid,
            "participants.announce",
            {"announce_url": url, "announce_method": "POST"},
            repeatable=False,
        )

    async def remove_participant(self, conference_sid: str, call_sid: str) -> None:
        """Take a leg out, which ends its call."""
        await self._account.ask_or_none(
            "participants.remove",
            lambda: self._conference(conference_sid).participants(call_sid).delete_async(),
            nothing,
        )

    async def find_conference(self, name: str) -> str | None:
        """The sid of the live conference of this name, or None."""
        for status in _LIVE:
            query = {"friendly_name": name, "status": status, "limit": 1}
            found: str | None = await self._account.ask(
                "conferences.list",
                partial(self._account.client.conferences.list_async, **query),
                lambda instances: instances[0].sid if instances else None,
                repeatable=True,
            )
            if found is not None:
                return found
        return None

    async def list_participants(self, conference_sid: str) -> list[Participant]:
        """Who is in a conference; nobody when it is gone."""
        found = await self._account.ask_or_none(
            "participants.list",
            lambda: self._conference(conference_sid).participants.list_async(limit=_MOST_PARTICIPANTS),
            lambda instances: [participant(instance) for instance in instances],
        )
        return found or []

    async def end_conference(self, conference_sid: str) -> None:
        """End a conference and the calls in it. Twilio refuses when it has ended, which is what was wanted."""
        try:
            await self._account.ask_or_none(
                "conferences.end",
                lambda: self._conference(conference_sid).update_async(status="completed"),
                nothing,
            )
        except Rejected:
            status = await self._account.ask_or_none(
                "conferences.fetch",
                lambda: self._conference(conference_sid).fetch_async(),
                lambda instance: str(instance.status),
            )
            if status not in (None, "completed"):
                raise

    async def _update(
        self, conference_sid: str, call_sid: str, operation: str, given: dict[str, Any], *, repeatable: bool = True
    ) -> Participant:
        changes = {name: value for name, value in given.items() if value is not None}
        return await self._account.ask(
            operation,
            lambda: self._conference(conference_sid).participants(call_sid).update_async(**changes),
            participant,
            repeatable=repeatable,
        )
