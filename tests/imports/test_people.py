"""Rows of a batch that share nothing with anybody go the short way; what comes out is what the long way gives."""

from __future__ import annotations

import pickle
from uuid import UUID

from hub.imports.fields import guess_fields
from hub.imports.ids import new_ids
from hub.imports.merging import merge_batch
from hub.imports.people import Batch, People, keys_of, lines_of, make_batch
from hub.imports.rows import BadRow, Row, make_plan, read_row

COLUMNS = ("First Name", "Last Name", "Company", "Title", "Stage", "Email", "Phone", "Mobile", "Tags", "Owner", "City")
OWNER = UUID(int=7)
PLAN = make_plan(COLUMNS, guess_fields(COLUMNS), "US", {"ann": OWNER})
ROWS = [
    ["Ada", "Lovelace", "Engines", "Countess", "New", "Ada@X.com", "415-555-2671", "", "math; poems", "Ann", "London"],
    ["Zoë", "Ångström", "Straße  AG", "", "", "zoe@x.com", "+49 30 901820", "+44 20 7946 0958 x12", "", "", ""],
    ["Bad", "", "", "", "", "", "12", "", "", "", ""],
    ["Bob", "", "", "", "", "bob@x.com; BOB@y.com", "", "", "", "nobody", 'a "quoted"\nCity'],
    ["Countess", "", "", "", "", "ada@x.com", "", "", "", "", ""],
    ["Toll", "Free", "", "", "", "", "800-555-2671", "", "one,two", "", ""],
]


def _rows(cells: list[list[str]]) -> list[Row | BadRow]:
    return [read_row(PLAN, line, row) for line, row in enumerate(cells, 2)]


def _good(rows: list[Row | BadRow]) -> list[Row]:
    return [row for row in rows if isinstance(row, Row)]


def test_rows_come_back_from_their_records_as_they_were() -> None:
    rows = _good(_rows(ROWS))
    people = People()
    for row in rows:
        people.add(row, lines_of(row))

    back = pickle.loads(pickle.dumps(people)).rows()

    for row in rows:
        row.line, row.warnings = 0, []
    assert back == rows


def test_only_rows_that_share_something_are_compared_and_the_file_says_who_comes_first() -> None:
    batch = make_batch(10, _rows(ROWS))

    assert [row.line for row in batch.tangled] == [2, 6]
    assert batch.lines == [3, 5, 7]
    assert (batch.rows, len(batch.bad), batch.warned) == (6, 1, 1)

    bob = UUID(int=1)
    batch.take_out({"bob@y.com": bob})

    assert [row.line for row in batch.tangled] == [2, 5, 6]
    assert batch.lines == [3, 7]
    plain, tangled = batch.share(ids := new_ids(5))
    assert (plain, tangled) == ([ids[1], ids[4]], [ids[0], ids[2], ids[3]])


def test_the_short_way_gives_what_comparing_every_row_gives() -> None:
    rows = _good(_rows(ROWS))
    ids = new_ids(len(rows))
    known = {"zoe@x.com": UUID(int=5)}
    whole = merge_batch(rows, known, {}, ids, "skip")

    batch = make_batch(0, _rows(ROWS))
    batch.take_out(known)
    plain, tangled = batch.share(ids)
    merged = merge_batch(batch.tangled, known, {}, tangled, "skip")
    for draft in merged.drafts:
        batch.plain.add(draft, draft.phones)

    everybody = People()
    for draft in whole.drafts:
        everybody.add(draft, draft.phones)
    assert len(plain) + merged.created == whole.created
    assert (merged.updated, merged.skipped) == (whole.updated, whole.skipped)
    assert sorted(batch.plain.own, key=repr) == sorted(everybody.own, key=repr)
    assert sorted(batch.plain.terms) == sorted(everybody.terms)
    assert {draft.id for draft in merged.drafts} | set(plain) == {draft.id for draft in whole.drafts}


def test_nobody_is_taken_out_when_nobody_is_known() -> None:
    batch = make_batch(0, _rows(ROWS))
    before = batch.plain

    batch.take_out({})

    assert batch.plain is before
    assert Batch(3).rows == 0
    assert keys_of(batch.tangled[0]) == ["ada@x.com", "+14155552671"]
