"""What sound files say of themselves."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.recordings.sound import NotSound, read_sound, read_wav
from tests.recordings.kit import mp3, wav


@pytest.mark.parametrize(("seconds", "channels", "rate"), [(1.0, 1, 8000), (2.5, 2, 8000), (120.0, 1, 16000), (0.25, 2, 48000)])
def test_a_wav_says_how_long_it_is(seconds: float, channels: int, rate: int) -> None:
    found = read_sound(wav(seconds, channels=channels, rate=rate))
    assert (found.content_type, found.duration_ms, found.channels) == ("audio/wav", int(seconds * 1000), channels)


def test_a_wav_whose_length_was_not_known_yet_is_as_long_as_it_is() -> None:
    data = wav(2.0)
    for unknown in (0, 0xFFFFFFFF):
        streamed = data[:40] + struct.pack("<I", unknown) + data[44:]
        assert read_sound(streamed).duration_ms == 2000
    # The beginning is enough where the size is known.
    assert read_wav(data[:64], len(data)).duration_ms == 2000


def test_an_mp3_is_counted_frame_by_frame() -> None:
    assert read_sound(mp3(100)).duration_ms == 2612
    assert read_sound(mp3(100, id3=True)).duration_ms == 2612
    assert read_sound(mp3(100) + b"TAG" + b"\0" * 125).duration_ms == 2612
    assert read_sound(mp3(1000)).content_type == "audio/mpeg"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"\x1aE\xdf\xa3" + b"\0" * 100, "WebM"),
        (b"\0\0\0\x20ftypisom" + b"\0" * 100, "MP4"),
        (b"OggS" + b"\0" * 100, "Ogg"),
        (b"First name,Email\n", "neither WAV nor MP3"),
        (b"RIFF\0\0\0\0WAVEfmt ", "header is broken"),
        (mp3(1), "no sound was found"),
        (wav()[:20] + struct.pack("<H", 3) + wav()[22:], "16-bit PCM"),
    ],
)
def test_what_a_telephone_can_not_play_is_named(data: bytes, says: str) -> None:
    with pytest.raises(NotSound, match=says):
        read_sound(data)


@given(st.binary(max_size=300), st.sampled_from([b"", b"RIFF\0\0\0\0WAVE", b"ID3", b"\xff\xfb\x90\xc0", wav()[:40]]))
def test_anything_is_either_sound_or_refused(tail: bytes, head: bytes) -> None:
    try:
        assert read_sound(head + tail).duration_ms >= 0
    except NotSound as exc:
        assert str(exc).endswith(".")
