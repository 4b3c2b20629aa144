"""Files by key, in a folder and in S3: whole or not at all, by ranges, and gone when deleted."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from integrations.errors import Rejected, Transient
from integrations.objects import Objects, open_objects
from tests.integrations.s3 import BUCKET, S3

KEY = "recordings/0198/call.wav"


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def read(store: Objects, key: str, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([piece async for piece in store.read(key, start, end)])


@pytest.fixture
def folder(tmp_path: Path) -> Objects:
    """A store in a folder that is made for it."""
    return open_objects(str(tmp_path / "made" / "objects"), {})


@pytest.fixture
async def s3() -> AsyncIterator[S3]:
    """A service that speaks S3."""
    service = S3()
    runner = await service.start()
    yield service
    await runner.cleanup()


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, folder: Objects, s3: S3) -> Objects:
    """Each of the two."""
    return folder if request.param == "folder" else open_objects(f"s3://{BUCKET}/a/prefix", s3.options)


async def test_what_was_put_is_read_again(store: Objects) -> None:
    data = os.urandom(300_000)

    assert await store.put(KEY, pieces(data[:100_000], data[100_000:]), "audio/wav") == 300_000
    assert await store.size(KEY) == 300_000
    assert await read(store, KEY) == data


async def test_more_than_one_part_is_put(store: Objects) -> None:
    data = os.urandom(6_000_000)

    assert await store.put(KEY, pieces(data, data), "audio/wav") == 12_000_000
    assert await read(store, KEY) == data + data


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(0, 4, b"0123"), (3, None, b"3456789"), (9, 10, b"9"), (8, 100, b"89"), (10, None, b""), (12, 20, b""), (5, 5, b"")],
)
async def test_ranges_are_from_the_first_up_to_the_last(store: Objects, start: int, end: int | None, expected: bytes) -> None:
    await store.put(KEY, pieces(b"0123456789"), "audio/wav")

    assert await read(store, KEY, start, end) == expected


async def test_an_empty_file_is_a_file(store: Objects) -> None:
    assert await store.put(KEY, pieces(), "audio/wav") == 0
    assert await store.size(KEY) == 0
    assert await read(store, KEY) == b""


async def test_a_second_file_replaces_the_first(store: Objects) -> None:
    await store.put(KEY, pieces(b"first"), "audio/wav")
    await store.put(KEY, pieces(b"second"), "audio/wav")

    assert await read(store, KEY) == b"second"


async def broken() -> AsyncIterator[bytes]:
    yield b"x" * 6_000_000
    yield b"x" * 6_000_000
    raise Transient("the recording broke off")


async def test_what_breaks_off_leaves_what_was_there(store: Objects) -> None:
    await store.put(KEY, pieces(b"first"), "audio/wav")
    for key in (KEY, "recordings/other.wav"):
        with pytest.raises(Transient, match="broke off"):
            await store.put(key, broken(), "audio/wav")

    assert await read(store, KEY) == b"first"
    with pytest.raises(Rejected):
        await store.size("recordings/other.wav")


async def test_what_breaks_off_leaves_nothing_behind(folder: Objects, tmp_path: Path) -> None:
    with pytest.raises(Transient):
        await folder.put(KEY, broken(), "audio/wav")

    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


async def test_what_is_not_there_is_rejected_in_words(store: Objects) -> None:
    for asking in (store.size("nothing"), read(store, "nothing")):
        with pytest.raises(Rejected) as refused:
            await asking
        assert (refused.value.code, refused.value.status) == ("not_found", 404)


async def test_deleting_twice_is_fine(store: Objects) -> None:
    await store.put(KEY, pieces(b"first"), "audio/wav")
    await store.delete(KEY)
    await store.delete(KEY)

    with pytest.raises(Rejected):
        await store.size(KEY)


async def test_a_key_does_not_lead_out_of_the_folder(folder: Objects, tmp_path: Path) -> None:
    for key in ("../outside", "a/../../outside"):
        with pytest.raises(ValueError):
            await folder.put(key, pieces(b"x"), "audio/wav")
    await folder.put("/outside", pieces(b"x"), "audio/wav")

    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()] == ["made/objects/outside"]


async def test_s3_gets_the_type_the_prefix_and_large_files_in_parts(s3: S3) -> None:
    store = open_objects(f"s3://{BUCKET}/a/prefix", s3.options)
    data = os.urandom(12_000_000)

    await store.put(KEY, pieces(data[:7_000_000], data[7_000_000:]), "audio/wav")
    await store.put("small", pieces(b"x"), "audio/mpeg")

    assert {key: each.content_type for key, each in s3.objects.items()} == {
        f"a/prefix/{KEY}": "audio/wav",
        "a/prefix/small": "audio/mpeg",
    }
    assert s3.objects[f"a/prefix/{KEY}"].data == data
    assert sum("partNumber" in each and KEY in each for each in s3.asked) == 3
    assert not s3.uploads


async def test_a_wrong_key_is_rejected_and_not_tried_again(s3: S3) -> None:
    store = open_objects(f"s3://{BUCKET}", s3.options | {"AWS_SECRET_ACCESS_KEY": "guessed"})

    with pytest.raises(Rejected) as refused:
        await store.size(KEY)
    assert refused.value.is_credential_fault


async def test_an_s3_that_is_not_there_is_transient(s3: S3) -> None:
    with pytest.raises(Transient):
        await open_objects("s3://bucket/prefix", s3.options | {"AWS_ENDPOINT": "http://127.0.0.1:9"}).size(KEY)


def test_an_option_that_s3_does_not_know_is_said_at_once() -> None:
    with pytest.raises(ValueError, match="bucket"):
        open_objects("s3://bucket", {"AWS_IMAGINARY": "yes"})
