"""Whole imports: what becomes of the rows, of duplicates, of killed workers, and of the undo."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from typing import Any, BinaryIO
from uuid import UUID

import orjson
import pytest

from hub.contacts import actions as contacts
from hub.contacts.models import ContactIn, ContactPatch
from hub.db import Database, Tx, tenant_tx
from hub.errors import Conflict
from hub.imports import actions, reader, running
from hub.imports.people import Batch
from hub.imports.reading import Survey, survey
from hub.imports.writing import Findable
from hub.sqlfiles import Statement
from tests.conftest import Company
from tests.imports.kit import Held, added_up, all_contacts, as_csv, import_now, put_file, reasons, sample, seen, undo_now

COLUMNS = ("First Name", "Company", "Email", "Phone", "Tags", "Website")


async def test_every_customer_with_a_valid_number_or_address_is_there(db: Database, acme: Company) -> None:
    done = await import_now(db, acme, sample("customers-1000.csv").read_bytes())

    assert done["state"] == "done"
    assert added_up(done)
    assert done["rows"] == 1000
    people = await all_contacts(db, acme)
    assert len(people) == done["created"]
    assert len(await reasons(db, acme, done["id"])) == done["failed"]
    alice = people[0]
    assert (alice["first_name"], alice["last_name"], alice["company"]) == ("Alice", "Esparza", "Reese Ltd")
    assert alice["emails"] == [{"address": "chadfranco@wade.com", "label": "work"}]
    assert [phone["e164"] for phone in alice["phones"]] == ["+15083301661", "+18602913909"]
    assert alice["custom"]["Website"] == "https://www.york.com/"
    assert alice["terms"].startswith(" alice esparza reese ltd chadfranco@wade.com wade.com 15083301661")


async def test_leads_with_duplicates_add_up(db: Database, acme: Company) -> None:
    done = await import_now(db, acme, sample("leads-1000-with-duplicates.csv").read_bytes())

    assert added_up(done)
    people = await all_contacts(db, acme)
    assert len(people) == done["created"]
    addresses = [email["address"] for person in people for email in person["emails"]]
    assert len(addresses) == len(set(addresses))
    assert people[0]["custom"]["Lead Owner"] == "Kristopher Bass"
    assert people[0]["stage"] == "Qualified"


async def test_the_search_finds_what_was_imported_and_its_terms_are_those_of_a_contact_made_by_hand(
    db: Database, acme: Company
) -> None:
    rows = [["Zoë", "Café Ünal", "zoe@x.com", "415 555 0100", "a;b", ""], ["Bob", "Bits  Ltd", "BOB@Y.com", "", "", ""]]
    await import_now(db, acme, as_csv(COLUMNS, *rows))
    before = await all_contacts(db, acme)
    async with tenant_tx(db, acme.who()) as tx:
        for person in before:
            await contacts.update_contact(tx, UUID(person["id"]), ContactPatch(title=""), None)

    assert await all_contacts(db, acme) == before
    assert before[0]["terms"] == " zoe cafe unal zoe@x.com x.com 14155550100"


async def test_the_same_file_again_creates_nobody(db: Database, acme: Company) -> None:
    data = sample("customers-1000.csv").read_bytes()
    first = await import_now(db, acme, data)
    before = await all_contacts(db, acme)

    again = await import_now(db, acme, data)
    skipped = await import_now(db, acme, data, duplicates="skip")

    assert (again["created"], again["updated"], again["failed"]) == (0, 1000 - first["failed"], first["failed"])
    assert (skipped["created"], skipped["updated"], skipped["skipped"]) == (0, 0, 1000 - first["failed"])
    assert await all_contacts(db, acme) == before


async def test_duplicates_are_found_by_any_address_or_number_and_filled(db: Database, acme: Company) -> None:
    given = ContactIn.model_validate(
        {
            "first_name": "Ann",
            "company": "Old Ltd",
            "title": "CTO",
            "emails": [{"address": "ann@x.com"}, {"address": "Ann@Home.org", "label": "home"}],
            "phones": [{"number": "+14155550100"}],
            "tags": ["vip"],
            "custom": {"Plan": "gold"},
        }
    )
    async with tenant_tx(db, acme.who()) as tx:
        ann, _, _ = await contacts.create_contact(tx, given)
    rows = [
        ["", "New Ltd", "ann@home.ORG", "", "VIP; east", "http://x.com"],
        ["Anna", "", "", "(415) 555-0100", "", ""],
        ["Anna", "", "new@x.com", "001 415 555 0100", "", ""],
        ["Carl", "", "new@x.com", "", "", ""],
        ["Dan", "", "dan@x.com", "(415) 555-0100 x12", "", ""],
    ]

    done = await import_now(db, acme, as_csv(COLUMNS, *rows))

    assert (done["created"], done["updated"]) == (1, 4)
    person, dan = await all_contacts(db, acme)
    assert person["id"] == str(ann)
    assert (person["first_name"], person["company"], person["title"]) == ("Carl", "New Ltd", "CTO")
    assert [email["address"] for email in person["emails"]] == ["ann@x.com", "Ann@home.org", "new@x.com"]
    assert len(person["phones"]) == 1
    assert person["tags"] == ["east", "vip"]
    assert person["custom"] == {"Plan": "gold", "Website": "http://x.com"}
    assert dan["first_name"] == "Dan"


async def test_duplicates_inside_a_file_and_across_its_batches_become_one(
    db: Database, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH_ROWS", 3)
    rows = [["A", "", f"a{n % 4}@x.com", "", "", f"http://{n}"] for n in range(20)]

    updated = await import_now(db, acme, as_csv(COLUMNS, *rows))

    people = await all_contacts(db, acme)
    assert (updated["created"], updated["updated"], len(people)) == (4, 16, 4)
    assert [person["custom"]["Website"] for person in people] == ["http://16", "http://17", "http://18", "http://19"]
    await undo_now(db, acme, updated["id"])
    skipped = await import_now(db, acme, as_csv(COLUMNS, *rows), duplicates="skip")
    assert (skipped["created"], skipped["skipped"]) == (4, 16)


async def test_a_deleted_contact_is_no_duplicate(db: Database, acme: Company) -> None:
    await import_now(db, acme, as_csv(COLUMNS, ["Ann", "", "ann@x.com", "", "", ""]))
    async with tenant_tx(db, acme.who()) as tx:
        await contacts.delete_contact(tx, UUID((await all_contacts(db, acme))[0]["id"]))

    again = await import_now(db, acme, as_csv(COLUMNS, ["Ann", "", "ann@x.com", "", "", ""]))

    assert again["created"] == 1


async def test_bad_rows_never_stop_the_good_ones(db: Database, acme: Company) -> None:
    good = as_csv(COLUMNS, ["Ann", "", "ann@x.com", "", "", ""])
    lines = [
        b"Bob,,nonsense,12,,",
        b"Cid,,c\x00@x.com,,,",
        b'Dan,"never closed,d@x.com,,,',
        b"Eve," + b"x" * 200_000 + b",e@x.com,,,",
        b"Fay,,f@x.com,,,,,,one too many",
        b"Gus,,g@x.com,,," + b"z" * 6000,
        b",,,,,",
    ]

    done = await import_now(db, acme, good + b"\n".join(lines) + b"\nHal,,hal@x.com,,,\n")

    assert added_up(done)
    assert (done["created"], done["failed"], done["rows"]) == (2, 6, 8)
    why = await reasons(db, acme, done["id"])
    assert {line: said.split(".")[0][:40] for line, said in why.items()} == {
        3: "There is no valid telephone number or em",
        4: "Email contains a NUL character, which no",
        5: "A quotation mark is opened in this row a",
        6: "A field of this row has more than 131,07",
        7: "This row has 9 cells, the header has 6",
        8: "Website has 6,000 characters; at most 5,",
    }


async def test_a_process_of_its_own_reads_what_a_thread_reads(
    db: Database, acme: Company, globex: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH_ROWS", 300)
    data = sample("leads-1000-with-duplicates.csv").read_bytes() + b"1,x,,Bad,Row,,12,,nobody,,,,,\n"
    by_thread = await import_now(db, acme, data)
    monkeypatch.setattr(reader, "LARGE_BYTES", 0)

    by_process = await import_now(db, globex, data)

    counts = ("state", "rows", "processed", "created", "updated", "failed", "warnings")
    assert [by_process[name] for name in counts] == [by_thread[name] for name in counts]
    assert await reasons(db, globex, by_process["id"]) == await reasons(db, acme, by_thread["id"])
    ids = {"id": None, "created_at": None}
    assert [one | ids for one in await all_contacts(db, globex)] == [one | ids for one in await all_contacts(db, acme)]


async def test_an_import_whose_reader_is_lost_goes_on_later(db: Database, acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "LARGE_BYTES", 0)
    import_id = await put_file(db, acme.who(), as_csv(COLUMNS, *[["A", "", f"a{n}@x.com", "", "", ""] for n in range(30)]))
    with monkeypatch.context() as gone:
        gone.setattr(sys, "executable", "/bin/true")
        with pytest.raises((RuntimeError, ConnectionError)):
            await running.run_import(Held(db, acme.tenant_id), import_id)

    await running.run_import(Held(db, acme.tenant_id), import_id)

    assert (await seen(db, acme, import_id))["created"] == 30


async def test_contacts_that_a_stopped_worker_left_out_of_the_search_are_found_afterwards(
    db: Database, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH_ROWS", 10)
    rows = [["Zo\u00eb", "Caf\u00e9", f"a{n}@x.com", "415 555 0100", "", ""] for n in range(30)]
    rows = [[*row[:3], f"415 555 01{n:02}", *row[4:]] for n, row in enumerate(rows)]
    import_id = await put_file(db, acme.who(), as_csv(COLUMNS, *rows))

    async def killed(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as stopped:
        stopped.setattr(actions, "make_findable", killed)
        with pytest.raises(Killed):
            await running.run_import(Held(db, acme.tenant_id), import_id)
    assert {person["terms"] for person in await all_contacts(db, acme)} == {None}
    await running.run_import(Held(db, acme.tenant_id), import_id)

    terms = [person["terms"] for person in await all_contacts(db, acme)]
    assert terms == [f" zoe cafe a{n}@x.com x.com 141555501{n:02}" for n in range(30)]


async def test_a_file_that_turns_out_not_to_be_importable_fails_in_words(
    db: Database, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "MAX_ROWS", 5)
    done = await import_now(db, acme, b"Email\n" + b"a@x.com\n" * 6)
    assert done["state"] == "failed"
    assert done["error"] == "The file has more than 5 rows. Split it and import the parts one after the other."
    assert await all_contacts(db, acme) == []


async def _at_once() -> None:
    """Nothing is under way."""


class Killed(Exception):
    """What a kill -9 looks like to the database: the transaction is gone."""


async def test_a_killed_workers_import_goes_on_where_it_stopped(
    db: Database, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH_ROWS", 7)
    rows = [["A", "", f"a{n % 40}@x.com" if n % 9 else "bad", "", "", str(n)] for n in range(100)]
    import_id = await put_file(db, acme.who(), as_csv(COLUMNS, *rows))
    real, left = actions.import_batch, [4]

    async def mortal(tx: Tx, which: UUID, batch: Batch, *args: Any, **more: Any) -> Findable:
        new = await real(tx, which, batch, *args, **more)
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        return new

    monkeypatch.setattr(actions, "import_batch", mortal)
    for batches in (4, 1, 6, -1):
        left[0] = batches
        if batches > 0:
            with pytest.raises(Killed):
                await running.run_import(Held(db, acme.tenant_id), import_id)
        else:
            await running.run_import(Held(db, acme.tenant_id), import_id)
    await running.run_import(Held(db, acme.tenant_id), import_id)

    done = await seen(db, acme, import_id)
    assert done["state"] == "done"
    assert added_up(done)
    assert (done["created"], done["failed"]) == (40, 12)
    assert len(await all_contacts(db, acme)) == 40


async def test_an_import_is_not_done_before_all_its_rows_are(
    db: Database, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = await put_file(db, acme.who(), as_csv(COLUMNS, *[["A", "", f"a{n}@x.com", "", "", ""] for n in range(3)]))

    def one_more(file: BinaryIO, most_rows: int) -> Survey:
        found = survey(file, most_rows)
        return replace(found, rows=found.rows + 1)

    monkeypatch.setattr(running, "survey", one_more)
    with pytest.raises(RuntimeError, match="row 3 of 4"):
        await running.run_import(Held(db, acme.tenant_id), import_id)

    assert (await seen(db, acme, import_id))["state"] == "running"
    async with tenant_tx(db, acme.who()) as tx:
        await running.give_up(tx, import_id, "It stopped.")
    assert (await seen(db, acme, import_id))["state"] == "failed"


async def test_a_worker_that_lost_its_import_changes_nothing_more(db: Database, acme: Company) -> None:
    import_id = await put_file(db, acme.who(), as_csv(COLUMNS, ["A", "", "a@x.com", "", "", ""]))
    await running.run_import(Held(db, acme.tenant_id), import_id)
    with pytest.raises(Conflict):
        async with tenant_tx(db, acme.who()) as tx:
            await actions.import_batch(tx, import_id, Batch(0), "update", tell=False, settled=_at_once)


async def test_two_imports_at_once_do_not_create_anyone_twice(
    db: Database, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH_ROWS", 10)
    data = as_csv(COLUMNS, *[["A", "", f"a{n}@x.com", "", "", ""] for n in range(100)])
    ids = [await put_file(db, acme.who(), data) for _ in range(2)]

    await asyncio.gather(*(running.run_import(Held(db, acme.tenant_id), import_id) for import_id in ids))

    both = [await seen(db, acme, import_id) for import_id in ids]
    assert sum(one["created"] for one in both) == 100
    assert len(await all_contacts(db, acme)) == 100


async def test_undo_brings_back_exactly_what_was_there(db: Database, acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "BATCH_ROWS", 100)
    data = sample("leads-1000-with-duplicates.csv").read_bytes()
    rows = data.decode().splitlines(keepends=True)
    await import_now(db, acme, "".join([rows[0].replace("Notes", "Other"), *rows[1:400]]).encode(), default_region="GB")
    before = await all_contacts(db, acme)
    done = await import_now(db, acme, data)
    assert done["updated"] >= 399
    assert await all_contacts(db, acme) != before

    undone = await undo_now(db, acme, done["id"])

    assert (undone["state"], undone["kept"]) == ("undone", 0)
    assert await all_contacts(db, acme) == before


async def test_undo_leaves_alone_what_was_worked_on_since(db: Database, acme: Company) -> None:
    await import_now(db, acme, as_csv(COLUMNS, ["Old", "", "old@x.com", "", "", ""], ["Two", "", "two@x.com", "", "", ""]))
    rows = [[name, "New Ltd", f"{name.lower()}@x.com", "", "", ""] for name in ("Old", "Two", "Edited", "Noted", "Gone", "Plain")]
    done = await import_now(db, acme, as_csv(COLUMNS, *rows))
    people = {person["first_name"]: UUID(person["id"]) for person in await all_contacts(db, acme)}
    async with tenant_tx(db, acme.who()) as tx:
        await contacts.update_contact(tx, people["Edited"], ContactPatch(title="CTO"), None)
        await contacts.update_contact(tx, people["Old"], ContactPatch(title="CEO"), None)
        await contacts.delete_contact(tx, people["Gone"])
        note = Statement(
            "note", "INSERT INTO activities (tenant_id, contact_id, kind, body) VALUES (:tenant_id, :id, 'note', 'x')"
        )
        await tx.execute(note, id=people["Noted"])

    undone = await undo_now(db, acme, done["id"])

    assert undone["kept"] == 3
    left = {person["first_name"]: person["company"] for person in await all_contacts(db, acme)}
    assert left == {"Old": "New Ltd", "Edited": "New Ltd", "Noted": "New Ltd", "Two": ""}


async def test_an_import_can_be_undone_once_and_only_when_it_is_over(db: Database, acme: Company) -> None:
    import_id = await put_file(db, acme.who(), as_csv(COLUMNS, ["A", "", "a@x.com", "", "", ""]))
    with pytest.raises(Conflict, match="still running"):
        await undo_now(db, acme, import_id)
    await running.run_import(Held(db, acme.tenant_id), import_id)
    await undo_now(db, acme, import_id)
    with pytest.raises(Conflict, match="undone already"):
        await undo_now(db, acme, import_id)


async def test_people_see_an_import_begin_go_on_end_and_be_undone(
    db: Database, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH_ROWS", 10)
    monkeypatch.setattr(running, "_PROGRESS_EVERY_S", 0.0)
    done = await import_now(db, acme, as_csv(COLUMNS, *[["A", "", f"a{n}@x.com", "", "", ""] for n in range(30)]))
    await undo_now(db, acme, done["id"])

    async with tenant_tx(db, acme.who()) as tx:
        rows = await tx.conn.fetch("SELECT frame FROM events WHERE tenant_id = $1 ORDER BY seq", acme.tenant_id)
    events = [orjson.loads(row["frame"]) for row in rows]
    assert [event["type"].removeprefix("import.") for event in events] == [
        *("created", "progressed", "progressed", "progressed", "progressed", "completed"),
        *("progressed", "progressed", "progressed", "progressed", "undone"),
    ]
    states = ["queued", *["running"] * 4, "done", *["running"] * 4, "undone"]
    assert [event["data"]["import"]["state"] for event in events] == states
    assert [event["data"]["import"]["processed"] for event in events[:6]] == [0, 0, 10, 20, 30, 30]
    assert {event["subject"]["id"] for event in events} == {done["id"]}


async def test_a_batch_of_progress_is_told_at_most_four_times_a_second(
    db: Database, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH_ROWS", 1)
    monkeypatch.setattr(running, "_PROGRESS_EVERY_S", 3600.0)
    await import_now(db, acme, as_csv(COLUMNS, *[["A", "", f"a{n}@x.com", "", "", ""] for n in range(30)]))
    async with tenant_tx(db, acme.who()) as tx:
        count = "SELECT count(*) FROM events WHERE tenant_id = $1 AND type = 'import.progressed'"
        assert await tx.conn.fetchval(count, acme.tenant_id) == 2
