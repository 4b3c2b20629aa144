"""What may be done with sequences: by their routes, and by other features."""

from __future__ import annotations

from hub.sequences.changing import change_many, move, pause, resume, skip, stop, swap_mailbox
from hub.sequences.editing import create_sequence, delete_sequence, save_settings, set_state, set_steps, update_sequence
from hub.sequences.enrolling import enrol
from hub.sequences.results import results
from hub.sequences.simulation import simulate
from hub.sequences.stopping import Why, pause_for, stop_for

__all__ = [
    "Why",
    "change_many",
    "create_sequence",
    "delete_sequence",
    "enrol",
    "move",
    "pause",
    "pause_for",
    "results",
    "resume",
    "save_settings",
    "set_state",
    "set_steps",
    "simulate",
    "skip",
    "stop",
    "stop_for",
    "swap_mailbox",
    "update_sequence",
]
