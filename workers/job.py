"""What a job's handler is and what it is given.

A handler is thin: it calls providers outside a transaction and records what came of it in one. A whole module of them:

    @job("calls.dial", max_attempts=3, timeout_s=30)
    async def dial(run: Run) -> None:
        async with run.tx() as tx:                    # an ordinary transaction
            call = await claim_call(tx, UUID(run.job.args["call_id"]))
        placed = await run.deps.telephony.place_call(call)
        async with run.finish() as tx:                # effects and "done" in one transaction
            await note_placed(tx, call, placed)

It may run twice, so it looks before it acts. What it raises decides what follows: Permanent, Rejected and most HubErrors
make a dead letter; everything else is tried again, with a growing pause, until the attempts are used up.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import ModuleType

import structlog

from hub.billing.restrictions import Restrictions
from hub.clock import Clock
from hub.config import Settings
from hub.db import Database, Tx, tenant_tx
from hub.errors import HubError, TooMany, Unavailable
from hub.sealing import Seals
from hub.who import Who
from integrations.errors import CircuitOpen, Rejected, Transient
from integrations.hooks import HookCarrier
from integrations.mail import GoogleIdentity, Mailboxes
from integrations.payments import Payments
from integrations.ports import CallbackReader, Messaging, Numbers, ObjectStore, Telephony, TwimlRenderer
from integrations.telling import LetterCarrier, PushCarrier
from workers.ledger import LEASE_MARGIN_S, Job, Ledger, LostLease

# For jobs that people wait for: how often their worker says that it lives, and how long it is believed.
BEAT_S = 2.0
BEATEN_LEASE_S = 7.0

_log = structlog.get_logger(__name__)


class Permanent(Exception):
    """Raised by a handler: trying again changes nothing. The message is what the admin reads."""


class NotNow(Exception):
    """Raised by a handler that has done nothing yet: its turn comes later. The attempt does not count."""

    def __init__(self, delay_s: float) -> None:
        super().__init__(f"not for another {delay_s:.1f} s")
        self.delay_s = delay_s


@dataclass(frozen=True, slots=True)
class Deps:
    """What the composition root hands to every handler.

    What belongs to the telephone account is None where none is set up, `objects` where no place for files is.
    `callbacks` reads stored webhooks, `twiml` writes what an answered call shall do. `mailboxes` opens mailboxes, whose secrets
    `seals` opens, `google` gives consents back; `clock` is what schedules go by. `letters` takes Ringside's own letters out, None
    where they stay in the local outbox; `pushes` takes pushes to browsers, `hooks` webhooks to
    companies' own systems. `payments` collects the money, `restrictions` are the
    companies that have not paid.
    """

    db: Database
    settings: Settings
    telephony: Telephony | None = None
    numbers: Numbers | None = None
    messaging: Messaging | None = None
    objects: ObjectStore | None = None
    callbacks: CallbackReader | None = None
    twiml: TwimlRenderer | None = None
    mailboxes: Mailboxes | None = None
    google: GoogleIdentity | None = None
    seals: Seals | None = None
    letters: LetterCarrier | None = None
    pushes: PushCarrier | None = None
    hooks: HookCarrier | None = None
    clock: Clock = field(default_factory=Clock)
    payments: Payments | None = None
    restrictions: Restrictions = field(default_factory=Restrictions)


class Run:
    """One attempt at one job. `others` says whether other companies' jobs are about in this worker."""

    def __init__(
        self, ledger: Ledger, job: Job, deps: Deps, timeout_s: float, others: Callable[[], bool] = lambda: False
    ) -> None:
        self.job = job
        self.deps = deps
        self.who = Who.system(job.tenant_id, job.request_id)
        self.finished = False
        self._ledger = ledger
        self._timeout_s = timeout_s
        self._others = others
        self._limit: asyncio.Timeout | None = None

    @property
    def is_beside_others(self) -> bool:
        """Does this worker do other companies' jobs at the time? Then long work goes gently."""
        return self._others()

    @asynccontextmanager
    async def tx(self) -> AsyncIterator[Tx]:
        """An ordinary transaction, as the system, in the job's company."""
        async with tenant_tx(self.deps.db, self.who) as tx:
            yield tx

    @asynccontextmanager
    async def finish(self) -> AsyncIterator[Tx]:
        """The last transaction: its effects and the job's end are committed together or not at all.

        Raises LostLease when another worker has taken the job over. Let it pass.
        """
        if self.finished:
            raise RuntimeError("this job is finished already")
        async with self._ledger.finish(self.job, self.who) as tx:
            yield tx
        self.finished = True

    async def extend(self, tx: Tx, timeout_s: float | None = None) -> None:
        """Give a long job its whole time limit (or `timeout_s`) again from now. Raises LostLease. Commit soon after."""
        allowed_s = timeout_s or self._timeout_s
        await self._ledger.extend(tx, self.job, allowed_s + LEASE_MARGIN_S)
        if self._limit is not None:
            self._limit.reschedule(asyncio.get_running_loop().time() + allowed_s)

    async def beat(self) -> None:
        """Hold the lease, beat by beat, until cancelled or lost. The next makes up for one that Postgres does not take."""
        while True:
            await asyncio.sleep(BEAT_S)
            try:
                async with self.tx() as tx:
                    await self._ledger.extend(tx, self.job, BEATEN_LEASE_S)
            except LostLease:
                return
            except Exception as exc:
                _log.warning("a lease could not be held", error=str(exc) or repr(exc))

    @asynccontextmanager
    async def limited(self) -> AsyncIterator[asyncio.Timeout]:
        """The time limit around the handler; `extend` moves it."""
        async with asyncio.timeout(self._timeout_s) as self._limit:
            yield self._limit


