"""How long tests wait for what should happen."""

# Nothing that works waits so long; on a machine that is busy with other things, less than this is no failure yet.
PATIENCE_S = 60.0


def next_look_s(waited_s: float) -> float:
    """How long to leave alone what has been waited for so long: who looks all the time keeps it from becoming true."""
    return min(0.02 + waited_s / 10, 0.1)
