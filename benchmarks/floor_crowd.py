"""Many Socket.IO clients in one process, quick enough not to be what is measured.

What a group (a tenant's sockets that see the same) hears is kept once, by whichever client is ahead, and is read afterwards:
every event there, in order, once. All the others compare their bytes with it. So each delivery is checked, and costs little.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import orjson

PING = b"\x81\x012"
# Masked, with a mask of zeros (RFC 6455, section 5.3).
_PONG = b"\x81\x81\0\0\0\x003"
_CLOSE = 0x88
_EVENT = b'42["event",'
_SEQ = b'{"seq":'
_BUFFER = 256 * 1024
_CONNECTING = 100
# One address has no more than some 28,000 ports to connect from.
_PER_ADDRESS = 20_000
_FAULTS_TOLD = 5
_TRIES = 3


class Trouble(Exception):
    """The clients heard what they should not have, or did not hear what they should."""


def frame_at(data: bytes | bytearray, place: int) -> tuple[bytes, int] | None:
    """The payload of the unmasked frame that begins at `place`, and where the next one begins; None when it is not whole.

    Raises Trouble at a CLOSE.
    """
    if place + 2 > len(data):
        return None
    size, start = data[place + 1] & 0x7F, place + 2
    if size == 126:
        size, start = int.from_bytes(data[start : start + 2], "big"), start + 2
    elif size == 127:
        size, start = int.from_bytes(data[start : start + 8], "big"), start + 8
    if start + size > len(data):
        return None
    if data[place] == _CLOSE:
        raise Trouble(f"the server closes: {bytes(data[start : start + size])!r}")
    return bytes(data[start : start + size]), start + size


def frames_in(data: bytes | bytearray) -> tuple[list[bytes], int]:
    """The payloads of the whole frames at the beginning of `data`, and how many bytes they take. Raises Trouble at a CLOSE."""
    found: list[bytes] = []
    place = 0
    while (frame := frame_at(data, place)) is not None:
        found.append(frame[0])
        place = frame[1]
    return found, place


def _masked_text(payload: bytes) -> bytes:
    size = len(payload)
    head = bytes((0x81, 0x80 | size)) if size < 126 else bytes((0x81, 0x80 | 126)) + size.to_bytes(2, "big")
    return head + bytes(4) + payload


@dataclass(eq=False)
class Group:
    """Sockets that must hear the same. `auths` are what they connect with, one after the other and from the start again."""

    name: str
    auths: Sequence[dict[str, Any]]
    sockets: list[Ear] = field(default_factory=list)
    arrivals: dict[int, list[float]] = field(default_factory=dict)
    # What the one that is ahead has heard since the mark.
    kept: bytearray = field(default_factory=bytearray)


class Ear(asyncio.BufferedProtocol):
    """One client. All of a crowd read into the same buffer, one after the other."""

    def __init__(self, crowd: Crowd, group: Group, auth: dict[str, Any]) -> None:
        self.ready: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self.size = 0
        self.differs = False
        self.at = 0.0
        self.lost: str | None = None
        self._crowd = crowd
        self._group = group
        self._auth = auth
        self._held = b""
        self._opened = self._live = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the websocket."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """Remember that; nobody comes back by itself here."""
        self.lost = repr(exc) if exc else "closed by the server"
        if not self.ready.done():
            self.ready.set_exception(Trouble(f"{self._group.name}: {self.lost} before it was ready"))

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Read behind what is held of the chunk before."""
        held = len(self._held)
        if held:
            self._crowd.view[:held] = self._held
        return self._crowd.view[held:]

    def buffer_updated(self, nbytes: int) -> None:
        """Take in what has arrived."""
        end = len(self._held) + nbytes
        if self._live:
            self._hear(0, end)
        else:
            self._greet(end)

    def _greet(self, end: int) -> None:
        data = bytes(self._crowd.view[:end])
        if not self._opened:
            head, found, rest = data.partition(b"\r\n\r\n")
            if not found:
                self._held = data
                return
            if b" 101 " not in head[:16]:
                self._refuse(Trouble(head.decode(errors="replace")))
                return
            self._opened, data = True, rest
        place = 0
        try:
            while not self._live and (frame := frame_at(data, place)) is not None:
                self._answer(frame[0])
                place = frame[1]
        except Trouble as trouble:
            self._refuse(trouble)
            return
        self._held = b""
        rest = data[place:]
        if self._live and rest:
            self._crowd.view[: len(rest)] = rest
            self._hear(0, len(rest))
        else:
            self._held = rest

    def _answer(self, said: bytes) -> None:
        assert self._transport is not None
        if said.startswith(b"0"):
            self._transport.write(_masked_text(b"40" + orjson.dumps(self._auth)))
        elif said == b"2":
            self._transport.write(_PONG)
        elif said.startswith(b'42["ready",'):
            self._live = True
            if not self.ready.done():
                self.ready.set_result(orjson.loads(said[2:])[1])
        elif not said.startswith(b"40"):
            raise Trouble(said.decode(errors="replace"))

    def _refuse(self, trouble: Trouble) -> None:
        if not self.ready.done():
            self.ready.set_exception(trouble)
        self.close()

    def _hear(self, start: int, end: int) -> None:
        buffer = self._crowd.buffer
        while (ping := self._ping_in(start, end)) >= 0:
            self._take(start, ping)
            assert self._transport is not None
            self._transport.write(_PONG)
            start = ping + len(PING)
        keep = 0
        if end - start >= 1 and buffer[end - 1] == PING[0]:
            keep = 1
        elif end - start >= 2 and buffer[end - 2] == PING[0] and buffer[end - 1] == PING[1]:
            keep = 2
        self._held = bytes(self._crowd.view[end - keep : end]) if keep else b""
        self._take(start, end - keep)

    def _ping_in(self, start: int, end: int) -> int:
        # No text of JSON has a byte 1 in it, and what a longer frame begins with has a `4` where the `2` is here. One byte is
        # looked for ten times as quickly as three.
        buffer = self._crowd.buffer
        place = buffer.find(PING[1], start, end)
        while place >= 0:
            if buffer.startswith(PING, place - 1, end) and place > start:
                return place - 1
            place = buffer.find(PING[1], place + 1, end)
        return -1

    def _take(self, start: int, end: int) -> None:
        if start >= end:
            return
        crowd = self._crowd
        now = time.monotonic()
        piece = crowd.view[start:end]
        kept, size, many = self._group.kept, self.size, end - start
        ahead = size + many - len(kept)
        if ahead > 0:
            if ahead < many and not kept.endswith(piece[: many - ahead]):
                self.differs = True
            kept += piece[many - ahead :]
        elif not kept.startswith(piece, size):
            self.differs = True
        self.size = size + many
        self.at = now
        if crowd.timing:
            arrivals, buffer = self._group.arrivals, crowd.buffer
            place = buffer.find(_SEQ, start, end)
            while place >= 0:
                comma = buffer.find(b",", place, end)
                if comma > 0:
                    arrivals.setdefault(int(buffer[place + len(_SEQ) : comma]), []).append(now)
                place = buffer.find(_SEQ, place + 1, end)


