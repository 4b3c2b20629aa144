"""Keyset paging: an opaque cursor holds the sort and the last row's key; the next page starts after it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field

from hub.errors import Invalid

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
# Times beyond these are nobody's, and some of them are no time any more once they are brought to UTC.
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)


class PageQuery(BaseModel):
    """The paging parameters every list takes."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="How many rows at the most.")] = DEFAULT_LIMIT
    cursor: Annotated[str | None, Field(max_length=2000, description="next_cursor of the page before.")] = None


@dataclass(frozen=True, slots=True)
class After:
    """Where a page starts: after this key (as text) and id."""

    key: str
    id: UUID

    def moment(self) -> datetime:
        """The key of a list that is sorted by time."""
        try:
            moment = datetime.fromisoformat(self.key)
        except ValueError:
            raise _not_ours() from None
        if moment.tzinfo is None or not EARLIEST <= moment <= LATEST:
            raise _not_ours()
        return moment


def _not_ours() -> Invalid:
    return Invalid.field("cursor", "This cursor is not one of ours. Pass next_cursor of the page before, unchanged.")


def read_cursor(cursor: str | None, sort: str) -> After | None:
    """The position in a cursor that was made for the same sort.

    Raises Invalid for anything that this server did not make, or made for another sort.
    """
    if cursor is None:
        return None
    try:
        made_for, key, row_id = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        after = After(str(key), UUID(str(row_id)))
    except (ValueError, TypeError):
        raise _not_ours() from None
    if made_for != sort or "\x00" in after.key:
        raise Invalid.field("cursor", "This cursor belongs to another sort order. Start again without it.")
    return after


def write_cursor(sort: str, key: str, row_id: UUID | str) -> str:
    """The cursor of the page after this row."""
    return base64.urlsafe_b64encode(orjson.dumps([sort, key, str(row_id)])).rstrip(b"=").decode()


def page(rows: Sequence[Any], limit: int, sort: str) -> str:
    """The JSON of a page. Rows have `json`, `key` and `id`; there is one more than `limit` when more follow."""
    shown = rows[:limit]
    cursor = "null"
    if len(rows) > limit and shown:
        cursor = '"' + write_cursor(sort, shown[-1]["key"], shown[-1]["id"]) + '"'
    return '{"data":[' + ",".join([row["json"] for row in shown]) + '],"next_cursor":' + cursor + "}"
