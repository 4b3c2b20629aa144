"""Hearing recordings: who may, in parts, by a link, and what is written down about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub.db import tenant_tx
from hub.recordings.links import write_key
from hub.sqlfiles import Statement
from tests.conftest import Company
from tests.harness import Api, RunningHub
from tests.recordings.kit import a_call, a_recording, audited, put_file, wav

DEACTIVATE = Statement(
    "deactivate", "UPDATE members SET status = 'deactivated' WHERE tenant_id = :tenant_id AND user_id = :person_id"
)


async def listen(api: Api, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes, Any]:
    """A request for sound: status, bytes, headers."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if api.token:
        sent["Authorization"] = f"Bearer {api.token}"
    full = path if path.startswith("/api") else f"/api/v1{path}"
    async with api.session.request(method, api.base + full, headers=sent) as answer:
        body = await answer.read()
        if answer.status < 300 and method == "GET":
            api.contract.check(method, answer.url.path, answer.status, answer.content_type, body)
        return answer.status, body, answer.headers


async def test_a_rep_hears_their_own_calls_and_a_manager_everybodys(
    server: RunningHub, acme: Company, globex: Company, rep: Api, manager: Api, folder: Path
) -> None:
    db = server.hub.db
    call = await a_call(db, acme)
    own, data = await a_recording(db, acme, call=call), wav()
    others = await a_recording(db, acme, role="owner")
    for recording in (own, others):
        await put_file(folder, acme, recording, data)
    status, body, headers = await listen(rep, f"/recordings/{own}/audio")
    assert (status, body, headers["Content-Type"]) == (200, data, "audio/wav")
    assert (headers["Accept-Ranges"], headers["ETag"], headers["Content-Length"]) == ("bytes", f'"{own}"', str(len(data)))
    assert (await listen(rep, f"/recordings/{others}/audio"))[0] == 403
    assert (await listen(manager, f"/recordings/{others}/audio"))[1] == data
    stranger = server.as_member(globex, "owner")
    assert (await listen(stranger, f"/recordings/{own}/audio"))[0] == 404
    assert (await listen(server.client(), f"/recordings/{own}/audio"))[0] == 401
    assert await audited(db, acme, call, "recording.listened") == [(acme.members["rep"], str(own))]


async def test_a_player_gets_the_parts_it_asks_for_and_is_noted_once(
    server: RunningHub, acme: Company, rep: Api, folder: Path
) -> None:
    db, data = server.hub.db, wav()
    call = await a_call(db, acme)
    recording = await a_recording(db, acme, call=call)
    await put_file(folder, acme, recording, data)
    path, size = f"/recordings/{recording}/audio", len(data)
    for asked, start, end in [
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, size),
        ("bytes=-44", size - 44, size),
        (f"bytes={size - 1}-{size + 500}", size - 1, size),
        (f"bytes=-{size * 2}", 0, size),
    ]:
        status, body, headers = await listen(rep, path, Range=asked)
        assert (status, body) == (206, data[start:end]), asked
        assert headers["Content-Range"] == f"bytes {start}-{end - 1}/{size}"
        assert headers["Content-Length"] == str(end - start)
    for asked in (f"bytes={size}-", "bytes=-0"):
        status, body, headers = await listen(rep, path, Range=asked)
        assert (status, headers["Content-Range"]) == (416, f"bytes */{size}")
    for ignored in ("bytes=9-1", "lines=1-2", "bytes=", "bytes=0-1,5-6", "bytes=x-y"):
        assert (await listen(rep, path, Range=ignored))[:2] == (200, data), ignored
    assert (await listen(rep, path, Range="bytes=0-9", If_Range='"another"'))[0] == 200
    assert (await listen(rep, path, Range="bytes=0-9", If_Range=f'"{recording}"'))[0] == 206
    status, body, _ = await listen(rep, path, If_None_Match=f'W/"x", "{recording}"')
    assert (status, body) == (304, b"")
    status, body, headers = await listen(rep, path, "HEAD")
    assert (status, body, headers["Content-Length"]) == (200, b"", str(size))
    status, _, headers = await listen(rep, path, "HEAD", Range="bytes=0-9")
    assert (status, headers["Content-Length"]) == (206, "10")
    assert len(await audited(db, acme, call, "recording.listened")) == 1


