"""Nothing that somebody typed can become SQL: statements are files, and none is put together from pieces in Python."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ASKS = {"fetch", "fetchrow", "fetchval", "execute", "executemany", "cursor", "prepare", "copy_from_query"}
# Where a statement is not one text, and why that is all right.
KNOWN = {
    "hub/db.py": "BEGIN with the ids of a verified token, which are UUID objects",
    "hub/migrate.py": "the name of the database, quoted by Postgres, as its owner",
}


def put_together(source: str) -> Iterator[int]:
    """The lines on which SQL is asked for by a text that is formatted or added up."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ASKS and node.args:
            first = node.args[0]
            formatted = (
                isinstance(first, ast.Call) and isinstance(first.func, ast.Attribute) and first.func.attr in ("format", "join")
            )
            if isinstance(first, ast.JoinedStr | ast.BinOp) or formatted:
                yield node.lineno


def modules() -> list[Path]:
    return [path for folder in ("hub", "workers") for path in sorted((ROOT / folder).rglob("*.py"))]


def test_no_statement_is_put_together_from_pieces() -> None:
    found = {str(path.relative_to(ROOT)): list(put_together(path.read_text(encoding="utf-8"))) for path in modules()}
    assert {name for name, lines in found.items() if lines} <= set(KNOWN)


@pytest.mark.parametrize(
    "bad", ['c.fetch(f"SELECT {x}")', 'c.execute("SELECT " + x)', 'c.fetchval("%s" % x)', 'c.fetch("{}".format(x))']
)
def test_what_is_put_together_is_found(bad: str) -> None:
    assert list(put_together(bad)) == [1]
    assert list(put_together('c.fetch("SELECT $1", x)')) == []
