"""The Socket.IO server: who may connect, and what a client may say. Everything else is written past it, by the feeds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from aiohttp import web
from socketio.exceptions import ConnectionRefusedError as Refused

from hub.auth.keys import is_key
from hub.auth.tokens import SECOND_FACTOR_WANTED, Claims
from hub.errors import Forbidden, HubError, PaymentRequired, Unauthorized
from hub.limits.seats import SEAT
from hub.permissions import FOLLOW
from hub.realtime.access import Access, Standing
from hub.realtime.floor import Floor
from hub.realtime.limits import Limits
from hub.realtime.log import Cursor
from hub.realtime.metrics import BYES, REFUSED, SOCKETS
from hub.realtime.reader import Reader
from hub.realtime.wire import Line, drop_engine_socket, engine_sockets, new_server, ping_sockets
from hub.slices import slices

_GOODBYE_S = 3.0
_log = structlog.get_logger(__name__)


class Sockets:
    """The live sockets of this process. `on_arrive` and `on_leave` hear of members who come and go.

    `is_suspended` says which companies have no live floor, since they have not paid for long; `suspend` ends what is open.
    """

    def __init__(self, floor: Floor, access: Access, limits: Limits, public_url: str) -> None:
        self.on_arrive: Callable[[Claims], None] | None = None
        self.on_leave: Callable[[Claims], None] | None = None
        self.is_suspended: Callable[[UUID], bool] = lambda _: False
        self._floor = floor
        self._access = access
        self._limits = limits
        self._public_origin = _origin(public_url)
        self._readers: dict[str, Reader] = {}
        self._unconnected: dict[str, float] = {}
        self._farewells: set[asyncio.Task[None]] = set()
        self._stopping = False
        self.sio = new_server(
            ping_interval_s=limits.ping_interval_s,
            ping_timeout_s=limits.ping_timeout_s,
            max_message_bytes=limits.max_message_bytes,
            allows_origin=self._allows_origin,
        )
        self.sio.on("connect", self._on_connect)
        self.sio.on("disconnect", self._on_disconnect)
        self.sio.on("auth", self._on_auth)
        access.on_revoked = self._session_revoked
        access.on_member = self._member_changed

    @property
    def readers(self) -> list[Reader]:
        """Everybody who is connected here."""
        return list(self._readers.values())

    def attach(self, app: web.Application) -> None:
        """Serve /socket.io/ of an application."""
        self.sio.attach(app)

    async def stop(self) -> None:
        """Close all connections as if the network had: the clients come back to whoever serves then."""
        self._stopping = True
        readers = list(self._readers.values())
        for reader in readers:
            self._forget(reader)
        await asyncio.gather(*(reader.line.hang_up(_GOODBYE_S) for reader in readers))
        for engine_id in engine_sockets(self.sio):
            await drop_engine_socket(self.sio, engine_id)
        if self._farewells:
            await asyncio.wait(self._farewells, timeout=_GOODBYE_S)
        await self.sio.shutdown()

    # -- what clients do

    def _allows_origin(self, origin: str | None, environ: dict[str, Any]) -> bool:
        # Browsers send an Origin and are held to it; the token is what protects everybody.
        if origin is None:
            return True
        given = _origin(origin)
        return given == self._public_origin or given[1] == environ.get("HTTP_HOST", "").lower()

    async def _on_connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        if self._is_forged(sid):
            return
        if self._stopping:
            raise _refusal("restarting", "This server is about to stop. Connect again.")
        token = auth.get("token") if isinstance(auth, dict) else None
        try:
            if not isinstance(token, str):
                raise Unauthorized("Connect with auth = {token, cursor}.", code="token_missing")
            if is_key(token):
                claims = await self._access.verify_key(token, str(environ.get("REMOTE_ADDR", "")))
            else:
                claims = _enrolled(self._access.verify(token))
            if FOLLOW not in claims.permissions:
                raise _may_not_follow()
            if self.is_suspended(claims.tenant_id):
                raise _suspended()
            seat = environ["aiohttp.request"].get(SEAT)
            if seat is not None:
                seat.sit(claims.tenant_id, claims.user_id)
            line = Line(self.sio, sid, environ)
        except HubError as exc:
            raise _refusal(exc.code, exc.message, exc.details) from None
        except (ConnectionError, KeyError):
            raise _refusal("gone", "The connection was lost.") from None
        reader = Reader(line, claims, self._floor, self._limits, self._dismiss)
        self._readers[sid] = reader
        SOCKETS.inc()
        reader.start(Cursor.parse(auth.get("cursor")), self._ready)

    def _ready(self, reader: Reader) -> None:
        # A program that listens is not its person at the desk.
        if self.on_arrive is not None and reader.claims.key_id is None:
            self.on_arrive(reader.claims)

    async def _on_disconnect(self, sid: str, reason: str = "") -> None:
        reader = self._readers.get(sid)
        if reader is not None and not self._is_forged(sid):
            self._forget(reader)

    def _is_forged(self, sid: str) -> bool:
        # python-socketio hands an event that a client happens to call "connect" to the handler of connections. When a
        # socket really comes or goes, it does not count as connected.
        return bool(self.sio.manager.is_connected(sid, "/"))

    async def _on_auth(self, sid: str, data: Any = None, *_: Any) -> dict[str, Any]:
        """A fresh token on the live socket."""
        reader = self._readers.get(sid)
        token = data.get("token") if isinstance(data, dict) else None
        if reader is None or not isinstance(token, str):
            return {"ok": False, "error": "token_missing", "message": "Send {token}."}
        try:
            claims = _enrolled(self._access.verify(token))
            if FOLLOW not in claims.permissions:
                raise _may_not_follow()
        except HubError as exc:
            return {"ok": False, "error": exc.code, "message": exc.message}
        held = reader.claims
        if (claims.tenant_id, claims.user_id, claims.key_id) != (held.tenant_id, held.user_id, held.key_id):
            message = "This token is another member's. Connect anew with it."
            return {"ok": False, "error": "other_member", "message": message}
        reader.renew(claims)
        return {"ok": True}

    # -- what happens to clients

    def _forget(self, reader: Reader) -> None:
        if self._readers.pop(reader.sid, None) is None:
            return
        SOCKETS.dec()
        reader.close()
        if reader.ready and self.on_leave is not None and not self._stopping and reader.claims.key_id is None:
            self.on_leave(reader.claims)

    def _dismiss(self, reader: Reader, reason: str | None) -> None:
        """Send a client away, with a reason when it should not simply come back."""
        if reader.sid not in self._readers:
            return
        if reason is not None:
            BYES.labels(reason).inc()
            reader.say("bye", reason=reason)
            _log.info("socket dismissed", reason=reason, user_id=str(reader.claims.user_id))
        self._forget(reader)
        line = reader.line
        farewell = asyncio.get_running_loop().create_task(line.end(_GOODBYE_S) if reason else line.hang_up(_GOODBYE_S))
        self._farewells.add(farewell)
        farewell.add_done_callback(self._farewells.discard)

    def suspend(self, tenant_id: UUID) -> None:
        """Send a company's clients away: nothing goes out live to who has not paid for so long."""
        for reader in [r for r in self._readers.values() if r.claims.tenant_id == tenant_id]:
            self._dismiss(reader, "suspended")

    def _session_revoked(self, session_id: UUID) -> None:
        for reader in [r for r in self._readers.values() if r.claims.session_id == session_id]:
            self._dismiss(reader, "session_revoked")

    def _member_changed(self, tenant_id: UUID, user_id: UUID, standing: Standing) -> None:
        member = (tenant_id, user_id)
        for reader in [r for r in self._readers.values() if (r.claims.tenant_id, r.claims.user_id) == member]:
            if not standing.active or standing.role is None:
                self._dismiss(reader, "deactivated")
                continue
            if reader.claims.key_id is not None and not standing.allows_keys:
                self._dismiss(reader, "plan_limit")
                continue
            claims = standing.applied_to(reader.claims)
            if FOLLOW not in claims.permissions:
                self._dismiss(reader, "forbidden")
            elif (claims.role, claims.granted) != (reader.claims.role, reader.claims.granted):
                reader.renew(claims)

    async def sweep(self) -> None:
        """Ping, send away whoever's token has expired, and cut connections that never became a socket."""
        await ping_sockets(self.sio)
        async for some in slices(list(self._readers.values())):
            now = time.time()
            for reader in some:
                if not reader.line.is_open:
                    self._forget(reader)
                elif reader.claims.expires_at <= now:
                    self._dismiss(reader, "token_expired")
        await self._cut_unconnected()

    async def _cut_unconnected(self) -> None:
        engines = list(engine_sockets(self.sio))
        if len(engines) == len(self._readers):
            # Each that connected has one: there are no others.
            self._unconnected.clear()
            return
        connected = {reader.line.engine_id for reader in self._readers.values()}
        now = time.monotonic()
        idle = [engine_id for engine_id in engines if engine_id not in connected]
        self._unconnected = {engine_id: self._unconnected.get(engine_id, now) for engine_id in idle}
        for engine_id, since in self._unconnected.items():
            if now - since > self._limits.connect_deadline_s:
                REFUSED.labels("connect_deadline").inc()
                await drop_engine_socket(self.sio, engine_id)


def _enrolled(claims: Claims) -> Claims:
    if claims.must_enrol:
        raise Forbidden(SECOND_FACTOR_WANTED, code="second_factor_required")
    return claims


def _may_not_follow() -> Forbidden:
    return Forbidden(f"This needs the permission {FOLLOW}, which you do not have.")


def _suspended() -> PaymentRequired:
    said = "Your company's account is suspended. An owner or admin can pay under Settings, Plan and invoices."
    return PaymentRequired(said, code="suspended")


def _refusal(code: str, message: str, details: Mapping[str, Any] = MappingProxyType({})) -> Refused:
    REFUSED.labels(code).inc()
    hint = {"retry_after_s": details["retry_after_s"]} if "retry_after_s" in details else {}
    return Refused(code, {"code": code, "message": message, **hint})


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower()
