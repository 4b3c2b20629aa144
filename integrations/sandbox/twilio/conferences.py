"""Conferences: who is in, who hears whom, and what is told about it."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from integrations.sandbox.twilio.calls import Call
from integrations.sandbox.twilio.courier import Callback, Courier, Delivery, Fields, Letter
from integrations.sandbox.twilio.wording import API_VERSION, new_sid, now, rfc_2822, truth

_KEPT: Final = 10_000
_STATUSES: Final = {"queued": "queued", "ringing": "ringing", "completed": "complete"}
# The word by which an event is asked for: https://www.twilio.com/docs/voice/twiml/conference#attributes-status-callback-event
_ASKED_AS: Final = {
    "conference-start": "start",
    "conference-end": "end",
    "participant-join": "join",
    "participant-leave": "leave",
    "participant-mute": "mute",
    "participant-unmute": "mute",
    "participant-hold": "hold",
    "participant-unhold": "hold",
    "participant-modify": "modify",
    "announcement-end": "announcement",
}
_REASONS: Final = {
    "conference-ended-via-api": "Conference ended via API",
    "participant-with-end-conference-on-exit-left": "Participant with endConferenceOnExit left",
    "participant-with-end-conference-on-exit-kicked": "Participant with endConferenceOnExit was removed",
    "last-participant-left": "The last participant left",
    "last-participant-kicked": "The last participant was removed",
}


@dataclass(slots=True, kw_only=True, eq=False)
class Participant:
    """A leg's place in a conference. `put_out` is what the leg does when the conference lets it go."""

    conference: "Conference"
    call: Call
    label: str = ""
    muted: bool = False
    hold: bool = False
    coaching: bool = False
    coach_sid: str = ""
    starts: bool = True
    ends: bool = False
    joined: bool = False
    announced: list[str] = field(default_factory=list)
    waiting: "asyncio.Task[None] | None" = None
    callback: Callback = field(default_factory=Callback)
    put_out: Callable[[], None] = lambda: None
    leave: Callable[["Participant", str], None]
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)

    @property
    def sid(self) -> str:
        """The call's SID: a participant has none of its own."""
        return self.call.sid

    @property
    def status(self) -> str:
        """The leg's status in the words of the resource."""
        if self.call.status == "in-progress":
            return "connected" if self.joined else "connecting"
        return _STATUSES.get(self.call.status, "failed")

    def stop_waiting(self) -> None:
        """Hear no more of what is played until the conference starts."""
        if self.waiting is not None:
            self.waiting.cancel()
            self.waiting = None

    def release(self, reason: str) -> None:
        """Leave, because the leg hung up or was sent elsewhere."""
        self.leave(self, reason)

    def as_resource(self) -> dict[str, Any]:
        """Return it as `api.v2010.account.conference.participant`."""
        return {
            "account_sid": self.call.account_sid,
            "call_sid": self.sid,
            "label": self.label or None,
            "call_sid_to_coach": self.coach_sid or None,
            "coaching": self.coaching,
            "conference_sid": self.conference.sid,
            "date_created": rfc_2822(self.created_at),
            "date_updated": rfc_2822(self.updated_at),
            "end_conference_on_exit": self.ends,
            "muted": self.muted,
            "hold": self.hold,
            "start_conference_on_enter": self.starts,
            "status": self.status,
            "queue_time": None,
            "uri": f"{self.conference.uri}/Participants/{self.sid}.json",
        }


