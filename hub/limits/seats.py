"""Sockets: how many may come, wait and stay, by address, user and company."""

from __future__ import annotations

import asyncio
import random
import time
from uuid import UUID

from aiohttp import web
from prometheus_client import Counter

from hub.errors import TooMany
from hub.limits.gate import Counted
from hub.limits.gcra import Meter
from hub.limits.limiter import Limiter, network_of
from hub.limits.settings import Limits

# Who has to wait is told a time of their own, or all of them would come back together.
SPREAD_S = 5.0
# The longest line at the door.
LINE_S = 5.0
_TURNED_AWAY = Counter("ringside_socket_seats_refused_total", "Sockets that were turned away, by what was full.", ["by"])


class Full(TooMany):
    """No seat for this socket. `retry_after_s` is spread."""

    code = "too_many_connections"

    def __init__(self, by: str, message: str) -> None:
        _TURNED_AWAY.labels(by).inc()
        super().__init__(message, retry_after_s=2 + round(random.random() * SPREAD_S))  # noqa: S311
        self.details["limit"] = by


class Seats:
    """The sockets of this process."""

    def __init__(self, limiter: Limiter) -> None:
        self._limiter = limiter
        limits = limiter.limits
        self.limits: Limits = limits
        self.waiting = 0
        """Connections that have not shown a good token yet."""
        self.waiting_by_address = Counted(limits.waiting_address)
        self.by_address = Counted(limits.sockets_address)
        self.by_tenant = Counted(limits.sockets_tenant)
        self.by_user = Counted(limits.sockets_user)
        self._comes = Meter("connects of this process", limits.hub_connects)

    async def knock(self, address: str) -> Seat:
        """A connection that wants to become a socket; when very many do, they come in one after the other. Raises Full."""
        network = network_of(address)
        seat = Seat(self, network)
        if not self.limits.enforced:
            return seat
        if self.waiting >= self.limits.waiting or not self.waiting_by_address.take(network):
            raise Full("waiting", "Too many connections wait to be let in. You will be connected in a moment.")
        self.waiting += 1
        seat.is_waiting = True
        try:
            await self._come_in(network)
        except BaseException:
            seat.leave()
            raise
        return seat

    async def _come_in(self, network: str) -> None:
        """Wait for the pace of the address and of the process, each with a place in the line of its own."""
        now = time.monotonic()
        address = self._limiter.meter_of(network, "connects")
        waits = {"connects": address.wait_s(1.0, now), "hub_connects": self._comes.wait_s(1.0, now)}
        by = max(waits, key=lambda name: waits[name])
        if waits[by] > LINE_S:
            raise Full(by, "Very many are connecting just now. You will be connected in a moment.")
        self._limiter.meters.charge(address, 1.0, now)
        self._comes.charge(1.0, now)
        if waits[by]:
            await asyncio.sleep(waits[by])

    def comes_again(self, tenant_id: UUID, user_id: UUID) -> bool:
        """Whether a member may have one more socket so soon."""
        now = time.monotonic()
        meter = self._limiter.meters.of(f"ringside:limit:sockets:{{{tenant_id}:{user_id}}}", self.limits.connects_user)
        if meter.wait_s(1.0, now):
            return False
        self._limiter.meters.charge(meter, 1.0, now)
        return True


class Seat:
    """One connection's place: at the door until `sit`, gone with `leave`."""

    __slots__ = ("_member", "_network", "_said", "_seats", "_tenant", "is_waiting")

    def __init__(self, seats: Seats, network: str) -> None:
        self._seats = seats
        self._network = network
        self._tenant: UUID | None = None
        self._member: tuple[UUID, UUID] | None = None
        self._said: Meter | None = None
        self.is_waiting = False

    def sit(self, tenant_id: UUID, user_id: UUID) -> None:
        """The token was good: a seat for this member. Raises Full."""
        seats = self._seats
        if not seats.limits.enforced or self._member is not None:
            return
        member = (tenant_id, user_id)
        if not seats.comes_again(tenant_id, user_id):
            raise Full("connects_user", "You are connecting again and again. You will be connected in a moment.")
        if not seats.by_user.take(member):
            raise Full("sockets_user", f"You are connected {seats.limits.sockets_user} times already. Close some windows.")
        if not seats.by_tenant.take(tenant_id):
            seats.by_user.give_back(member)
            raise Full("sockets_tenant", "Your company has as many connections as it may have.")
        if not seats.by_address.take(self._network):
            seats.by_user.give_back(member)
            seats.by_tenant.give_back(tenant_id)
            raise Full("sockets_address", "Your network has as many connections as it may have.")
        self._tenant, self._member = tenant_id, member
        self._stop_waiting()

    def hears(self) -> bool:
        """The client said something: False when it talks too much."""
        limits = self._seats.limits
        if not limits.enforced:
            return True
        now = time.monotonic()
        if self._said is None:
            self._said = Meter("", limits.socket_messages)
        if self._said.wait_s(1.0, now):
            _TURNED_AWAY.labels("socket_messages").inc()
            return False
        self._said.charge(1.0, now)
        return True

    def leave(self) -> None:
        """The connection has gone."""
        self._stop_waiting()
        if self._member is not None and self._tenant is not None:
            self._seats.by_user.give_back(self._member)
            self._seats.by_tenant.give_back(self._tenant)
            self._seats.by_address.give_back(self._network)
            self._member = None

    def _stop_waiting(self) -> None:
        if self.is_waiting:
            self.is_waiting = False
            self._seats.waiting -= 1
            self._seats.waiting_by_address.give_back(self._network)


SEAT = web.RequestKey("seat", Seat)
"""Where a request keeps its seat."""
