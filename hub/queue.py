"""How jobs travel: names, encoding and the scripts shared by those who enqueue and those who work.

What is due now is put on its company's own list, its ring, and the companies that have something there take turns: a worker that
waits has the job at once, and whoever queued a hundred thousand jobs delays nobody but themselves. What is due later goes
through arq, which keeps the clock and then puts it on the ring.

All keys carry one hash tag, so that they lie in one slot of a Redis Cluster and the scripts may touch them together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

QUEUE = "{ringside}:jobs"
# The companies that have something on their ring, each once, whose turn is next in front.
TURNS = "{ringside}:turns"
# Rings when a company comes to the turns: a stream of one entry, which all workers hear and none takes from the others.
BELL = "{ringside}:bell"
_RING = "{ringside}:ring:"
# What comes after these is left to the ledger, which has them all: a worker's sweep fills a ring that ran empty.
RING_LENGTH = 20_000
# Entries of one call; a script can't unpack much more than 7,000.
PUSHED_AT_ONCE = 1000
RUN_JOB = "run_job"

# KEYS: turns, the company's ring, the bell. ARGV: company, the ring's length at most, "1" to fill only an empty ring, entries.
_PUSH = """
local waiting = redis.call('LLEN', KEYS[2])
if ARGV[3] == '1' and waiting > 0 then return 0 end
local last = math.min(#ARGV, 3 + tonumber(ARGV[2]) - waiting)
if last > 3 then redis.call('RPUSH', KEYS[2], unpack(ARGV, 4, last)) end
if waiting == 0 or redis.call('EXISTS', KEYS[1]) == 0 then
    redis.call('RPUSH', KEYS[1], ARGV[1])
    redis.call('XADD', KEYS[3], 'MAXLEN', 1, '*', '', '')
end
return last - 3
"""

# KEYS: turns. ARGV: a ring's name without its company, free slots, spare slots, how many fresh jobs a company may have (0: any
# number), then companies, how many slots each holds, and how many of them for fresh jobs.
# Whoever of those in front holds the fewest is next; one more than there are holders suffices to find one that holds none.
# The rings' names are made here because nobody knows them before; they are in the slot of the key that is declared.
_POP = """
local free, spare, share, held, fresh = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), {}, {}
local holders, taken = 0, {}
for i = 5, #ARGV, 3 do
    held[ARGV[i]] = tonumber(ARGV[i + 1])
    fresh[ARGV[i]] = tonumber(ARGV[i + 2])
    holders = holders + 1
end
while free > 0 or spare > 0 do
    local chosen
    for _, company in ipairs(redis.call('LRANGE', KEYS[1], 0, holders)) do
        local may = share == 0 or (fresh[company] or 0) < share
        if may and (not chosen or (held[company] or 0) < (held[chosen] or 0)) then chosen = company end
    end
    if not chosen or (free <= 0 and held[chosen]) then break end
    redis.call('LREM', KEYS[1], 1, chosen)
    local ring = ARGV[1] .. chosen
    local job = redis.call('LPOP', ring)
    if job then
        if redis.call('EXISTS', ring) == 1 then redis.call('RPUSH', KEYS[1], chosen) end
        taken[#taken + 1] = chosen
        taken[#taken + 1] = job
        if not held[chosen] then held[chosen] = 0; holders = holders + 1 end
        held[chosen] = held[chosen] + 1
        fresh[chosen] = (fresh[chosen] or 0) + 1
        if free > 0 then free = free - 1 else spare = spare - 1 end
    end
end
return taken
"""


def arq_id(job_id: UUID, attempt: int) -> str:
    """The id of one attempt. Each attempt has its own, because arq refuses an id whose result it still keeps."""
    return f"{{ringside}}{job_id}:{attempt}"


def ring_key(tenant_id: UUID) -> str:
    """The list of one company's jobs that are due now."""
    return f"{_RING}{tenant_id}"


def push_command(tenant_id: UUID, job_ids: Sequence[UUID], *, only_if_empty: bool = False) -> tuple[Any, ...]:
    """The command that puts jobs (at most PUSHED_AT_ONCE) on their company's ring; it answers for how many there was room."""
    entries = [job_id.bytes for job_id in job_ids]
    keys = (TURNS, ring_key(tenant_id), BELL)
    return ("EVAL", _PUSH, len(keys), *keys, str(tenant_id), RING_LENGTH, int(only_if_empty), *entries)


def pop_command(
    *, free: int, spare: int, held: Mapping[UUID, int], share: int = 0, fresh: Mapping[UUID, int] | None = None
) -> tuple[Any, ...]:
    """The command that takes as many jobs as there are slots, fairly; `decode_popped` reads its answer.

    free: slots for anybody. spare: slots for companies that hold none. held: how many slots each company holds here.
    share: how many fresh jobs a company may have under way, 0 for as many as there are slots. fresh: how many of `held` are such.
    """
    began = fresh or {}
    holding = [item for tenant_id, count in held.items() for item in (str(tenant_id), count, began.get(tenant_id, 0))]
    return ("EVAL", _POP, 1, TURNS, _RING, free, spare, share, *holding)


def wait_command(heard: bytes, within_s: float) -> tuple[Any, ...]:
    """The command that waits, no longer than this, until the bell rings again; `decode_rung` reads its answer.

    heard: what was last heard of it, b"0" at first; whoever rang since then need not ring again.
    """
    return ("XREAD", "BLOCK", round(within_s * 1000), "STREAMS", BELL, heard)


def decode_rung(answer: Sequence[Any]) -> bytes | None:
    """What the next wait has heard; None when nobody rang."""
    return answer[0][1][-1][0] if answer else None


def decode_popped(answer: Sequence[bytes]) -> dict[UUID, list[UUID]]:
    """The jobs by company, the first first. What is no entry of a ring is left out."""
    popped: dict[UUID, list[UUID]] = {}
    for company, entry in zip(answer[::2], answer[1::2], strict=False):
        try:
            tenant_id, job_id = UUID(company.decode()), UUID(bytes=bytes(entry))
        except ValueError:
            continue
        popped.setdefault(tenant_id, []).append(job_id)
    return popped


def serialize(value: dict[str, Any]) -> bytes:
    """JSON. arq's default is pickle, which lets whoever can write to Redis run code in the worker."""
    return orjson.dumps(value, default=str)


def deserialize(data: bytes) -> dict[str, Any]:
    """The reverse of `serialize`. Raises ValueError for anything that is not a JSON object."""
    value = orjson.loads(data)
    if not isinstance(value, dict):
        raise ValueError("a job should be a JSON object")
    return value
