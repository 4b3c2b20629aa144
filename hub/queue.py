"""How jobs travel: names and encoding shared by those who enqueue and those who work.

What is due now is put on a list, the ring, where a waiting worker has it at once; what is due later goes through arq.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson

QUEUE = "ringside:jobs"
RING = "ringside:ring"
# More are cut off at the front: with this many waiting nobody works, and the ledger has them all.
RING_LENGTH = 100_000
RUN_JOB = "run_job"


def arq_id(job_id: UUID, attempt: int) -> str:
    """The id of one attempt. Each attempt has its own, because arq refuses an id whose result it still keeps."""
    return f"{job_id}:{attempt}"


def encode_ring(tenant_id: UUID, job_id: UUID) -> bytes:
    """An entry of the ring: the two ids."""
    return tenant_id.bytes + job_id.bytes


def decode_ring(entry: bytes) -> tuple[UUID, UUID]:
    """The tenant and the job of an entry. Raises ValueError for anything else."""
    return UUID(bytes=entry[:16]), UUID(bytes=entry[16:])


def serialize(value: dict[str, Any]) -> bytes:
    """JSON. arq's default is pickle, which lets whoever can write to Redis run code in the worker."""
    return orjson.dumps(value, default=str)


def deserialize(data: bytes) -> dict[str, Any]:
    """The reverse of `serialize`. Raises ValueError for anything that is not a JSON object."""
    value = orjson.loads(data)
    if not isinstance(value, dict):
        raise ValueError("a job should be a JSON object")
    return value
