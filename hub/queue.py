"""How jobs travel through arq: names and encoding shared by those who enqueue and those who work."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson

QUEUE = "ringside:jobs"
RUN_JOB = "run_job"


def arq_id(job_id: UUID, attempt: int) -> str:
    """The id of one attempt. Each attempt has its own, because arq refuses an id whose result it still keeps."""
    return f"{job_id}:{attempt}"


def serialize(value: dict[str, Any]) -> bytes:
    """JSON. arq's default is pickle, which lets whoever can write to Redis run code in the worker."""
    return orjson.dumps(value, default=str)


def deserialize(data: bytes) -> dict[str, Any]:
    """The reverse of `serialize`. Raises ValueError for anything that is not a JSON object."""
    value = orjson.loads(data)
    if not isinstance(value, dict):
        raise ValueError("a job should be a JSON object")
    return value
