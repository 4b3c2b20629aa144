"""The isolation canaries try each other; what they find stops readiness."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets

from hub.canary.looking import SHARES, Tools, look, write_down
from hub.redis import new_client
from workers.cron import duty
from workers.job import Deps

# A duty's transaction is open while it lasts, and Postgres ends one that idles for a minute.
_LONGEST_S = 45.0
# Each worker begins somewhere, so that together they are through sooner.
_turns = itertools.count(secrets.randbelow(2 * SHARES))


@duty(every_s=45.0, jitter_s=30.0)
async def try_isolation(deps: Deps) -> None:
    """One turn of the canaries, every minute or so."""
    if not deps.settings.canary_url:
        return
    redis = new_client(deps.settings.redis_url)
    async with contextlib.aclosing(redis):
        async with asyncio.timeout(_LONGEST_S):
            seen = await look(Tools(deps.db, deps.settings, redis, deps.objects), turn=next(_turns))
        await write_down(deps.db, seen)
