"""What happens to jobs that a manager should see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from uuid import UUID

import orjson

from hub.events import MANAGERS, Event, declare
from hub.jobs.models import JobData


@dataclass(frozen=True, slots=True)
class JobEvent(Event):
    """The root of the events about a job; only managers see them."""

    subject_kind = "job"
    data_model = JobData

    @classmethod
    def of(cls, job_id: UUID, json: str) -> Self:
        """The event of a job, given as Postgres' JSON."""
        return cls(job_id, {"job": orjson.Fragment(json)}, MANAGERS)


@declare
@dataclass(frozen=True, slots=True)
class JobDead(JobEvent):
    """A job has failed for good."""

    type = "job.dead"


@declare
@dataclass(frozen=True, slots=True)
class JobRetried(JobEvent):
    """An admin has put a dead letter back to work."""

    type = "job.retried"
    audited = True
    audit_fields = ("job.kind",)


@declare
@dataclass(frozen=True, slots=True)
class JobDropped(JobEvent):
    """An admin has given a job up."""

    type = "job.dropped"
    audited = True
    audit_fields = ("job.kind",)
