"""Keeping messages for answering machines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData

from hub.db import tenant_tx
from hub.sqlfiles import Statement
from tests.conftest import Company
from tests.harness import Answer, Api, RunningHub
from tests.recordings.kit import mp3, wav

JOBS = Statement("jobs", "SELECT args ->> 'key' AS key FROM jobs WHERE tenant_id = :tenant_id AND kind = 'voicemail.erase'")


async def keep(api: Api, data: bytes | None, **fields: str) -> Answer:
    form = FormData(default_to_multipart=True)
    for name, value in fields.items():
        form.add_field(name, value)
    if data is not None:
        form.add_field("file", data, filename="message.wav", content_type="audio/wav")
    return await api.call("POST", "/voicemail-drops", data=form)


async def names(api: Api, **asked: Any) -> list[str]:
    return [each["name"] for each in (await api.get("/voicemail-drops", **asked)).body["data"]]


async def test_a_recorded_message_is_kept_heard_and_deleted(server: RunningHub, acme: Company, rep: Api, folder: Path) -> None:
    kept = await keep(rep, wav(3.0), name=" Short hello ")
    assert kept.status == 201, kept.body
    drop = kept.body
    assert (drop["name"], drop["shared"], drop["duration_ms"], drop["bytes"]) == ("Short hello", False, 3000, len(wav(3.0)))
    assert drop["user"]["id"] == str(acme.members["rep"])
    assert kept.headers["Location"] == f"/api/v1/voicemail-drops/{drop['id']}"
    assert (await rep.get(f"/voicemail-drops/{drop['id']}")).body == drop
    link = (await rep.post(f"/voicemail-drops/{drop['id']}/link")).body["url"]
    for api, path in ((rep, f"/api/v1/voicemail-drops/{drop['id']}/audio"), (server.client(), link)):
        token = {"Authorization": f"Bearer {api.token}"} if api.token else {}
        async with api.session.get(api.base + path, headers=token) as answer:
            assert (answer.status, answer.content_type, await answer.read()) == (200, "audio/wav", wav(3.0))
        async with api.session.get(api.base + path, headers=token | {"Range": "bytes=0-3"}) as answer:
            assert (answer.status, await answer.read()) == (206, b"RIFF")
    async with server.client().session.head(server.url + link) as answer:
        assert answer.headers["Content-Length"] == str(len(wav(3.0)))
    assert (await server.client().get(link[len("/api/v1") :] + "x")).status == 403
    assert (await rep.delete(f"/voicemail-drops/{drop['id']}")).status == 204
    assert (await rep.delete(f"/voicemail-drops/{drop['id']}")).status == 404
    assert (await rep.get(f"/voicemail-drops/{drop['id']}/audio")).status == 404
    assert await names(rep) == []
    async with tenant_tx(server.hub.db, acme.who("owner")) as tx:
        [job] = await tx.fetch(JOBS)
    # The provider may be playing it still, so the file goes later.
    assert (folder / job["key"]).is_file()
    again = await keep(rep, mp3(100), name="Short hello")
    assert (again.status, again.body["content_type"], again.body["duration_ms"]) == (201, "audio/mpeg", 2612)


async def test_messages_are_ones_own_or_everybodys(
    server: RunningHub, acme: Company, globex: Company, rep: Api, manager: Api
) -> None:
    mine = (await keep(rep, wav(), name="Mine")).body
    theirs = (await keep(manager, wav(), name="Mine")).body
    refused = await keep(rep, wav(), name="Ours", shared="true")
    assert refused.status == 403 and "kept by managers" in refused.body["message"]
    ours = (await keep(manager, wav(), name="Ours", shared="true")).body
    assert (ours["shared"], ours["user"]) == (True, None)
    assert await names(rep) == ["Ours", "Mine"]
    page = (await rep.get("/voicemail-drops", limit=1)).body
    assert await names(rep, limit=1, cursor=page["next_cursor"]) == ["Mine"]
    assert (await rep.get(f"/voicemail-drops/{theirs['id']}")).status == 404
    assert (await rep.delete(f"/voicemail-drops/{ours['id']}")).status == 403
    stranger = server.as_member(globex, "owner")
    assert await names(stranger) == []
    for drop in (mine, ours):
        assert (await stranger.get(f"/voicemail-drops/{drop['id']}")).status == 404
        assert (await stranger.delete(f"/voicemail-drops/{drop['id']}")).status == 404
    taken = await keep(rep, wav(), name="mine")
    assert (taken.status, taken.error) == (409, "name_taken")
    assert (await manager.delete(f"/voicemail-drops/{ours['id']}")).status == 204


@pytest.mark.parametrize(
    ("data", "fields", "field", "says"),
    [
        (b"\x1aE\xdf\xa3webm", {"name": "x"}, "file", "WebM"),
        (b"First name,Email\n", {"name": "x"}, "file", "neither WAV nor MP3"),
        (wav(121.0), {"name": "x"}, "file", "at most 120"),
        (wav(0.1), {"name": "x"}, "file", "half a second"),
        (b"", {"name": "x"}, "file", "empty"),
        (wav(), {"name": "  "}, "name", "1 to 80"),
        (wav(), {"name": "x" * 81}, "name", "1 to 80"),
        (wav(), {"name": "a\x00b"}, "name", "can't be shown"),
        (wav(), {"name": "x", "shared": "yes"}, "shared", "'true' or 'false'"),
        (wav(), {"name": "x", "colour": "red"}, "colour", "no such field"),
        (wav(), {"name": "x" * 2000}, "name", "longer than"),
        (None, {"name": "x"}, "file", "no recording"),
    ],
)
async def test_what_is_wrong_is_said(rep: Api, data: bytes | None, fields: dict[str, str], field: str, says: str) -> None:
    answer = await keep(rep, data, **fields)
    assert answer.status == 422, answer.body
    assert says in answer.field(field)


async def test_what_is_too_large_or_no_form_is_refused(rep: Api, folder: Path) -> None:
    large = await keep(rep, wav(1.0) + b"\0" * 10_000_001, name="x")
    assert (large.status, large.error) == (413, "too_large")
    assert (await rep.post("/voicemail-drops", {"name": "x"})).field("file")
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    assert (await rep.call("POST", "/voicemail-drops", data=b"not a form", headers=broken)).status == 422
    assert not list(folder.rglob("*.wav")), "nothing of it was kept"