class Crowd:
    """All the clients of one process."""

    def __init__(self, port: int) -> None:
        self.groups: list[Group] = []
        self.buffer = bytearray(_BUFFER)
        self.view = memoryview(self.buffer)
        self.timing = False
        self._port = port
        self._made = 0
        self.came_again = 0

    @property
    def ears(self) -> list[Ear]:
        """Every client."""
        return [ear for group in self.groups for ear in group.sockets]

    async def join(
        self, group: Group, count: int, *, cursor: dict[str, Any] | None = None, at_once: int = _CONNECTING
    ) -> list[dict[str, Any]]:
        """So many more clients of a group, connected and ready; what each was told with `ready`. Raises Trouble or OSError.

        Who is cut off before comes again, as clients do; `came_again` counts that.
        """
        if group not in self.groups:
            self.groups.append(group)
        room = asyncio.Semaphore(at_once)
        loop = asyncio.get_running_loop()

        async def connect(number: int) -> dict[str, Any]:
            async with room:
                auth = group.auths[number % len(group.auths)]
                for tries_left in reversed(range(_TRIES)):
                    self._made += 1
                    source = (f"127.0.0.{2 + self._made // _PER_ADDRESS}", 0)
                    ear = Ear(self, group, auth if cursor is None else {**auth, "cursor": cursor})
                    group.sockets.append(ear)
                    try:
                        await loop.create_connection(partial(_same, ear), "127.0.0.1", self._port, local_addr=source)
                        return await ear.ready
                    except (Trouble, OSError):
                        ear.close()
                        group.sockets.remove(ear)
                        if not tries_left:
                            raise
                        self.came_again += 1
                raise AssertionError

        return list(await asyncio.gather(*(connect(number) for number in range(count))))

    async def quiet(self, for_s: float = 0.5, within_s: float = 30.0) -> None:
        """Wait until nobody has heard anything for a while: whoever came has been announced to all."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if time.monotonic() - max((ear.at for ear in self.ears), default=0.0) > for_s:
                return
            await asyncio.sleep(for_s / 4)
        raise Trouble("it does not become quiet")

    def mark(self) -> None:
        """From here on it counts."""
        for group in self.groups:
            group.arrivals, group.kept = {}, bytearray()
            for ear in group.sockets:
                ear.size, ear.differs = 0, False

    async def until_heard(self, wanted: Mapping[str, range], within_s: float) -> float:
        """Wait until every socket of every group has heard the `wanted` sequence numbers (by group); when the last of them did.

        Raises Trouble with what is missing when the time is up.
        """
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if all(self._has_all(group, wanted.get(group.name)) for group in self.groups):
                return max(ear.at for ear in self.ears)
            await asyncio.sleep(0.01)
        raise Trouble(_told(self.faults(wanted)) or "the clients were too slow")

    async def until_caught_up(self, wanted: Mapping[str, range], within_s: float) -> float:
        """When every socket has heard the `wanted`, to 10 ms, whatever else is said meanwhile. Raises Trouble."""
        deadline, ends = time.monotonic() + within_s, dict.fromkeys(wanted, -1)
        while (now := time.monotonic()) < deadline:
            for group in self.groups:
                if ends.get(group.name) == -1:
                    ends[group.name] = group.kept.find(b'{"seq":%d,' % wanted[group.name][-1])
            if -1 not in ends.values() and all(ear.size > ends.get(g.name, 0) for g in self.groups for ear in g.sockets):
                return now
            await asyncio.sleep(0.01)
        behind = sum(not 0 <= ends.get(g.name, 0) < ear.size for g in self.groups for ear in g.sockets)
        raise Trouble("; ".join([f"{behind} have not caught up within {within_s:.0f} s", *self.faults({})[:_FAULTS_TOLD]]))

    @staticmethod
    def _has_all(group: Group, wanted: range | None) -> bool:
        if not wanted:
            return True
        kept = group.kept
        return kept.rfind(b'{"seq":%d,' % wanted[-1], max(0, len(kept) - _BUFFER)) >= 0 and all(
            ear.size == len(kept) for ear in group.sockets
        )

    def faults(self, wanted: Mapping[str, range], *, still_hearing: bool = False) -> list[str]:
        """What was lost, repeated, out of order or different from one socket to the next since the mark, in words.

        While they are `still_hearing` more than the `wanted`, one may be ahead of another.
        """
        faults: list[str] = []
        for group in self.groups:
            lost = [ear.lost for ear in group.sockets if ear.lost]
            if lost:
                faults.append(f"{group.name}: {len(lost)} sockets were lost, the first: {lost[0]}")
            kept = group.kept
            if still_hearing:
                kept = kept[: frames_in(kept)[1]]
            faults += [f"{group.name}: {fault}" for fault in _order(kept, wanted.get(group.name) or range(0))]
            short = sum(ear.size < len(kept) for ear in group.sockets)
            other = sum(ear.differs for ear in group.sockets)
            if short and not still_hearing:
                faults.append(f"{group.name}: {short} sockets heard less than another")
            if other:
                faults.append(f"{group.name}: {other} sockets heard something else than another")
        return faults

    def check(self, wanted: Mapping[str, range], *, still_hearing: bool = False) -> None:
        """Raises Trouble when `faults` finds any."""
        if faults := self.faults(wanted, still_hearing=still_hearing):
            raise Trouble(_told(faults))

    @property
    def heard_bytes(self) -> int:
        """What all the sockets together have read since the mark."""
        return sum(ear.size for ear in self.ears)

    def delivered(self) -> int:
        """How many events all the sockets together have heard since the mark."""
        return sum(
            sum(said.startswith(_EVENT) for said in frames_in(group.kept)[0]) * len(group.sockets) for group in self.groups
        )

    def close(self) -> None:
        """Hang up, all of them."""
        for ear in self.ears:
            ear.close()
        self.groups.clear()


def _same(ear: Ear) -> Ear:
    return ear


def _told(faults: list[str]) -> str:
    return "; ".join(faults[:_FAULTS_TOLD] + [f"and {len(faults) - _FAULTS_TOLD} more"] * (len(faults) > _FAULTS_TOLD))


def _order(kept: bytearray, wanted: range) -> list[str]:
    try:
        said, size = frames_in(kept)
    except Trouble as trouble:
        return [str(trouble)]
    faults = [] if size == len(kept) else ["the stream ends in the middle of a frame"]
    seqs = [orjson.loads(one[2:])[1]["seq"] for one in said if one.startswith(_EVENT)]
    if len(seqs) != len(said):
        faults.append(f"{len(said) - len(seqs)} packets are no events")
    if seqs and seqs != list(range(seqs[0], seqs[0] + len(seqs))):
        faults.append("the events are not one after the other")
    if wanted and (not seqs or seqs[0] > wanted[0] or seqs[-1] < wanted[-1]):
        heard = f"{seqs[0]} to {seqs[-1]}" if seqs else "nothing"
        faults.append(f"heard {heard}, committed were {wanted[0]} to {wanted[-1]}")
    return faults
