"""The import over HTTP."""

from __future__ import annotations

import asyncio
import csv
import io
from uuid import UUID, uuid4

import orjson
import pytest

from hub.db import Database, tenant_tx
from hub.imports import running
from tests.conftest import Company
from tests.harness import Api, RunningHub, until
from tests.imports.kit import Held, as_csv, sample

SMALL = as_csv(("Name", "Email", "Phone"), ("Ann Lee", "ann@x.com", "415 555 0100"), ("Bob", "nonsense", ""))


async def test_a_file_is_uploaded_imported_listed_and_undone(db: Database, acme: Company, manager: Api) -> None:
    accepted = await manager.upload("/imports", "C:\\lists\\people.csv", SMALL)
    assert accepted.status == 202
    import_id = accepted.body["id"]
    queued = (await manager.get(f"/imports/{import_id}")).body
    assert (queued["state"], queued["filename"], queued["rows"]) == ("queued", "people.csv", None)
    assert queued["created_by"] == str(acme.members["manager"])

    await running.run_import(Held(db, acme.tenant_id), UUID(import_id))

    done = (await manager.get(f"/imports/{import_id}")).body
    assert (done["state"], done["rows"], done["created"], done["failed"]) == ("done", 2, 1, 1)
    assert (await manager.get("/imports")).body["data"] == [done]
    assert (await manager.get("/contacts")).body["data"][0]["last_name"] == "Lee"

    asked = await manager.post(f"/imports/{import_id}/undo")
    assert (asked.status, asked.body["state"]) == (202, "running")
    await running.run_undo(Held(db, acme.tenant_id), UUID(import_id))
    assert (await manager.get(f"/imports/{import_id}")).body["state"] == "undone"
    assert (await manager.get("/contacts")).body["data"] == []
    again = await manager.post(f"/imports/{import_id}/undo")
    assert (again.status, again.body["message"]) == (409, "This import is undone already.")


async def test_the_rows_that_failed_come_back_as_a_csv_that_can_be_put_right_and_sent_again(
    db: Database, acme: Company, manager: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.imports.failures._PAGE", 3)
    rows = [["=HYPERLINK(1)", f"b{n}", '"quoted", text'] for n in range(8)]
    data = as_csv(("=Name", "Email", "Notes"), *rows) + b"+Dan,d@x.com,x,too,many\n"
    import_id = (await manager.upload("/imports", "x.csv", data)).body["id"]
    await running.run_import(Held(db, acme.tenant_id), UUID(import_id))

    answer = await manager.get(f"/imports/{import_id}/failures")

    assert answer.status == 200
    assert "x.failures.csv" in answer.headers["Content-Disposition"]
    read = list(csv.reader(io.StringIO(answer.body)))
    assert read[0] == ["=Name", "Email", "Notes", "line", "reason"]
    assert [row[:4] for row in read[1:9]] == [[*row, str(n)] for n, row in enumerate(rows, 2)]
    assert read[9][:4] == ["+Dan", "d@x.com", "x", "10"]
    assert read[9][5:] == ["too", "many"]
    assert all("no valid telephone number" in row[4] for row in read[1:9])

    fixed = answer.body.replace(",b", ",b@x.com,", 1).replace("b@x.com,0", "b@x.com", 1)
    preview = (await manager.upload("/imports/preview", "x.csv", fixed.encode())).body
    assert [column["field"] for column in preview["columns"]][-2:] == ["ignore", "ignore"]


async def test_another_companys_imports_do_not_exist(db: Database, acme: Company, manager: Api, stranger: Api) -> None:
    import_id = (await manager.upload("/imports", "x.csv", SMALL)).body["id"]
    await running.run_import(Held(db, acme.tenant_id), UUID(import_id))

    assert (await stranger.get("/imports")).body["data"] == []
    for one in (import_id, str(uuid4()), "nonsense"):
        answers = [
            await stranger.get(f"/imports/{one}"),
            await stranger.get(f"/imports/{one}/failures"),
            await stranger.post(f"/imports/{one}/undo"),
        ]
        assert [answer.status for answer in answers] == [404, 404, 404]
    assert (await manager.get(f"/imports/{import_id}")).body["state"] == "done"


async def test_imports_are_listed_newest_first_page_by_page(manager: Api) -> None:
    ids = [(await manager.upload("/imports", f"{n}.csv", SMALL)).body["id"] for n in range(5)]
    first = (await manager.get("/imports", limit=3)).body
    rest = (await manager.get("/imports", limit=3, cursor=first["next_cursor"])).body
    assert [one["id"] for one in first["data"] + rest["data"]] == ids[::-1]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    ("data", "fields", "field", "said"),
    [
        (b"", {}, "file", "The file is empty."),
        (b"Name,Email\n", {}, "file", "has a header but no rows"),
        (b"PK\x03\x04\x14\x00" + b"\x00" * 500, {}, "file", "save it as CSV"),
        (b"Name,City\nAnn,Bonn\n", {}, "file", "No column is known to hold telephone numbers"),
        (SMALL, {"mapping": "{"}, "mapping", "It should be JSON like"),
        (SMALL, {"mapping": "[]"}, "mapping", "It should be JSON like"),
        (SMALL, {"mapping": '{"Email": "e-mail"}'}, "mapping", "'e-mail' is no field"),
        (SMALL, {"mapping": '{"Mail": "email"}'}, "mapping", "has no column 'Mail'"),
        (SMALL, {"mapping": '{"Email": null, "Phone": null}'}, "mapping", "No column is known"),
        (SMALL, {"duplicates": "merge"}, "duplicates", "'update' or 'skip'"),
        (SMALL, {"default_region": "Atlantis"}, "default_region", "ISO 3166"),
    ],
)
async def test_what_can_not_be_imported_is_refused_naming_the_field(
    manager: Api, data: bytes, fields: dict[str, str], field: str, said: str
) -> None:
    answer = await manager.upload("/imports", "x.csv", data, **fields)
    assert answer.status == 422
    assert said in answer.field(field)
    assert (await manager.get("/imports")).body["data"] == []


