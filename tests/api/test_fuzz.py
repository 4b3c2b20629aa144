"""The whole API against its own document: schemathesis invents requests, good and bad, and holds every answer to what is written.

The hub runs in a thread of its own, on a real port. What is invented is the same in every run.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import (
    ChecksConfig,
    CoveragePhaseConfig,
    FuzzingPhaseConfig,
    GenerationConfig,
    PhasesConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)
from schemathesis.specs.openapi.checks import positive_data_acceptance

from hub.app import document
from hub.db import tenant_tx
from hub.embedded import PostgresServer
from hub.notifications.actions import notify
from tests.conftest import Company, cloned_database, make_company
from tests.harness import RunningHub, make_settings, running_hub
from tests.recordings.kit import a_recording, put_file, wav

EXAMPLES = 10
# Cursors are opaque, numbers and addresses must exist, an owner must be a member: JSON Schema can't say so, and a 422 in words
# is right for what it lets through.
EXCLUDED: list[Any] = [positive_data_acceptance]
# What asks a provider, who is not there, answers 503 and says so.
ASKS_THE_PROVIDER = {"/api/v1/numbers/available", "/api/v1/voice/token", "/api/v1/mailboxes/google", "/api/v1/mailboxes"}


@dataclass(frozen=True, slots=True)
class Served:
    """A running hub with a company in it, and something for every kind of id."""

    url: str
    token: str
    things: dict[str, list[str]]


async def furnish(server: RunningHub, acme: Company) -> dict[str, list[str]]:
    """Things to ask for, by the path they are found under."""
    owner = server.as_member(acme, "owner")
    contacts, calls = [], []
    for n in range(3):
        given = {"first_name": f"N{n}", "phones": [{"e164": f"+1202555010{n}"}], "tags": ["vip"], "stage": "lead"}
        contacts.append(str((await owner.post("/contacts", given)).body["id"]))
        calls.append(str((await owner.post("/calls", {"contact_id": contacts[-1]})).body["id"]))
        await owner.post(f"/calls/{calls[-1]}/hangup")
    imported = (await owner.upload("/imports", "people.csv", b"Name,Email\nAda,ada@example.com\n")).body["id"]
    async with tenant_tx(server.hub.db, acme.who("owner")) as tx:
        jobs = [str(await tx.defer("test.nothing", {})) for _ in range(3)]
        told = [str(await notify(tx, acme.members["owner"], "task_due", f"number {n}")) for n in range(3)]
    tasks = [str((await owner.post("/tasks", {"title": f"number {n}"})).body["id"]) for n in range(3)]
    sequences = [
        str((await owner.post("/sequences", {"name": f"number {n}", "steps": [{"kind": "task"}] * 2})).body["id"])
        for n in range(3)
    ]
    for sequence in sequences:
        await owner.post(f"/sequences/{sequence}/enrolments", {"contact_ids": contacts})
    enrolled = (await owner.get(f"/contacts/{contacts[0]}/enrolments")).body["data"]
    recordings = [await a_recording(server.hub.db, acme, role="owner", said="hello") for _ in range(3)]
    for recording in recordings:
        await put_file(Path(server.settings.objects), acme, recording, wav())
    drops = [str((await owner.upload("/voicemail-drops", "x.wav", wav(), name=f"number {n}")).body["id"]) for n in range(3)]
    return {
        "/api/v1/recordings/": [str(each) for each in recordings],
        "/api/v1/voicemail-drops/": drops,
        "/api/v1/contacts/": contacts,
        "/api/v1/sequences/": sequences,
        "/api/v1/enrolments/": [enrolment["id"] for enrolment in enrolled],
        "/api/v1/calls/": calls,
        "/api/v1/imports/": [imported],
        "/api/v1/admin/jobs/": jobs,
        "/api/v1/members/": [str(acme.members["rep"])],
        "/api/v1/tasks/": tasks,
        "/api/v1/notifications/": told,
        "/api/v1/dispositions/": ["connected", "busy", "callback"],
    }


@pytest.fixture(scope="module")
def served(postgres: PostgresServer, valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    objects = str(tmp_path_factory.mktemp("objects"))
    ready: Future[Served] = Future()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        try:
            async with (
                cloned_database(postgres) as database,
                running_hub(make_settings(database.app_url, valkey_url, objects=objects)) as server,
            ):
                acme = await make_company(server.hub.db, "Acme")
                things = await furnish(server, acme)
                ready.set_result(Served(server.url, server.token(acme, "owner", lifetime_s=3600), things))
                await stop.wait()
        except BaseException as exc:
            if not ready.done():
                ready.set_exception(exc)
            raise

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), name="the hub")
    thread.start()
    try:
        yield ready.result(timeout=60)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=30)
        assert not thread.is_alive()
        loop.close()


def read_document() -> Any:
    """The document (test_http says that the running hub serves the very same), and how to invent from it."""
    generation = GenerationConfig(max_examples=EXAMPLES, deterministic=True, no_shrink=True)
    phases = PhasesConfig(coverage=CoveragePhaseConfig(enabled=True), fuzzing=FuzzingPhaseConfig(enabled=True))
    # A text that is longer than it may be is often more than a body may be, too: 413 comes before 422.
    checks = ChecksConfig()
    refusals = checks.negative_data_rejection
    refusals.expected_statuses = [*refusals.expected_statuses, "413"]
    projects = ProjectsConfig(default=ProjectConfig(generation=generation, phases=phases, checks=checks))
    return schemathesis.openapi.from_dict(document(make_settings("", "")), config=SchemathesisConfig(seed=1, projects=projects))


schema = read_document()


@schema.parametrize()  # type: ignore[untyped-decorator]
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_one_that_the_document_foresees(case: schemathesis.Case[Any], served: Served) -> None:
    name = next(iter(case.path_parameters), "id") if case.path_parameters else "id"
    given = str(case.path_parameters.get(name, "")) if case.path_parameters else ""
    if given and case.meta and case.meta.generation.mode.is_positive:
        # Every other id is one of something that is there.
        choice = uuid5(NAMESPACE_URL, given).int
        found = next((ids for prefix, ids in served.things.items() if case.operation.path.startswith(prefix)), [])
        if choice % 2 and found:
            case.path_parameters[name] = found[choice // 2 % len(found)]
    authorization = {"Authorization": f"Bearer {served.token}"}
    excluded = [*EXCLUDED, not_a_server_error] if case.operation.path in ASKS_THE_PROVIDER else EXCLUDED
    case.call_and_validate(base_url=served.url, headers=authorization, timeout=20, excluded_checks=excluded)
