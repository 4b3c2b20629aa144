"""What a sound file says of itself: WAV by its header (RIFF), MP3 by its frames (ISO/IEC 11172-3 and 13818-3)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

_PCM, _ALAW, _MULAW, _EXTENSIBLE = 1, 6, 7, 0xFFFE
# Kilobits a second by the header's four bits: MPEG-1 layer III, and MPEG-2 and 2.5.
_RATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_RATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_SAMPLES_A_SECOND = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


class NotSound(ValueError):
    """Why this is nothing a telephone can play, in a sentence."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A file's kind and length."""

    content_type: Literal["audio/wav", "audio/mpeg"]
    duration_ms: int
    channels: int


def read_sound(data: bytes) -> Sound:
    """What a whole file is. Raises NotSound for everything but WAV and MP3, in words."""
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return read_wav(data, len(data))
    if data[:3] == b"ID3" or (len(data) > 1 and data[0] == 0xFF and data[1] & 0xE6 == 0xE2):
        return _read_mp3(data)
    if data[:4] == b"\x1aE\xdf\xa3":
        raise NotSound("This is WebM, which telephones can not play. Send WAV or MP3.")
    if data[4:8] == b"ftyp":
        raise NotSound("This is MP4, which telephones can not play. Send WAV or MP3.")
    if data[:4] == b"OggS":
        raise NotSound("This is Ogg. Send WAV or MP3.")
    if not data:
        raise NotSound("The file is empty.")
    raise NotSound("This is neither WAV nor MP3.")


def read_wav(head: bytes, size: int) -> Sound:
    """What a WAV file of `size` bytes is, from its beginning, which has to hold the header. Raises NotSound."""
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        raise NotSound("This is no WAV file.")
    at, channels, rate = 12, 0, 0
    while at + 8 <= len(head):
        name, length = struct.unpack_from("<4sI", head, at)
        at += 8
        if name == b"fmt ":
            if length < 16 or at + 16 > len(head):
                break
            coding, channels, _, rate, _, bits = struct.unpack_from("<HHIIHH", head, at)
            if coding == _EXTENSIBLE and length >= 26 and at + 26 <= len(head):
                coding = struct.unpack_from("<H", head, at + 24)[0]
            if coding not in (_PCM, _ALAW, _MULAW) or bits not in (8, 16):
                raise NotSound("This WAV is stored in a way that telephones can not play. Save it as 16-bit PCM.")
        elif name == b"data":
            if not rate or not channels:
                break
            # Who writes while it still comes leaves the length at nothing or at everything.
            there = min(length, size - at) if 0 < length < 0xFFFFFF00 else size - at
            return Sound("audio/wav", max(there, 0) * 1000 // rate, channels)
        at += length + length % 2
    raise NotSound("The WAV file's header is broken.")


def _read_mp3(data: bytes) -> Sound:
    at = 0
    if data[:3] == b"ID3" and len(data) >= 10:
        # Seven bits a byte (ID3v2.4, section 6.2), and a footer where the flags say so.
        at = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=True))
        at += 10 if data[5] & 0x10 else 0
    frames, seconds, channels = 0, 0.0, 1
    while at + 4 <= len(data):
        frame = _frame(data, at)
        if frame is None:
            if frames < 2 or data[at : at + 3] != b"TAG":
                break
            at += 128
            continue
        length, lasts_s, channels = frame
        frames += 1
        seconds += lasts_s
        at += length
    if frames < 2:
        raise NotSound("The MP3 file is broken: no sound was found in it.")
    return Sound("audio/mpeg", int(seconds * 1000), channels)


def _frame(data: bytes, at: int) -> tuple[int, float, int] | None:
    """A layer III frame's length in bytes, its length in seconds and its channels; None where there is none."""
    if data[at] != 0xFF or data[at + 1] & 0xE6 != 0xE2:
        return None
    version, rate_bits, hertz_bits = data[at + 1] >> 3 & 3, data[at + 2] >> 4, data[at + 2] >> 2 & 3
    if version == 1 or rate_bits in (0, 15) or hertz_bits == 3:
        return None
    bits = (_RATES_1 if version == 3 else _RATES_2)[rate_bits] * 1000
    hertz = _SAMPLES_A_SECOND[version][hertz_bits]
    samples = 1152 if version == 3 else 576
    padding = data[at + 2] >> 1 & 1
    return samples // 8 * bits // hertz + padding, samples / hertz, 1 if data[at + 3] >> 6 == 3 else 2