async def test_a_form_without_a_file_and_what_is_no_form_are_refused(manager: Api) -> None:
    for options in (
        {"data": {"mapping": "{}"}},
        {"json": {"file": "x"}},
        {"data": b"x", "headers": {"Content-Type": "multipart/form-data"}},
    ):
        answer = await manager.call("POST", "/imports", **options)
        assert answer.status == 422
    assert (await manager.call("POST", "/imports", json={})).field("file").startswith("Send the file as multipart/form-data")


async def test_a_file_that_is_too_large_is_refused_and_forgotten(
    db: Database, acme: Company, manager: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.imports.upload.MAX_BYTES", 3_000_000)
    answer = await manager.upload("/imports", "x.csv", b"Email\n" + b"a@x.com\n" * 500_000)
    assert (answer.status, answer.error) == (413, "too_large")
    async with tenant_tx(db, acme.who()) as tx:
        assert await tx.conn.fetchval("SELECT count(*) FROM imports") == 0
        assert await tx.conn.fetchval("SELECT count(*) FROM import_chunks") == 0


async def test_an_upload_that_breaks_off_leaves_nothing_behind(
    db: Database, server: RunningHub, acme: Company, manager: Api
) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.csv"\r\n\r\nEmail\n'
    writer.write(
        f"POST /api/v1/imports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {manager.token}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 50000000\r\n\r\n".encode()
    )
    writer.write(head + b"a@x.com\n" * 400_000)
    await writer.drain()

    async def uploads() -> int:
        async with tenant_tx(db, acme.who()) as tx:
            count: int = await tx.conn.fetchval("SELECT count(*) FROM imports")
        return count

    await until(uploads)
    assert (await manager.get("/imports")).body["data"] == []
    writer.close()

    async def nothing_left() -> bool:
        return await uploads() == 0

    await until(nothing_left)


async def test_a_preview_shows_what_would_be_imported_and_keeps_nothing(manager: Api) -> None:
    data = "Vorname;Straße;E-Mail;Telefon\nJürgen;Königsweg;j@x.com;030 901820\nBob;;nonsense;12\n".encode("cp1252")

    shown = (await manager.upload("/imports/preview", "x.csv", data, default_region="DE", mapping='{"Straße": "company"}')).body

    assert (shown["encoding"], shown["delimiter"]) == ("cp1252", ";")
    assert shown["columns"][1] == {"name": "Straße", "field": "company", "samples": ["Königsweg"]}
    assert {"field": "phone_mobile", "label": "Phone (mobile)"} in shown["fields"]
    first, second = shown["rows"]
    assert (first["line"], first["contact"]["first_name"], first["contact"]["company"]) == (2, "Jürgen", "Königsweg")
    assert first["contact"]["phones"][0]["e164"] == "+4930901820"
    assert (first["fails"], first["problems"]) == (False, [])
    assert second["fails"]
    assert "nonsense" in second["problems"][0]
    assert (await manager.get("/imports")).body["data"] == []


async def test_the_head_of_a_file_is_enough_for_a_preview(manager: Api) -> None:
    data = b"Name,Email\n" + "Jürgen Müller,j@x.com\n".encode() * 20_000
    for size in (262_144, 262_143, 1002):
        shown = (await manager.upload("/imports/preview", "x.csv", data[:size])).body
        assert shown["encoding"] == "utf-8"
        assert [column["field"] for column in shown["columns"]] == ["full_name", "email"]


async def test_a_preview_of_a_file_in_which_nothing_is_recognised_shows_it_for_mapping(manager: Api) -> None:
    shown = await manager.upload("/imports/preview", "x.csv", b"A,B\nx,a@x.com\n")
    assert shown.status == 200
    assert [column["field"] for column in shown.body["columns"]] == [None, None]
    mapped = await manager.upload("/imports/preview", "x.csv", b"A,B\nx,a@x.com\n", mapping='{"B": "email"}')
    assert mapped.body["rows"][0]["contact"]["emails"] == [{"address": "a@x.com", "label": "work"}]


@pytest.mark.parametrize("name", ["customers-1000.csv", "leads-1000-with-duplicates.csv"])
async def test_the_samples_are_previewed(manager: Api, name: str) -> None:
    shown = (await manager.upload("/imports/preview", name, sample(name).read_bytes())).body
    assert len(shown["rows"]) == 20
    assert not any(row["fails"] for row in shown["rows"])
    assert orjson.dumps(shown)
