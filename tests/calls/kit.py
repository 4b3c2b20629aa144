"""What the tests of calls share: a running house, its people, and a look into the provider's rooms."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from twilio.request_validator import RequestValidator

from hub.calls.states import CallState, is_live
from hub.db import tenant_tx
from hub.sqlfiles import Statement
from hub.who import Role
from tests.conftest import Company
from tests.harness import Answer, Api, until
from tests.patience import PATIENCE_S
from tests.stack import Stack

ENDLESS = "+12025550154"
ENDLESS_TOO = "+12025550159"

_UNFINISHED = Statement("busy", "SELECT count(*) FROM jobs WHERE tenant_id = :tenant_id AND state IN ('ready', 'running')")
_EVENTS = Statement("events", "SELECT audience, frame FROM events WHERE tenant_id = :tenant_id AND type = :type ORDER BY seq")
_LEG = Statement("leg", "SELECT * FROM call_legs WHERE tenant_id = :tenant_id AND id = :id")

Json = dict[str, Any]


@dataclass
class House:
    """A company in a running house."""

    stack: Stack
    company: Company

    def api(self, role: Role) -> Api:
        """A client of the member of a role."""
        return self.stack.server.as_member(self.company, role)

    async def contact(self, number: str = ENDLESS) -> str:
        """A contact with this number."""
        answer = await self.api("owner").post("/contacts", {"first_name": "Ada", "phones": [{"e164": number}]})
        assert answer.status == 201, answer.body
        return str(answer.body["id"])

    async def place(self, role: Role = "rep", number: str = ENDLESS) -> Json:
        """A call to a new contact."""
        answer = await self.api(role).post("/calls", {"contact_id": await self.contact(number)})
        assert answer.status == 201, answer.body
        call: Json = answer.body
        return call

    async def talking(self, role: Role = "rep", number: str = ENDLESS) -> Json:
        """A call that is answered, with its rep in it."""
        placed = await self.place(role, number)
        return await self.until(placed["id"], lambda call: call["state"] == "in_progress" and joined(call, "rep"))

    async def call(self, call_id: str) -> Json:
        """The call as its managers see it."""
        call: Json = (await self.api("manager").get(f"/calls/{call_id}")).body
        return call

    async def until(self, call_id: str, check: Any, seconds: float = PATIENCE_S) -> Json:
        """The call, as soon as it is so."""

        async def look() -> Json | None:
            call = await self.call(call_id)
            return call if check(call) else None

        found: Json = await until(look, seconds=seconds)
        return found

    async def reached(self, call_id: str, state: CallState) -> Json:
        """The call in this state."""
        return await self.until(call_id, lambda call: call["state"] == state)

    async def ended(self, call_id: str) -> Json:
        """The call when it is over."""
        return await self.until(call_id, lambda call: not is_live(call["state"]))

    async def room(self, call_id: str) -> dict[str, Json]:
        """Who is in a call's conference, by who they are: contact, or the kind of their leg."""
        async with self.stack.server.client().session.get(
            f"{self.stack.sandbox.url}/_sandbox/conferences", params={"name": f"ringside-{call_id}"}
        ) as answer:
            rooms = (await answer.json())["conferences"]
        kinds = {leg["id"]: leg["kind"] for leg in (await self.call(call_id))["legs"]}
        listeners = (await self.api("manager").get(f"/calls/{call_id}/listeners")).body["data"]
        kinds |= {leg["id"]: leg["kind"] for leg in listeners}
        present = rooms[0]["participants"] if rooms else []
        names: dict[str, str] = {}
        for seat in present:
            who = kinds.get(seat["label"], "contact")
            names[seat["call_sid"]] = f"another {who}" if who in names.values() else who
        return {names[s["call_sid"]]: s | {"hears": sorted(names[sid] for sid in s["hears"])} for s in present}

    async def hearing(self, call_id: str, **wanted: list[str]) -> None:
        """Wait until everybody in the room hears whom they are to hear, and nobody else is in it."""

        async def look() -> bool:
            return {who: seat["hears"] for who, seat in (await self.room(call_id)).items()} == wanted

        await until(look)

    async def person(self, role: Role) -> Json:
        """Somebody as the floor shows them."""
        people = (await self.api("manager").get("/floor")).body["people"]
        found: Json = next(p for p in people if p["user"]["id"] == str(self.company.members[role]))
        return found

    async def events(self, kind: str) -> list[tuple[str, str]]:
        """(audience, frame as text) of the logged events of a type."""
        async with tenant_tx(self.stack.server.hub.db, self.company.who("owner")) as tx:
            return [(row["audience"], row["frame"]) for row in await tx.fetch(_EVENTS, type=kind)]

    async def leg(self, leg_id: str) -> Any:
        """A leg's row."""
        async with tenant_tx(self.stack.server.hub.db, self.company.who("owner")) as tx:
            return await tx.fetchrow(_LEG, id=UUID(leg_id))

    async def audit(self, call_id: str) -> list[str]:
        """What was done in a call."""
        return [entry["action"] for entry in (await self.api("manager").get(f"/calls/{call_id}/audit")).body["data"]]

    async def idle(self) -> None:
        """Wait until every job is done."""

        async def look() -> bool:
            async with tenant_tx(self.stack.server.hub.db, self.company.who("owner")) as tx:
                return bool(await tx.fetchval(_UNFINISHED) == 0)

        await until(look)

    async def play(self, sid: str, event: str) -> None:
        """Do something as the one at the other end of a leg."""
        async with self.stack.server.client().session.post(f"{self.stack.sandbox.url}/_sandbox/calls/{sid}/{event}") as answer:
            assert answer.status == 200, await answer.text()

    async def break_provider(self, operation: str, kind: str, *, times: int) -> None:
        """Let the provider's next answers to an operation be such."""
        fault = {"operation": operation, "kind": kind, "times": times}
        async with self.stack.server.client().session.post(f"{self.stack.sandbox.url}/_sandbox/faults", json=fault) as answer:
            assert answer.status == 200, await answer.text()

    async def signed(self, path: str, token: str | None = None, **fields: str) -> Answer:
        """A webhook as the provider would send it."""
        url = self.stack.settings.public_url + path
        signature = RequestValidator(token or self.stack.sandbox.auth_token).compute_signature(url, fields)
        headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
        return await self.stack.server.client().call("POST", path, data=urlencode(fields), headers=headers)

    def dialed(self) -> list[str]:
        """Everything that was called at the provider, in order."""
        return [call.to for call in reversed(self.stack.sandbox.calls)]


def joined(call: Json, kind: str) -> bool:
    """Whether somebody of this kind is in the call."""
    return any(leg["kind"] == kind and leg["state"] == "joined" for leg in call["legs"])


def leg_of(call: Json, kind: str) -> Json:
    """The leg of this kind."""
    found: Json = next(leg for leg in call["legs"] if leg["kind"] == kind)
    return found


async def gathered(*answers: Any) -> list[Any]:
    """All at once."""
    return list(await asyncio.gather(*answers))
