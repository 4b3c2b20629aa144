"""Reading files as they come."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.imports.reading import NotCsv, Shape, encoding_of, encoding_of_head, header, read_head, records, survey

NAMES = {
    "utf-8": "Jürgen;Straße\nŁukasz;山田太郎\n",
    "utf-8-sig": "Jürgen;Straße\nŁukasz;山田太郎\n",
    "utf-16": "Jürgen;Straße\nŁukasz;山田太郎\n",
    "cp1252": "Jürgen;Müller\nÉlodie;Garçon\nSeñor;Peña\nSøren;Åse\n",
    "cp1250": "Žaneta;Dvořáková\nŁukasz;Wiśniewski\nJiří;Kovář\nGyőri;Erzsébet\n",
    "cp1251": "Иван;Петров\nМария;Иванова\n",
    "cp1254": "Ayşe;Yılmaz\nGökhan;Öztürk\nÇağla;Şahin\n",
    "cp932": "山田太郎;株式会社テスト\n鈴木花子;日本語の会社\n",
    "mac_roman": "Jürgen;Müller Straße\nÉlodie;Garçon Orléans\n",
}


@pytest.mark.parametrize("encoding", NAMES)
def test_a_file_is_read_in_the_encoding_it_was_written_in(encoding: str) -> None:
    text = "First Name;Last Name\n" + NAMES[encoding] + "john;smith\n" * 50
    data = text.encode(encoding)

    found = survey(io.BytesIO(data), 1000)

    rows = [cells for _, cells, _ in records(io.BytesIO(data), found.shape)]
    assert rows == [line.split(";") for line in text.splitlines()]


def test_utf16_without_a_mark_is_recognised() -> None:
    assert encoding_of_head("Name,Email\nJürgen,j@x.com\n".encode("utf-16-le")) == "utf-16-le"
    assert encoding_of_head("Name,Email\nJürgen,j@x.com\n".encode("utf-16-be")) == "utf-16-be"


def test_a_head_cut_in_the_middle_of_a_character_is_still_utf8() -> None:
    data = "Name,Email\nJürgen,j@x.com\nMüller,".encode()
    assert read_head(data[: data.rindex(b"\xbc")])[0].encoding == "utf-8"


def test_a_file_that_is_utf8_only_in_its_beginning_is_not_utf8() -> None:
    data = b"Name;Ort\n" + b"John;Town\n" * 200_000 + "Jürgen;Köln\n".encode("cp1252") * 20
    assert encoding_of_head(data[:262144]) == "utf-8"
    assert encoding_of(io.BytesIO(data)) == "cp1252"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_also_when_others_stand_in_the_cells(delimiter: str) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([["Name", "Notes", "Email"], ["Ann; Lee", "a, b, c | d", "a@x.com"]] * 5)
    assert read_head(out.getvalue().encode())[0].delimiter == delimiter


def test_the_line_that_excel_puts_first_names_the_delimiter_and_is_no_row() -> None:
    shape, columns, rows = read_head(b"sep=;\r\nName;Email\r\nAnn;a@x.com\r\n", final=True)
    assert (shape.delimiter, columns, len(rows)) == (";", ("Name", "Email"), 1)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_any_way_and_quoted_cells_may_hold_line_ends(end: str) -> None:
    text = end.join(["Name,Notes", f'Ann,"two{end}lines"', "Bob,one", ""])
    rows = list(records(io.BytesIO(text.encode()), Shape("utf-8", ",")))
    assert [cells for _, cells, _ in rows] == [["Name", "Notes"], ["Ann", f"two{end}lines"], ["Bob", "one"]]
    assert [line for line, _, _ in rows] == [1, 2, 4]


def test_a_quotation_mark_that_is_never_closed_costs_only_its_own_row() -> None:
    data = b'Name,Email\nAnn,a@x.com\nBob,"b@x.com\nCid,c@x.com\nDan,d@x.com\n'
    rows = list(records(io.BytesIO(data), Shape("utf-8", ",")))
    assert [(line, cells[0]) for line, cells, why in rows if not why] == [(1, "Name"), (2, "Ann"), (4, "Cid"), (5, "Dan")]
    assert [(line, why) for line, _, why in rows if why] == [(3, "A quotation mark is opened in this row and never closed.")]


def test_a_lost_quotation_mark_far_from_the_end_does_not_swallow_the_file() -> None:
    data = b'Name,Email\n"Bob,b@x.com\n' + b"Ann,a@x.com\n" * 100_000
    rows = list(records(io.BytesIO(data), Shape("utf-8", ",")))
    assert len(rows) == 100_002
    assert [line for line, _, why in rows if why] == [2]


def test_a_huge_field_is_one_bad_row() -> None:
    data = b"Name,Email\nAnn,a@x.com\n" + b"x" * 3_000_000 + b",b@x.com\nCid," + b"y" * 200_000 + b"\nDan,d@x.com\n"
    rows = list(records(io.BytesIO(data), Shape("utf-8", ",")))
    assert [cells[0] for _, cells, why in rows if not why] == ["Name", "Ann", "Dan"]
    assert [(line, why) for line, _, why in rows if why] == [
        (3, "This line has more than 500,000 characters."),
        (4, "A field of this row has more than 131,072 characters."),
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\n\n", "empty"),
        (b"PK\x03\x04" + b"\x00" * 100, "save it as CSV"),
        (b"\xd0\xcf\x11\xe0" + b"\x00" * 100, "save it as CSV"),
        (b"%PDF-1.7 ...", "a PDF"),
        (bytes(range(256)) * 40, "binary"),
        (b'{"contacts": []}', "JSON"),
        (b"<!DOCTYPE html><html>", "a web page"),
    ],
)
def test_what_is_no_csv_is_named(data: bytes, said: str) -> None:
    with pytest.raises(NotCsv, match=said):
        read_head(data, final=True)


def test_a_file_with_too_many_rows_is_refused_in_words() -> None:
    with pytest.raises(NotCsv, match="more than 10 rows"):
        survey(io.BytesIO(b"Email\n" + b"a@x.com\n" * 11), 10)
    assert survey(io.BytesIO(b"Email\n" + b"a@x.com\n" * 10), 10).rows == 10


def test_columns_get_names_that_differ() -> None:
    assert header(["Email", " ", "email", "Email"]) == ("Email", "Column 2", "email (2)", "Email (3)")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=2000))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    try:
        found = survey(io.BytesIO(data), 1000)
    except NotCsv:
        return
    rows = list(records(io.BytesIO(data), found.shape))
    assert len(rows) == found.rows + 1
    assert len({line for line, _, _ in rows}) == len(rows)


cell = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(cell, min_size=2, max_size=4).filter(any), max_size=8), st.sampled_from([",", ";", "\t", "|"]))
def test_what_was_written_is_read_back(rows: list[list[str]], delimiter: str) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([["a", "b"], *rows])
    read = list(records(io.BytesIO(out.getvalue().encode()), Shape("utf-8", delimiter)))
    assert [cells for _, cells, _ in read] == [["a", "b"], *rows]
