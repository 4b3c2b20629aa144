"""What a leg is to do next, step by step, in no vendor's language. `ports.TwimlRenderer` puts it into one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Say:
    """Read `text` out; `language` is a BCP 47 tag."""

    text: str
    language: str = "en-US"


@dataclass(frozen=True, slots=True)
class Play:
    """Play the audio file at `url`."""

    url: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait in silence for `seconds`."""

    seconds: int = 1


@dataclass(frozen=True, slots=True)
class Conference:
    """Join the conference of this name, and stay until one leaves or it ends. Nobody hears a beep.

    `coach_sid` is the leg that alone shall hear this one. `end_on_exit`: the conference ends when this leg leaves.
    `wait_url` is what plays until somebody else is there: None is silence, "music" the provider's hold music.
    `status_callback_url` hears of everybody's coming and going; only that of the first to join counts.
    """

    name: str
    muted: bool = False
    coach_sid: str | None = None
    end_on_exit: bool = False
    start_on_enter: bool = True
    wait_url: str | None = None
    status_callback_url: str | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Ring:
    """Ring others and connect the leg with the first who answers.

    `targets` are E.164 numbers or `client:identity`; `simultaneous` rings all at once, else one after the other.
    `timeout_s` is how long, for each of them. `action_url` is asked for what to do afterwards (`read_ring`), whether
    or not anybody answered. `answer_url`, if any, is asked for the steps that the one who answers goes through first.
    `status_callback_url` hears of the rung legs' states.
    """

    targets: tuple[str, ...]
    timeout_s: int = 20
    from_: str | None = None
    action_url: str | None = None
    simultaneous: bool = True
    answer_url: str | None = None
    status_callback_url: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """Record what the leg says, after a beep, for `max_s` at most.

    `callback_url` hears when the recording can be fetched (`read_recording`) and, where `transcribe`, at
    `transcription_url` (or the same) what was said (`read_transcription`). `action_url` is asked for what follows;
    without one the provider asks the address of these steps again.
    """

    max_s: int
    callback_url: str
    transcribe: bool = False
    action_url: str | None = None
    transcription_url: str | None = None


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the leg."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Do not take an incoming call; the caller hears that it is busy, or that the number is not in service."""

    reason: Literal["busy", "rejected"] = "rejected"


@dataclass(frozen=True, slots=True)
class Digits:
    """Send touch tones: 0 to 9, *, #, and w for half a second of silence."""

    text: str


@dataclass(frozen=True, slots=True)
class Gather:
    """Ask for `digits` touch tones while `steps` (Say, Play, Pause) play; `action_url` gets them (`read_digits`).

    Where nobody types within `timeout_s` the next step follows.
    """

    digits: int
    action_url: str
    steps: Sequence[Say | Play | Pause] = ()
    timeout_s: int = 5


@dataclass(frozen=True, slots=True)
class Redirect:
    """Ask `url` for what to do next."""

    url: str


Step: TypeAlias = Say | Play | Pause | Conference | Ring | Record | Hangup | Reject | Digits | Gather | Redirect