@dataclass(slots=True, kw_only=True, eq=False)
class Conference:
    """A room. It starts when two are in of whom one may start it, and ends once."""

    account_sid: str
    name: str
    sid: str = field(default_factory=lambda: new_sid("CF"))
    status: str = "init"
    callback: Callback | None = None
    seats: dict[str, Participant] = field(default_factory=dict)
    events_sent: int = 0
    reason: str | None = None
    ended_by: str | None = None
    deliveries: list[Delivery] = field(default_factory=list)
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)

    @property
    def is_over(self) -> bool:
        """Has it ended?"""
        return self.status == "completed"

    @property
    def uri(self) -> str:
        """Where it lives, without the extension."""
        return f"/{API_VERSION}/Accounts/{self.account_sid}/Conferences/{self.sid}"

    @property
    def present(self) -> list[Participant]:
        """Those who are in, not those who are being called."""
        return [each for each in self.seats.values() if each.joined]

    def find(self, key: str) -> Participant | None:
        """Return a participant by its call's SID or its label."""
        return self.seats.get(key) or next((each for each in self.seats.values() if each.label and each.label == key), None)

    def heard_by(self, listener: Participant) -> list[Participant]:
        """Return those whom `listener` hears now.

        Nobody before the start and nobody on hold. Whoever coaches is heard by the one who is coached alone.
        """
        if self.status != "in-progress" or not listener.joined or listener.hold:
            return []
        return [
            speaker
            for speaker in self.present
            if speaker is not listener
            and not speaker.muted
            and not speaker.hold
            and (not speaker.coaching or speaker.coach_sid == listener.sid)
        ]

    def as_resource(self) -> dict[str, Any]:
        """Return it as `api.v2010.account.conference`."""
        return {
            "account_sid": self.account_sid,
            "date_created": rfc_2822(self.created_at),
            "date_updated": rfc_2822(self.updated_at),
            "api_version": API_VERSION,
            "friendly_name": self.name,
            "region": "us1",
            "sid": self.sid,
            "status": self.status,
            "uri": f"{self.uri}.json",
            "subresource_uris": {
                "participants": f"{self.uri}/Participants.json",
                "recordings": f"{self.uri}/Recordings.json",
            },
            "reason_conference_ended": self.reason,
            "call_sid_ending_conference": self.ended_by,
        }


