"""Sound: how long a file plays, and recordings that are real WAV files."""

import array
import io
import math
import sys
import wave
from functools import lru_cache
from typing import Final

_RATE: Final = 8_000
# Who is on the first channel hums lower than who is on the second.
_TONES_HZ: Final = (220.0, 330.0)
_LOUDNESS: Final = 3_000
# What a file plays for when it is none that can be read here: MP3, mostly, at 64 kbit/s.
_BYTES_A_SECOND: Final = 8_000
_SHORTEST_S: Final = 0.5


def seconds_of(body: bytes) -> float:
    """Return how long a sound file plays."""
    try:
        with wave.open(io.BytesIO(body)) as sound:
            return float(max(_SHORTEST_S, sound.getnframes() / sound.getframerate()))
    except (wave.Error, EOFError, ZeroDivisionError):
        return max(_SHORTEST_S, len(body) / _BYTES_A_SECOND)


@lru_cache(maxsize=16)
def tone(seconds: int, channels: int, silences: tuple[tuple[int, int], ...] = ()) -> bytes:
    """Return a WAV file (PCM, 16 bits, 8 kHz) that hums for so long, each channel in its own pitch.

    `silences` are the stretches, from and to a second, in which it does not hum.
    """
    # A tenth of a second holds whole periods of both tones, so it can be repeated without a crack.
    samples = array.array("h")
    for frame in range(_RATE // 10):
        for channel in range(channels):
            samples.append(round(_LOUDNESS * math.sin(2 * math.pi * _TONES_HZ[channel] * frame / _RATE)))
    if sys.byteorder == "big":
        samples.byteswap()
    second = samples.tobytes() * 10
    quiet = bytes(len(second))
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(2)
        sound.setframerate(_RATE)
        sound.writeframes(b"".join(quiet if any(a <= at < b for a, b in silences) else second for at in range(seconds)))
    return file.getvalue()