async def test_a_link_plays_without_a_token_only_while_its_owner_may_hear(
    server: RunningHub, acme: Company, rep: Api, folder: Path
) -> None:
    db, data = server.hub.db, wav()
    call = await a_call(db, acme)
    recording, other = await a_recording(db, acme, call=call), await a_recording(db, acme, role="owner")
    for each in (recording, other):
        await put_file(folder, acme, each, data)
    link = (await rep.post(f"/recordings/{recording}/link")).body
    anybody = server.client()
    assert (await listen(anybody, link["url"]))[:2] == (200, data)
    assert (await listen(anybody, link["url"], Range="bytes=10-19"))[:2] == (206, data[10:20])
    assert (await listen(anybody, link["url"], "HEAD"))[0] == 200
    assert await audited(db, acme, call, "recording.listened") == [(acme.members["rep"], str(recording))]
    assert (await rep.post(f"/recordings/{other}/link")).status == 403
    key = link["url"].partition("?key=")[2]
    assert (await listen(anybody, f"/media/recordings/{other}?key={key}"))[0] == 403
    assert (await listen(anybody, f"/media/recordings/{recording}?key={key[:-4]}AAAA"))[0] == 403
    assert (await listen(anybody, f"/media/recordings/{recording}"))[0] == 422
    secret = server.settings.key("recording-links")
    old, _ = write_key(secret, acme.tenant_id, recording, acme.members["rep"], -1)
    assert (await listen(anybody, f"/media/recordings/{recording}?key={old}"))[0] == 403
    sneaky, _ = write_key(secret, acme.tenant_id, other, acme.members["rep"], 60)
    assert (await listen(anybody, f"/media/recordings/{other}?key={sneaky}"))[0] == 403, "it is checked again when it is played"
    async with tenant_tx(db, acme.who("owner")) as tx:
        await tx.execute(DEACTIVATE, person_id=acme.members["rep"])
    assert (await listen(anybody, link["url"]))[0] == 403


async def test_what_can_not_be_played_says_why(server: RunningHub, acme: Company, rep: Api, folder: Path) -> None:
    db = server.hub.db
    lost = await a_recording(db, acme)
    answer = await rep.get(f"/recordings/{lost}/audio")
    assert (answer.status, answer.error) == (404, "audio_missing")
    fetching = await a_recording(db, acme)
    async with tenant_tx(db, acme.who("owner")) as tx:
        await tx.execute(
            Statement("x", "UPDATE recordings SET state = 'fetching' WHERE tenant_id = :tenant_id AND id = :id"), id=fetching
        )
    answer = await rep.get(f"/recordings/{fetching}/audio")
    assert (answer.status, answer.error) == (409, "recording_not_ready")


async def test_lists_show_what_one_may_hear(server: RunningHub, acme: Company, globex: Company, rep: Api, manager: Api) -> None:
    db = server.hub.db
    mine = [await a_recording(db, acme) for _ in range(3)]
    others = await a_recording(db, acme, role="owner")
    await a_recording(db, globex)

    async def ids(api: Api, **asked: Any) -> list[str]:
        answer = await api.get("/recordings", **asked)
        assert answer.status == 200, answer.body
        return [each["id"] for each in answer.body["data"]]

    newest_first = [str(each) for each in (others, *reversed(mine))]
    assert await ids(manager) == newest_first
    assert await ids(rep) == newest_first[1:]
    assert await ids(manager, user_id=acme.members["owner"]) == [str(others)]
    assert await ids(rep, user_id=acme.members["owner"]) == []
    first = (await manager.get("/recordings", limit=2)).body
    assert [each["id"] for each in first["data"]] == newest_first[:2]
    assert await ids(manager, limit=2, cursor=first["next_cursor"]) == newest_first[2:]
    shown = (await rep.get(f"/recordings/{mine[0]}")).body
    assert await ids(manager, contact_id=shown["contact"]["id"]) == [str(mine[0])]
    assert (shown["contact"]["name"], shown["user"]["name"], shown["state"]) == ("Ada Lovelace", "Rep of Acme", "stored")
    assert (shown["places"], shown["channels"], shown["transcript"]) == (["US-DC", "US-CA"], 2, None)
    of_call = (await rep.get(f"/calls/{shown['call_id']}/recording")).body
    assert [each["id"] for each in of_call["data"]] == [str(mine[0])]
    assert (of_call["setting"], of_call["state"], of_call["must_announce"]) == ("off", "off", True)
    theirs = (await manager.get(f"/recordings/{others}")).body
    assert (await rep.get(f"/calls/{theirs['call_id']}/recording")).status == 403


