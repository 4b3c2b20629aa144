"""Rows become contacts."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.imports.fields import FIELDS, guess_fields
from hub.imports.rows import BadRow, Row, choose_fields, make_plan, read_row, split_name

ANN = UUID(int=1)


def read(columns: dict[str, str], region: str = "US", **mapping: str | None) -> Row | BadRow:
    fields = choose_fields(list(columns), mapping)
    owners = {"ann@acme.test": ANN, "ann lee": ANN}
    return read_row(make_plan(list(columns), fields, region, owners), 2, list(columns.values()))


def good(columns: dict[str, str], region: str = "US", **mapping: str | None) -> Row:
    row = read(columns, region, **mapping)
    assert isinstance(row, Row), row
    return row


def bad(columns: dict[str, str]) -> str:
    row = read(columns)
    assert isinstance(row, BadRow)
    return row.reason


def numbers(row: Row) -> list[tuple[str, str]]:
    return [(phone.e164, label) for phone, label in row.phones]


def test_a_number_is_read_with_its_country_code_then_in_the_region_then_in_the_rows_country() -> None:
    row = good({"Phone 1": "0044 20 7946 0018", "Phone 2": "(415) 555-0100", "Phone 3": "030 901820", "Country": "Germany"})
    assert numbers(row) == [("+442079460018", "work"), ("+14155550100", "work"), ("+4930901820", "work")]
    assert row.custom == {"Country": "Germany"}


def test_a_wrong_number_beside_a_good_address_is_kept_and_told() -> None:
    row = good({"Email": "a@x.com", "Phone 2": "394-387-5749"})
    assert row.custom == {"Phone 2 (not valid)": "394-387-5749"}
    assert row.warnings == ["Phone 2: '394-387-5749' is not a number that exists in US (+1)."]


def test_a_row_without_any_valid_number_or_address_says_why() -> None:
    said = bad({"First Name": "Ann", "Phone": "12", "Email": "ann(at)x.com"})
    assert "no valid telephone number or email address" in said
    assert "Phone: '12'" in said
    assert "Email: 'ann(at)x.com'" in said


def test_labels_come_from_the_columns_names_or_from_the_columns_beside_them() -> None:
    row = good({"Mobile Phone": "4155550100", "Phone 1 - Label": "Home", "Phone 1 - Value": "4155550101 ::: 4155550102"})
    assert numbers(row) == [("+14155550100", "mobile"), ("+14155550101", "home"), ("+14155550102", "home")]
    row = good({"E-mail 1 - Type": "* Home", "E-mail 1 - Value": "a@x.com", "E-mail 2 - Type": "", "E-mail 2 - Value": "b@x.com"})
    assert row.emails == [("a@x.com", "home"), ("b@x.com", "work")]


def test_several_addresses_in_a_cell_are_all_taken_once() -> None:
    row = good({"Email": "Ann Lee <a@x.com>", "Additional email addresses": "b@X.com;A@x.com, nonsense@"})
    assert row.emails == [("a@x.com", "work"), ("b@x.com", "work")]
    assert row.custom == {"Additional email addresses (not valid)": "nonsense@"}


def test_names_are_split() -> None:
    assert split_name("Ada Lovelace") == ("Ada", "Lovelace")
    assert split_name("Lovelace, Ada King") == ("Ada King", "Lovelace")
    assert split_name("Ludwig van Beethoven") == ("Ludwig", "van Beethoven")
    assert split_name("Plato") == ("Plato", "")
    row = good({"Name": "Ada King Lovelace", "Email": "a@x.com"})
    assert (row.first_name, row.last_name) == ("Ada King", "Lovelace")


def test_of_two_columns_for_one_field_the_first_that_is_filled_wins_and_the_other_is_kept() -> None:
    row = good({"A": "", "B": "Acme", "C": "Globex", "Email": "a@x.com"}, A="company", B="company", C="company")
    assert row.company == "Acme"
    assert row.custom == {"C": "Globex"}


def test_owners_are_found_by_name_or_address_and_unknown_ones_are_kept() -> None:
    assert good({"Email": "a@x.com", "Owner": "Ann@Acme.test"}).owner_id == ANN
    assert good({"Email": "a@x.com", "Lead Owner": "Ann  LEE"}).owner_id == ANN
    row = good({"Email": "a@x.com", "Lead Owner": "Bob Ross"})
    assert row.owner_id is None
    assert row.custom == {"Lead Owner": "Bob Ross"}
    assert row.warnings == ["Lead Owner: nobody here is called 'Bob Ross'; kept as a custom field."]


def test_tags_are_split_and_everything_else_is_custom() -> None:
    row = good({"Email": "a@x.com", "Tags": "vip; East,VIP", "Website": "http://x.com", "Empty": " "})
    assert row.tags == ["vip", "East"]
    assert row.custom == {"Website": "http://x.com"}


def test_a_column_can_be_left_out() -> None:
    assert good({"Email": "a@x.com", "Secret": "x"}, Secret="ignore").custom == {}


def test_ragged_rows() -> None:
    plan = make_plan(["Email", "City"], guess_fields(["Email", "City"]), "US", {})
    short = read_row(plan, 2, ["a@x.com"])
    assert isinstance(short, Row)
    assert short.warnings == ["This row has only 1 of the 2 cells; the others were taken as empty."]
    assert isinstance(read_row(plan, 2, ["a@x.com", "b", "", " "]), Row)
    long = read_row(plan, 2, ["a@x.com", "b", "c"])
    assert isinstance(long, BadRow)
    assert "has 3 cells, the header has 2" in long.reason


def test_nul_and_overlong_cells_are_bad_rows() -> None:
    assert bad({"Email": "a@x.com", "City": "Ber\x00lin"}) == "City contains a NUL character, which no text here can hold."
    assert bad({"Email": "a@x.com", "Company": "x" * 201}) == "The company has 201 characters; at most 200 are taken."
    assert bad({"Email": "a@x.com", "Notes": "x" * 5001}) == "Notes has 5,001 characters; at most 5,000 are taken."


names = st.sampled_from(
    ["Email", "Phone 1", "Phone 2", "Mobile", "Name", "First Name", "Tags", "Owner", "Country", "Notes", "Stage", "X"]
)
cell = st.one_of(
    st.text(max_size=30),
    st.from_regex(r"[+0-9 ().x-]{5,20}", fullmatch=True),
    st.emails(),
    st.sampled_from(["Germany", "a@x.com; b@y.org", "+1 415 555 0100", "=1+1", "<>@<>", "'+14155550100"]),
)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(names, min_size=1, max_size=8, unique=True),
    st.lists(cell, max_size=10),
    st.dictionaries(names, st.one_of(st.none(), st.sampled_from(list(FIELDS))), max_size=3),
)
def test_no_cells_crash_the_rules_and_nothing_is_lost(
    columns: list[str], cells: list[str], mapping: dict[str, str | None]
) -> None:
    row = read_row(make_plan(columns, choose_fields(columns, mapping), "US", {}), 2, cells)
    if isinstance(row, BadRow):
        assert row.reason
        assert row.cells == cells
    else:
        assert row.emails or row.phones