class Conferences:
    """All conferences, and the rules by which they begin, change and end."""

    def __init__(self, account_sid: str, courier: Courier) -> None:
        self._account_sid = account_sid
        self._courier = courier
        self._all: dict[str, Conference] = {}
        self._open: dict[str, Conference] = {}
        self._named: dict[str, list[Conference]] = {}

    def get(self, sid: str) -> Conference | None:
        """Return a conference by its SID."""
        return self._all.get(sid)

    def newest_first(self, name: str | None = None) -> Iterator[Conference]:
        """Go through the conferences, or those of one name, backwards in time."""
        return reversed(list(self._all.values() if name is None else self._named.get(name, ())))

    def live(self) -> list[Conference]:
        """Return the conferences that have not ended."""
        return list(self._open.values())

    def named(self, name: str) -> Conference:
        """Return the one conference of this name that has not ended; it is made when there is none."""
        conference = self._open.get(name)
        if conference is None:
            conference = Conference(account_sid=self._account_sid, name=name)
            self._open[name] = self._all[conference.sid] = conference
            self._named.setdefault(name, []).append(conference)
            if len(self._all) > _KEPT:
                self._forget_one()
        return conference

    def _forget_one(self) -> None:
        oldest = next((each for each in self._all.values() if each.is_over), None)
        if oldest is not None:
            del self._all[oldest.sid]
            same = self._named[oldest.name]
            same.remove(oldest)
            if not same:
                del self._named[oldest.name]

    def seat(self, conference: Conference, call: Call, **options: Any) -> Participant:
        """Give a leg a place; `joined` follows."""
        participant = Participant(conference=conference, call=call, leave=self._leave, **options)
        participant.coaching = bool(participant.coach_sid)
        conference.seats[call.sid] = participant
        call.occupation = participant
        return participant

    def join(self, participant: Participant) -> None:
        """Let a participant in whose leg has been answered."""
        conference = participant.conference
        if participant.joined or conference.seats.get(participant.sid) is not participant:
            return
        participant.joined = True
        if conference.callback is None:
            # The first to join decides where events go, even if that is nowhere.
            conference.callback = participant.callback
        participant.updated_at = now()
        self._tell(conference, "participant-join", participant)
        if conference.status == "init" and len(conference.present) > 1 and any(each.starts for each in conference.present):
            conference.status = "in-progress"
            conference.updated_at = now()
            for each in conference.present:
                each.stop_waiting()
            self._tell(conference, "conference-start")

    def change(
        self,
        participant: Participant,
        *,
        muted: bool | None = None,
        hold: bool | None = None,
        coaching: bool | None = None,
        coach_sid: str = "",
        ends: bool | None = None,
    ) -> None:
        """Change what is given, and tell what is different then."""
        events = []
        if muted is not None and muted != participant.muted:
            participant.muted = muted
            events.append("participant-mute" if muted else "participant-unmute")
        if hold is not None and hold != participant.hold:
            participant.hold = hold
            events.append("participant-hold" if hold else "participant-unhold")
        before = (participant.coaching, participant.coach_sid, participant.ends)
        if coaching is False:
            participant.coaching, participant.coach_sid = False, ""
        elif coach_sid:
            participant.coaching, participant.coach_sid = True, coach_sid
        if ends is not None:
            participant.ends = ends
        if before != (participant.coaching, participant.coach_sid, participant.ends):
            events.append("participant-modify")
        participant.updated_at = now()
        for event in events:
            self._tell(participant.conference, event, participant)

    def announce(self, conference: Conference, url: str, participant: Participant | None) -> None:
        """Tell that an announcement has been played, to one or to all."""
        for each in [participant] if participant else conference.present:
            each.announced.append(url)
        self._tell(conference, "announcement-end", participant, {"AnnounceUrl": url})

    def kick(self, participant: Participant) -> None:
        """Remove a participant by the API."""
        participant.call.occupation = None
        self._leave(participant, "participant_updated_via_api", kicked=True)
        participant.put_out()

    def end(self, conference: Conference) -> None:
        """End a conference by the API."""
        self._finish(conference, "conference-ended-via-api", None, "conference_ended_via_api")

    def _leave(self, participant: Participant, reason: str, kicked: bool = False) -> None:
        conference = participant.conference
        if conference.seats.pop(participant.sid, None) is not participant:
            return
        participant.stop_waiting()
        if not participant.joined:
            reason = "participant_add_failed"
        self._tell(conference, "participant-leave", participant, self._of_leaving(participant, reason))
        manner = "kicked" if kicked else "left"
        if participant.ends and participant.joined:
            self._finish(
                conference, f"participant-with-end-conference-on-exit-{manner}", participant, "moderator_ended_conference"
            )
        elif not conference.seats:
            self._finish(conference, f"last-participant-{manner}", participant, "")

    def _finish(self, conference: Conference, reason: str, ender: Participant | None, why_left: str) -> None:
        if conference.is_over:
            return
        conference.status = "completed"
        conference.updated_at = now()
        conference.reason = reason
        conference.ended_by = ender.sid if ender else None
        del self._open[conference.name]
        left = list(conference.seats.values())
        conference.seats.clear()
        for participant in left:
            participant.call.occupation = None
            participant.stop_waiting()
            self._tell(conference, "participant-leave", participant, self._of_leaving(participant, why_left))
        fields = {"ReasonConferenceEnded": reason, "Reason": _REASONS[reason]}
        if ender is not None:
            fields["CallSidEndingConference"] = ender.sid
            if ender.label:
                fields["ParticipantLabelEndingConference"] = ender.label
        self._tell(conference, "conference-end", None, fields)
        for participant in left:
            participant.put_out()

    @staticmethod
    def _of_leaving(participant: Participant, reason: str) -> Fields:
        return {"ReasonParticipantLeft": reason, "ParticipantCallStatus": participant.call.status}

    def _tell(
        self, conference: Conference, event: str, participant: Participant | None = None, more: Fields | None = None
    ) -> None:
        callback = conference.callback or (participant.callback if participant else None)
        if callback is None or not callback.wants(_ASKED_AS[event]):
            return
        conference.events_sent += 1
        fields = {
            "AccountSid": conference.account_sid,
            "ConferenceSid": conference.sid,
            "FriendlyName": conference.name,
            "SequenceNumber": str(conference.events_sent),
            "Timestamp": rfc_2822(now()) or "",
            "StatusCallbackEvent": event,
        }
        if participant is not None:
            fields |= {
                "CallSid": participant.sid,
                "Muted": truth(participant.muted),
                "Hold": truth(participant.hold),
                "Coaching": truth(participant.coaching),
                "EndConferenceOnExit": truth(participant.ends),
                "StartConferenceOnEnter": truth(participant.starts),
            }
            if participant.label:
                fields["ParticipantLabel"] = participant.label
            if participant.coach_sid:
                fields["CallSidToCoach"] = participant.coach_sid
        letter_callback = Callback(callback.url, callback.method, frozenset({event}))
        self._courier.post(
            Letter(
                conference.sid,
                letter_callback,
                event,
                fields | (more or {}),
                conference.deliveries,
                is_last=event == "conference-end",
            )
        )
