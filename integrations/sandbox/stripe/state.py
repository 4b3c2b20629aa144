"""What was bought outlasts the sandbox: everything in one file, read at the start and written when something has changed."""

import logging
from pathlib import Path
from typing import Final

import orjson

from integrations.sandbox.stripe.store import Store
from integrations.sandbox.stripe.world import World

log = logging.getLogger(__name__)

# Events are told once; the newest are kept for who asks again. Endpoints are made anew by who starts the sandbox.
_KEPT_EVENTS: Final = 200
_PASSING: Final = frozenset({"webhook_endpoint", "billing_portal.session"})


class State:
    """The file; a sandbox without one forgets everything."""

    def __init__(self, path: Path, world: World) -> None:
        self._path = path
        self._world = world
        self._saved = b""

    def restore(self) -> None:
        """Read the file, if there is one; call it once the sandbox has its address. A damaged one is put aside."""
        if not self._path.exists():
            return
        try:
            text = self._path.read_text(encoding="utf-8")
            # Pages are where this sandbox listens now.
            read = orjson.loads(text.replace(orjson.loads(text)["url"], self._world.url))
            store = Store()
            for thing in read["things"]:
                store.add(thing, *thing["_owners"])
            ahead = float(read["ahead"])
        except (ValueError, KeyError, TypeError, AttributeError):
            aside = self._path.with_suffix(".damaged")
            log.warning("%s can't be read; it is kept as %s", self._path, aside)
            self._path.replace(aside)
            return
        self._world.store = store
        self._world.clock.ahead = ahead
        self._saved = self._bytes()

    def save(self) -> None:
        """Write the file, if something has changed since the last time."""
        text = self._bytes()
        if text == self._saved:
            return
        fresh = self._path.with_suffix(".new")
        fresh.write_bytes(text)
        fresh.chmod(0o600)
        fresh.replace(self._path)
        self._saved = text

    def _bytes(self) -> bytes:
        world = self._world
        events = [each["id"] for each in world.store.all("event")]
        old = set(events[:-_KEPT_EVENTS])
        things = [each for each in world.store.everything() if each["object"] not in _PASSING and each["id"] not in old]
        return orjson.dumps({"url": world.url, "ahead": world.clock.ahead, "things": things})