async def test_what_was_said_is_found_by_its_words(
    server: RunningHub, acme: Company, globex: Company, rep: Api, manager: Api
) -> None:
    db = server.hub.db
    said = "Yes, please call me back about the proposal, tomorrow morning would be fine. Grüße aus Zürich!"
    mine = await a_recording(db, acme, said=said)
    others = await a_recording(db, acme, role="owner", said="The proposal is too expensive, tomorrow or not.")
    await a_recording(db, acme)
    await a_recording(db, globex, said=said)

    async def found(api: Api, q: str, **more: Any) -> list[str]:
        answer = await api.get("/recordings", q=q, **more)
        assert answer.status == 200, answer.body
        return [each["id"] for each in answer.body["data"]]

    assert await found(manager, "proposal") == [str(others), str(mine)]
    assert await found(rep, "proposal") == [str(mine)]
    assert await found(manager, "PROPO morn") == [str(mine)], "every word, the beginning of each is enough"
    assert await found(manager, '"call me back"') == [str(mine)]
    assert await found(manager, '"back me call"') == []
    assert await found(manager, "zurich") == [str(mine)], "accents make no difference"
    assert await found(manager, "proposal", user_id=acme.members["owner"]) == [str(others)]
    for nothing in ("%", "' & !", "nobody said this", "&|!():*<->", '"'):
        assert await found(manager, nothing) == [], nothing
    page = (await manager.get("/recordings", q="proposal", limit=1)).body
    assert await found(manager, "proposal", limit=1, cursor=page["next_cursor"]) == [str(mine)]
    assert "«proposal»" in page["data"][0]["excerpt"]
    assert (await rep.get(f"/recordings/{mine}")).body["transcript"] == said
    assert (await manager.get("/recordings", q=" ")).status == 422


async def test_admins_delete_and_nobody_hears_it_again(
    server: RunningHub, acme: Company, globex: Company, rep: Api, manager: Api, folder: Path
) -> None:
    db = server.hub.db
    call = await a_call(db, acme)
    recording = await a_recording(db, acme, call=call, said="Something private.")
    await put_file(folder, acme, recording, wav())
    link = (await manager.post(f"/recordings/{recording}/link")).body["url"]
    assert (await manager.delete(f"/recordings/{recording}")).status == 403
    assert (await server.as_member(globex, "owner").delete(f"/recordings/{recording}")).status == 404
    admin = server.as_member(acme, "admin")
    assert (await admin.delete(f"/recordings/{recording}")).status == 204
    assert (await admin.delete(f"/recordings/{recording}")).status == 204
    assert (await rep.get(f"/recordings/{recording}/audio")).error == "recording_deleted"
    assert (await listen(server.client(), link))[0] == 404
    assert (await manager.get("/recordings", q="private")).body["data"] == []
    assert (await manager.get("/recordings")).body["data"] == []
    told = (await rep.get(f"/recordings/{recording}")).body
    assert (told["state"], told["deleted"]["by"]["name"], told["deleted"]["reason"]) == ("deleted", "Admin of Acme", "asked")
    assert told["transcript"] is None
    assert await audited(db, acme, call, "recording.deleted") == [(acme.members["admin"], str(recording))]


@pytest.mark.parametrize("asked", ["on", "paused", "off"])
async def test_a_call_that_is_over_is_not_recorded(server: RunningHub, acme: Company, rep: Api, asked: str) -> None:
    call = await a_call(server.hub.db, acme)
    answer = await rep.post(f"/calls/{call}/recording", {"state": asked})
    assert (answer.status, answer.error) == (409, "call_is_over")
