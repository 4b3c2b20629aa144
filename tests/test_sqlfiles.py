"""The named statements: parameters, optional lines, fragments."""

from __future__ import annotations

import pytest

from hub.sqlfiles import SQL_DIR, Statement, load_sql


def test_parameters_are_numbered_in_the_order_they_come_and_each_once() -> None:
    statement = Statement("t", "SELECT :b, :a, :b::text, a::int FROM x WHERE c = :a")
    assert statement.compile({}) == ("SELECT $1, $2, $1::text, a::int FROM x WHERE c = $2", ("b", "a"))


@pytest.mark.parametrize("text", ["x::int", "'12:30'", "a :: text", "ARRAY[1:2]", "'http://x'", "'::'"])
def test_what_only_looks_like_a_parameter_stays(text: str) -> None:
    assert Statement("t", f"SELECT {text}").compile({}) == (f"SELECT {text}", ())


def test_a_line_that_is_not_asked_for_is_not_there() -> None:
    statement = Statement("t", "SELECT 1 FROM x\nWHERE a = :a\n--? b   AND b = :b\n--? wide AND c > 0\nLIMIT :n")
    assert statement.compile({"a": 1, "n": 2}) == ("SELECT 1 FROM x\nWHERE a = $1\nLIMIT $2", ("a", "n"))
    assert statement.compile({"b": 3})[0] == "SELECT 1 FROM x\nWHERE a = $1\nAND b = $2\nLIMIT $3"
    assert statement.compile({"b": None, "wide": False}) == statement.compile({})
    assert statement.compile({"wide": True})[0].count("c > 0") == 1
    # Nothing and false are different from zero and the empty text, which are values.
    assert "b = $2" in statement.compile({"b": 0})[0]
    assert "b = $2" in statement.compile({"b": ""})[0]


def test_the_first_comment_says_what_a_statement_is_for() -> None:
    statement = Statement("t", "-- What it is for.\n-- And more.\nSELECT 1")
    assert (statement.doc, statement.compile({})) == ("What it is for.", ("SELECT 1", ()))


def test_every_statement_compiles_and_no_fragment_is_left() -> None:
    features = sorted(path.stem for path in (SQL_DIR / "queries").glob("*.sql"))
    assert len(features) > 8
    for feature in features:
        for name, statement in load_sql(feature).items():
            sql, names = statement.compile({})
            assert "{{" not in sql, (feature, name)
            assert len(set(names)) == len(names)
            assert sql.split(None, 1)[0] in ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH"), (feature, name)


def test_a_feature_without_statements_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        load_sql("nothing")
