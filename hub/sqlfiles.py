"""Named SQL statements, loaded from sql/queries/<feature>.sql.

A file is a row of blocks: `-- name: list_contacts`, one plain comment, the statement with `:named` parameters.
A line `--? flag  SQL` belongs to the statement only when the parameter or flag `flag` is given (not None, not False),
so a filter that is not asked for costs nothing and hides no index. `-- fragment: name` blocks are spliced in by `{{name}}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

SQL_DIR = Path(__file__).resolve().parent.parent / "sql"

_BLOCK = re.compile(r"^-- (name|fragment): *(\w+) *$", re.MULTILINE)
_PARAM = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")
_OPTIONAL = re.compile(r"^\s*--\? *(\w+) +(.*)$")
_SPLICE = re.compile(r"\{\{(\w+)\}\}")


class Statement:
    """One named statement. `compile` gives the SQL with $n and the parameter names in their order."""

    __slots__ = ("_cache", "_flags", "_lines", "doc", "name")

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.doc = ""
        self._lines: list[tuple[str | None, str]] = []
        for line in text.strip().splitlines():
            optional = _OPTIONAL.match(line)
            if optional:
                self._lines.append((optional.group(1), optional.group(2)))
            elif line.startswith("-- "):
                self.doc = self.doc or line[3:].strip()
            else:
                self._lines.append((None, line))
        self._flags = tuple(dict.fromkeys(flag for flag, _ in self._lines if flag))
        self._cache: dict[tuple[bool, ...], tuple[str, tuple[str, ...]]] = {}

    def compile(self, params: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
        """The SQL for these parameters (only their presence matters) and the order of its arguments."""
        # By identity: 0 equals False, and is a value all the same.
        given = tuple(params.get(flag) is not None and params.get(flag) is not False for flag in self._flags)
        found = self._cache.get(given)
        if found is None:
            found = self._cache[given] = self._render(dict(zip(self._flags, given, strict=True)))
        return found

    def _render(self, given: Mapping[str, bool]) -> tuple[str, tuple[str, ...]]:
        sql = "\n".join(line for flag, line in self._lines if flag is None or given[flag])
        names: list[str] = []

        def number(match: re.Match[str]) -> str:
            if match.group(1) not in names:
                names.append(match.group(1))
            return f"${names.index(match.group(1)) + 1}"

        return _PARAM.sub(number, sql), tuple(names)


@lru_cache(maxsize=1)
def _all_blocks() -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    statements: dict[str, dict[str, str]] = {}
    fragments: dict[str, str] = {}
    for path in sorted((SQL_DIR / "queries").glob("*.sql")):
        parts = _BLOCK.split(path.read_text(encoding="utf-8"))
        for kind, name, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
            target = fragments if kind == "fragment" else statements.setdefault(path.stem, {})
            if name in target:
                raise RuntimeError(f"{path.name}: {name} is defined twice")
            target[name] = text
    return statements, fragments


@lru_cache(maxsize=64)
def load_sql(feature: str) -> dict[str, Statement]:
    """The statements of sql/queries/<feature>.sql by name."""
    statements, fragments = _all_blocks()

    def splice(text: str) -> str:
        while _SPLICE.search(text):
            text = _SPLICE.sub(lambda m: _without_comments(fragments[m.group(1)]), text)
        return text

    return {name: Statement(name, splice(text)) for name, text in statements[feature].items()}


def _without_comments(text: str) -> str:
    return "\n".join(line for line in text.strip().splitlines() if not line.startswith("-- "))
