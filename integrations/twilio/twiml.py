"""Steps as TwiML: https://www.twilio.com/docs/voice/twiml."""

from collections.abc import Sequence
from typing import Any, Final

from twilio.twiml.voice_response import Dial, VoiceResponse

from integrations.steps import Conference, Digits, Gather, Hangup, Pause, Play, Record, Redirect, Reject, Ring, Say, Step

# What a conference reports. `modify` is left out: `mute`, `hold` and their opposites say it better.
CONFERENCE_EVENTS: Final = ("start", "end", "join", "leave", "mute", "hold", "announcement")
LEG_EVENTS: Final = ("initiated", "ringing", "answered", "completed")
# Each callback is work, and whoever is brought in is there or not.
PARTICIPANT_EVENTS: Final = ("answered", "completed")
_CLIENT: Final = "client:"
# Characters that XML can't hold.
_UNSPEAKABLE: Final = dict.fromkeys([*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF])
# In our own language a pause between digits is a w, as in Twilio's.
_DIGITS: Final = frozenset("0123456789*#wW")


class Renderer:
    """The `TwimlRenderer` port."""

    def render(self, steps: Sequence[Step]) -> str:
        """The document. Raises ValueError for digits that no telephone has."""
        response = VoiceResponse()
        for step in steps:
            _append(response, step)
        return str(response)


def render(steps: Sequence[Step]) -> str:
    """The document for these steps."""
    return Renderer().render(steps)


def _append(response: Any, step: Step) -> None:
    match step:
        case Say():
            response.say(step.text.translate(_UNSPEAKABLE), language=step.language)
        case Play():
            response.play(step.url)
        case Pause():
            response.pause(length=step.seconds)
        case Digits():
            if not step.text or not _DIGITS.issuperset(step.text):
                raise ValueError(f"{step.text!r} is not what a telephone can send: 0 to 9, *, # and w")
            response.play(digits=step.text)
        case Conference():
            response.append(_conference(step))
        case Ring():
            response.append(_ring(step))
        case Record():
            _record(response, step)
        case Gather():
            _gather(response, step)
        case Hangup():
            response.hangup()
        case Reject():
            response.reject(reason=step.reason)
        case Redirect():
            response.redirect(step.url, method="POST")


def _conference(step: Conference) -> Dial:
    dial = Dial()
    reports = {
        "status_callback": step.status_callback_url,
        "status_callback_method": "POST",
        "status_callback_event": " ".join(CONFERENCE_EVENTS),
    }
    dial.conference(
        step.name,
        beep="false",
        muted=True if step.muted else None,
        coach=step.coach_sid,
        start_conference_on_enter=None if step.start_on_enter else False,
        end_conference_on_exit=True if step.end_on_exit else None,
        wait_url=_wait_url(step.wait_url),
        participant_label=step.label,
        **(reports if step.status_callback_url else {}),
    )
    return dial


def _wait_url(asked: str | None) -> str | None:
    # Twilio plays its music where nothing is said, and nothing where the address is empty.
    return None if asked == "music" else (asked or "")


def _ring(step: Ring) -> Dial:
    dial = Dial(
        timeout=step.timeout_s,
        caller_id=step.from_,
        action=step.action_url,
        method="POST" if step.action_url else None,
        answer_on_bridge=True,
        sequential=None if step.simultaneous or len(step.targets) < 2 else True,
    )
    options: dict[str, Any] = {}
    if step.answer_url:
        options |= {"url": step.answer_url, "method": "POST"}
    if step.status_callback_url:
        options |= {
            "status_callback": step.status_callback_url,
            "status_callback_method": "POST",
            "status_callback_event": " ".join(LEG_EVENTS),
        }
    for target in step.targets:
        if target.startswith(_CLIENT):
            dial.client(target.removeprefix(_CLIENT), **options)
        else:
            dial.number(target, **options)
    return dial


def _record(response: Any, step: Record) -> None:
    response.record(
        max_length=step.max_s,
        play_beep=True,
        # Without an action Twilio asks the document's own address again after the recording.
        action=step.action_url,
        method="POST" if step.action_url else None,
        recording_status_callback=step.callback_url,
        recording_status_callback_method="POST",
        recording_status_callback_event="completed absent",
        transcribe=True if step.transcribe else None,
        transcribe_callback=(step.transcription_url or step.callback_url) if step.transcribe else None,
    )


def _gather(response: Any, step: Gather) -> None:
    gather = response.gather(
        input="dtmf",
        num_digits=step.digits,
        timeout=step.timeout_s,
        action=step.action_url,
        method="POST",
    )
    for inner in step.steps:
        _append(gather, inner)
