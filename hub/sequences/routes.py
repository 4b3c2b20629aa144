"""Sequence and enrolment endpoints."""

from __future__ import annotations

import re
from typing import Any

from hub.clock import Clock
from hub.contacts.actions import missing as contact_missing
from hub.contacts.queries import contact_exists
from hub.db import Tx
from hub.errors import Invalid
from hub.http.endpoint import Reply, Req, Routes
from hub.http.paging import PageQuery
from hub.sequences import actions, queries
from hub.sequences.answers import (
    BulkDone,
    Enrolled,
    Enrolment,
    EnrolmentPage,
    EnrolmentWithRuns,
    SequenceOut,
    SequencePage,
    SequenceResults,
    Simulation,
)
from hub.sequences.models import (
    BulkIn,
    EnrolIn,
    EnrolmentQuery,
    MoveIn,
    PauseIn,
    SequenceIn,
    SequencePatch,
    SequenceQuery,
    SequenceSettings,
    SimulateIn,
    StepsIn,
    StopIn,
    SwapIn,
)


def sequence_routes(clock: Clock) -> Routes:
    """The endpoints of sequences, which go by this clock."""
    routes = Routes("sequences")

    @routes.get("/sequences", query=SequenceQuery, returns=SequencePage, allow="sequences:read")
    async def list_sequences(tx: Tx, req: Req[SequenceQuery, None]) -> Reply:
        """Sequences with their steps and counts, newest first."""
        return Reply(await queries.list_sequences(tx, req.query))

    @routes.post("/sequences", body=SequenceIn, returns=SequenceOut, status=201, allow="sequences:write")
    async def create_sequence(tx: Tx, req: Req[None, SequenceIn]) -> Reply:
        """Make a sequence; a draft until it is started."""
        sequence_id, text, version = await actions.create_sequence(tx, req.body)
        return _tagged(text, version, 201, Location=f"/api/v1/sequences/{sequence_id}")

    @routes.get("/sequences/settings", returns=SequenceSettings, allow="settings:read")
    async def get_sequence_settings(tx: Tx, req: Req[None, None]) -> Reply:
        """What holds for all sequences: whose midnight a day of the caps begins at, and the caps by recipient domain."""
        return Reply(await queries.get_settings(tx))

    @routes.put("/sequences/settings", body=SequenceSettings, returns=SequenceSettings, allow="sequences:configure")
    async def save_sequence_settings(tx: Tx, req: Req[None, SequenceSettings]) -> Reply:
        """Set what holds for all sequences, all of it."""
        return Reply(await actions.save_settings(tx, req.body))

    @routes.get("/sequences/{id}", returns=SequenceOut, allow="sequences:read")
    async def get_sequence(tx: Tx, req: Req[None, None]) -> Reply:
        """One sequence, with its version as ETag."""
        return _tagged(*await queries.read_sequence(tx, req.id()))

    @routes.patch("/sequences/{id}", body=SequencePatch, returns=SequenceOut, allow="sequences:write", errors=(403, 412))
    async def update_sequence(tx: Tx, req: Req[None, SequencePatch]) -> Reply:
        """Change a sequence. What is planned keeps its moment; the new hours hold from the next step on."""
        return _tagged(*await actions.update_sequence(tx, req.id(), req.body, _if_match(req)))

    @routes.delete("/sequences/{id}", status=204, allow="sequences:write", errors=(403, 409))
    async def delete_sequence(tx: Tx, req: Req[None, None]) -> Reply:
        """Take away a sequence in which nobody is any more."""
        await actions.delete_sequence(tx, req.id())
        return Reply()

    @routes.put("/sequences/{id}/steps", body=StepsIn, returns=SequenceOut, allow="sequences:write", errors=(403, 409, 412))
    async def set_steps(tx: Tx, req: Req[None, StepsIn]) -> Reply:
        """Set the steps, all of them. Who stands at a step that is taken away goes on at the one that follows it."""
        return _tagged(*await actions.set_steps(tx, req.id(), req.body.steps, _if_match(req), clock.now()))

    @routes.post("/sequences/{id}/start", returns=SequenceOut, allow="sequences:write", errors=(403, 409))
    async def start_sequence(tx: Tx, req: Req[None, None]) -> Reply:
        """Let a sequence run."""
        return _tagged(*await actions.set_state(tx, req.id(), "active", clock.now()))

    @routes.post("/sequences/{id}/pause", returns=SequenceOut, allow="sequences:write", errors=(403, 409))
    async def pause_sequence(tx: Tx, req: Req[None, None]) -> Reply:
        """Hold a sequence up: nothing more goes out until it is started again; mail that is under way arrives."""
        return _tagged(*await actions.set_state(tx, req.id(), "paused", clock.now()))

    @routes.post("/sequences/{id}/archive", returns=SequenceOut, allow="sequences:write", errors=(403, 409))
    async def archive_sequence(tx: Tx, req: Req[None, None]) -> Reply:
        """Put a sequence away; whoever is still in it is stopped."""
        return _tagged(*await actions.set_state(tx, req.id(), "archived", clock.now()))

    @routes.post("/sequences/{id}/simulate", body=SimulateIn, returns=Simulation, allow="sequences:read", errors=(409,))
    async def simulate_sequence(tx: Tx, req: Req[None, SimulateIn]) -> Reply:
        """Play the days ahead for these contacts: what would happen when, and why not sooner. Nothing is kept."""
        return Reply(await actions.simulate(tx, req.id(), req.body, clock.now()))

    @routes.post("/sequences/{id}/enrolments", body=EnrolIn, returns=Enrolled, status=202, allow="sequences:enrol", errors=(409,))
    async def enrol_contacts(tx: Tx, req: Req[None, EnrolIn]) -> Reply:
        """Enrol contacts from a list or a saved filter; says who was refused and why."""
        return Reply(await actions.enrol(tx, req.id(), req.body, clock.now()), 202)

    @routes.get("/sequences/{id}/enrolments", query=EnrolmentQuery, returns=EnrolmentPage, allow="sequences:read")
    async def list_sequence_enrolments(tx: Tx, req: Req[EnrolmentQuery, None]) -> Reply:
        """Who is and was in a sequence, in the order of enrolment."""
        await queries.read_sequence(tx, req.id())
        return Reply(await queries.list_enrolments(tx, req.query, sequence_id=req.id(), state=req.query.state))

    @routes.get("/sequences/{id}/results", returns=SequenceResults, allow="sequences:read")
    async def sequence_results(tx: Tx, req: Req[None, None]) -> Reply:
        """What became of a sequence, by step and variant, counted now."""
        return Reply(await actions.results(tx, req.id(), clock.now()))

    @routes.get("/contacts/{id}/enrolments", query=PageQuery, returns=EnrolmentPage, allow="sequences:read")
    async def list_contact_enrolments(tx: Tx, req: Req[PageQuery, None]) -> Reply:
        """The sequences a contact is and was in, in the order of enrolment."""
        if not await contact_exists(tx, req.id()):
            raise contact_missing()
        return Reply(await queries.list_enrolments(tx, req.query, contact_id=req.id()))

    @routes.post("/enrolments/bulk", body=BulkIn, returns=BulkDone, allow="sequences:enrol")
    async def change_enrolments(tx: Tx, req: Req[None, BulkIn]) -> Reply:
        """Do one thing to many enrolments; each is done or refused by itself."""
        return Reply(await actions.change_many(tx, req.body, clock.now()))

    @routes.get("/enrolments/{id}", returns=EnrolmentWithRuns, allow="sequences:read")
    async def get_enrolment(tx: Tx, req: Req[None, None]) -> Reply:
        """One enrolment with every step it took, and why the next one waits."""
        return Reply(await queries.read_enrolment_with_runs(tx, req.id()))

    @routes.post("/enrolments/{id}/pause", body=PauseIn, returns=Enrolment, allow="sequences:enrol", errors=(409,))
    async def pause_enrolment(tx: Tx, req: Req[None, PauseIn]) -> Reply:
        """Hold one contact up."""
        return Reply(await actions.pause(tx, req.id(), req.body.until, req.body.reason, clock.now()))

    @routes.post("/enrolments/{id}/resume", returns=Enrolment, allow="sequences:enrol", errors=(409,))
    async def resume_enrolment(tx: Tx, req: Req[None, None]) -> Reply:
        """Let a paused contact go on; its next step is planned anew."""
        return Reply(await actions.resume(tx, req.id(), clock.now()))

    @routes.post("/enrolments/{id}/stop", body=StopIn, returns=Enrolment, allow="sequences:enrol", errors=(409,))
    async def stop_enrolment(tx: Tx, req: Req[None, StopIn]) -> Reply:
        """Take a contact out of the sequence for good."""
        return Reply(await actions.stop(tx, req.id(), req.body.reason, clock.now()))

    @routes.post("/enrolments/{id}/skip", returns=Enrolment, allow="sequences:enrol", errors=(409,))
    async def skip_step(tx: Tx, req: Req[None, None]) -> Reply:
        """Leave the next step out."""
        return Reply(await actions.skip(tx, req.id(), clock.now()))

    @routes.post("/enrolments/{id}/move", body=MoveIn, returns=Enrolment, allow="sequences:enrol", errors=(409,))
    async def move_enrolment(tx: Tx, req: Req[None, MoveIn]) -> Reply:
        """Go on at another step. No step is taken twice: one that this contact has had is refused."""
        return Reply(await actions.move(tx, req.id(), req.body.position, clock.now()))

    @routes.post("/enrolments/{id}/mailbox", body=SwapIn, returns=Enrolment, allow="sequences:enrol", errors=(409,))
    async def swap_mailbox(tx: Tx, req: Req[None, SwapIn]) -> Reply:
        """Write from another mailbox from now on."""
        return Reply(await actions.swap_mailbox(tx, req.id(), req.body.mailbox_id, clock.now()))

    return routes


def _tagged(text: str, version: int, status: int = 200, **headers: str) -> Reply:
    return Reply(text, status, {"ETag": f'"{version}"', **headers})


def _if_match(req: Req[None, Any]) -> int | None:
    given = req.http.headers.get("If-Match", "*").strip()
    if given == "*":
        return None
    match = re.fullmatch(r'(?:W/)?"?(\d{1,9})"?', given)
    if match is None:
        raise Invalid.field("If-Match", "Send the ETag of the sequence as it was given, or leave the header out.")
    return int(match.group(1))
