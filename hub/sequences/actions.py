"""What other features may do to sequences."""

from __future__ import annotations

from hub.sequences.stopping import Why, pause_for, stop_for

__all__ = ["Why", "pause_for", "stop_for"]