@dataclass(frozen=True, slots=True)
class Handler:
    """A kind of job and the function that does it. `max_attempts` None leaves it to who defers."""

    kind: str
    function: Callable[[Run], Awaitable[None]]
    max_attempts: int | None
    timeout_s: float
    backoff_s: float
    beats: bool = False

    @property
    def lease_s(self) -> float:
        """How long a claim holds; one with beats is renewed while its worker lives."""
        return BEATEN_LEASE_S if self.beats else self.timeout_s + LEASE_MARGIN_S


def job(
    kind: str, *, max_attempts: int | None = None, timeout_s: float = 30.0, backoff_s: float = 1.0, beats: bool = False
) -> Callable[[Callable[[Run], Awaitable[None]]], Handler]:
    """Declare the handler of a kind of job.

    timeout_s: how long one attempt may take; a killed worker's job comes back that much (and LEASE_MARGIN_S) later.
    beats: for what people wait for: its worker says every BEAT_S that it lives, and a killed one's job comes back after
    BEATEN_LEASE_S whatever its time limit is.
    backoff_s: the first pause after a failure; it doubles. max_attempts: overrides what the deferring side said.
    """

    def declare(function: Callable[[Run], Awaitable[None]]) -> Handler:
        return Handler(kind, function, max_attempts, timeout_s, backoff_s, beats)

    return declare


class Registry(Mapping[str, Handler]):
    """The handlers by kind. Two of one kind are a programming error."""

    def __init__(self, handlers: Iterable[Handler]) -> None:
        self._handlers: dict[str, Handler] = {}
        for handler in handlers:
            if handler.kind in self._handlers:
                raise RuntimeError(f"the job {handler.kind} has two handlers")
            self._handlers[handler.kind] = handler

    @classmethod
    def of(cls, *modules: ModuleType) -> Registry:
        """The handlers of these modules."""
        return cls(value for module in modules for value in vars(module).values() if isinstance(value, Handler))

    def __getitem__(self, kind: str) -> Handler:
        return self._handlers[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._handlers)

    def __len__(self) -> int:
        return len(self._handlers)


def is_permanent(exc: BaseException) -> bool:
    """Whether trying again would change nothing."""
    if isinstance(exc, HubError):
        return not isinstance(exc, TooMany | Unavailable)
    return isinstance(exc, Permanent | Rejected)


def asked_pause_s(exc: BaseException) -> float | None:
    """The pause that whoever refused asked for, in seconds."""
    if isinstance(exc, Transient | CircuitOpen):
        return exc.retry_after
    if isinstance(exc, TooMany | Unavailable):
        return float(exc.retry_after_s)
    return None
