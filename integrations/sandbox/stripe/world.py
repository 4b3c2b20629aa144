"""The account as a whole, and a piece of work on it that is either done or not."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from integrations.sandbox.stripe.clock import SandboxClock
from integrations.sandbox.stripe.contract import contract
from integrations.sandbox.stripe.refusals import resource_missing
from integrations.sandbox.stripe.settings import StripeSettings
from integrations.sandbox.stripe.shapes import shown
from integrations.sandbox.stripe.store import Store, Thing, copied

_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def random_text(length: int) -> str:
    """Return letters and digits nobody can guess."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


class World:
    """Everything there is: the things, the time, and who is told of events."""

    def __init__(self, settings: StripeSettings) -> None:
        self.settings = settings
        self.contract = contract()
        self.clock = SandboxClock(settings.speed, settings.clock)
        self.store = Store()
        self.url = ""
        self.told: Callable[[list[Thing]], None] = lambda events: None

    @contextmanager
    def work(self, *, at: int | None = None, request: tuple[str | None, str | None] = (None, None)) -> Iterator["Work"]:
        """Do something wholly or, when it raises, not at all; events go out after it is done."""
        work = Work(self, self.store.fork(), at, request)
        try:
            yield work
        except Exception as error:
            if getattr(error, "keeps", False):
                self._commit(work)
            raise
        self._commit(work)

    def rehearsal(self) -> "Work":
        """Return a piece of work that will never have been."""
        work = Work(self, self.store.fork(), None, (None, None))
        work.is_rehearsal = True
        return work

    def _commit(self, work: "Work") -> None:
        work.store.commit()
        if work.events:
            self.told(work.events)


class Work:
    """One request, or one thing that time does. `at` is the time, where no test clock says otherwise."""

    def __init__(self, world: World, store: Store, at: int | None, request: tuple[str | None, str | None]) -> None:
        self.world = world
        self.store = store
        self.events: list[Thing] = []
        # What is only tried out collects no money.
        self.is_rehearsal = False
        self._at = at
        self._request = request
        self._last_told: dict[str, Thing] = {}

    def now(self, thing: Thing | None = None) -> int:
        """Return what time it is for a thing: that of its test clock, or the sandbox's."""
        clock_id = self.clock_of(thing) if thing is not None else None
        if clock_id:
            clock = self.store.find(clock_id)
            assert clock is not None
            return int(clock["frozen_time"])
        return self._at if self._at is not None else self.world.clock.now()

    def clock_of(self, thing: Thing) -> str | None:
        """Return the test clock that a thing goes by: its own, or its customer's."""
        if "test_clock" in thing:
            clock: str | None = thing["test_clock"]
            return clock
        customer = self.store.find(thing["customer"]) if isinstance(thing.get("customer"), str) else None
        return customer["test_clock"] if customer is not None else None

    def new(self, kind: str, prefix: str, created: int, *, thing_id: str = "", **fields: Any) -> Thing:
        """Return a thing with an id and every field that may be null; it is not kept yet."""
        made = self.world.contract.blank(kind)
        made["id"] = thing_id or f"{prefix}_{random_text(24 if prefix != 'cus' else 14)}"
        return made | {"created": created, "livemode": False} | fields

    def get(self, noun: str, thing_id: Any, param: str, *, status: int = 400, kind: str = "") -> Thing:
        """Return a thing that a request names. Raises Refusal: there is no such thing."""
        found = self.store.find(str(thing_id))
        if found is None or found["object"] != (kind or noun) or found.get("_deleted"):
            raise resource_missing(noun.replace("_", " "), str(thing_id), param, status=status)
        return found

    def emit(self, kind: str, thing: Thing, previous: dict[str, Any] | None = None) -> None:
        """Let something have happened: an event with the thing as it is now."""
        public = copied(shown(self.store, thing))
        self._last_told[thing["id"]] = public
        data: dict[str, Any] = {"object": public}
        if previous is not None:
            data["previous_attributes"] = previous
        event = self.new("event", "evt", self.now(thing), type=kind, data=data, pending_webhooks=0)
        event["api_version"] = self.world.contract.version
        event["request"] = {"id": self._request[0], "idempotency_key": self._request[1]}
        self.store.add(event)
        self.events.append(event)

    def changed(self, kind: str, thing: Thing) -> None:
        """Tell that a thing was changed, and what it was before; nothing where nothing changed."""
        original = self.store.original(thing["id"])
        before = self._last_told.get(thing["id"]) or (shown(self.world.store, original) if original else None)
        after = shown(self.store, thing)
        if before is None or before == after:
            return
        self.emit(kind, thing, {name: before.get(name) for name in after if before.get(name) != after[name]})
