"""`ringside doctor --isolation`: a whole look now, on the screen, and what was open is cleared when nothing is found any more."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hub.canary.attempts import Attempt, Look
from hub.canary.looking import Tools, clear, look, write_down
from hub.config import Settings
from hub.db import Database
from hub.hints import RedisHints
from hub.redis import new_client
from integrations.objects import open_objects

_MARKS = {"closed": "[green]✓[/]", "open": "[red]✗[/]", "unchecked": "[yellow]![/]"}


async def examine(settings: Settings) -> tuple[Look, int]:
    """Try everything, write it down, and clear what was open if nothing was found and nothing left out; how much was cleared.

    Raises OSError, asyncpg errors or HubError when Postgres does not answer.
    """
    async with contextlib.AsyncExitStack() as stack:
        # Hints as the hubs and the workers give them, for what is said over Redis is tried, too.
        hints = RedisHints(settings.redis_url)
        await hints.start()
        stack.push_async_callback(hints.stop)
        db = await Database.open(settings.database_url, notifier=hints, max_size=3, name="ringside doctor")
        stack.push_async_callback(db.close)
        redis = new_client(settings.redis_url)
        stack.push_async_callback(redis.aclose)
        objects = open_objects(settings.objects, settings.s3) if settings.objects else None
        seen = await look(Tools(db, settings, redis, objects))
        await write_down(db, seen)
        return seen, await clear(db) if seen.is_whole and not seen.breaches else 0


def as_json(seen: Look, cleared: int) -> dict[str, Any]:
    """The look for programs."""
    state = "open" if seen.breaches else "closed" if seen.is_whole else "unchecked"
    return {"state": state, "cleared": cleared, "attempts": [asdict(one) for one in seen.attempts]}


def show(seen: Look, cleared: int) -> None:
    """The look for people."""
    console = Console(highlight=False)
    table = Table("", "layer", "what was tried", "what came back", pad_edge=False)
    for one in _summed(seen.attempts):
        table.add_row(_MARKS[one.verdict], one.layer, escape(one.tried), escape(one.came_back))
    console.print(table)
    counts = Table("layer", "tried", "closed", "open", "left out", pad_edge=False)
    for layer, by in seen.by_layer().items():
        counts.add_row(layer, str(by.total()), str(by["closed"]), str(by["open"]), str(by["unchecked"]))
    console.print(counts)
    if seen.breaches:
        ways = f"{len(seen.breaches)} way{'s' if len(seen.breaches) > 1 else ''}"
        console.print(f"\n[red]{ways} from one company into another.[/] /readyz answers 503 until a run finds none.")
    elif not seen.is_whole:
        console.print(f"\nNothing came through, but {len(seen.unchecked)} could not be tried: is a hub running where they ask?")
    else:
        console.print(f"\nNothing came through in {len(seen.attempts)} attempts.")
    if cleared:
        console.print(f"{cleared} that had been found before {'are' if cleared > 1 else 'is'} cleared: the hubs are ready again.")


def _summed(attempts: Iterable[Attempt]) -> list[Attempt]:
    """One line for each kind of statement that was refused everywhere; everything else as it is."""
    rows: list[Attempt] = []
    kinds: Counter[tuple[str, str]] = Counter()
    for one in attempts:
        kind = _kind(one)
        if kind is not None and one.verdict == "closed":
            kinds[one.layer, kind] += 1
        else:
            rows.append(one)
    return [Attempt(layer, kind, f"refused or empty, {count} times", "closed") for (layer, kind), count in kinds.items()] + rows


def _kind(one: Attempt) -> str | None:
    """What it has in common with hundreds of others, one for each table or function."""
    verb = one.tried.partition(" ")[0]
    if one.layer == "functions":
        return "functions with others' rights, given the other's words and ids"
    if one.tried.endswith("without a context"):
        return "SELECT without a context"
    if verb == "UPDATE" and one.layer == "sql":
        return "UPDATE: the other's rows, one's own made the other's, one's own pointed at the other's"
    kinds = {"SELECT": "SELECT the other's rows", "INSERT": "INSERT rows for the other"}
    return (kinds | {"DELETE": "DELETE the other's rows"}).get(verb) if one.layer == "sql" else None
