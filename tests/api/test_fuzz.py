"""The whole API against its own document: schemathesis invents requests, good and bad, and holds every answer to what is written.

The hub runs in a thread of its own, on a real port. What is invented is the same in every run.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest
import requests
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
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.pytest._test_builder import build_operation_test
from schemathesis.specs.openapi.checks import positive_data_acceptance

from hub.app import document
from hub.db import tenant_tx
from hub.embedded import PostgresServer
from hub.notifications.actions import notify
from tests.conftest import Company, cloned_database, make_company
from tests.harness import RunningHub, make_settings, running_hub
from tests.recordings.kit import a_recording, put_file, wav

EXAMPLES = 6
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
    session: requests.Session


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
    # One connection for all; by itself schemathesis opens one for each request, and looks for proxies and passwords around it.
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
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
                ready.set_result(Served(server.url, server.token(acme, "owner", lifetime_s=3600), things, session))
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
        session.close()


def read_document() -> Any:
    """The document (test_http says that the running hub serves the very same), and how to invent from it."""
    generation = GenerationConfig(max_examples=EXAMPLES, deterministic=True, no_shrink=True)
    # test_matrix asks each address by the methods it lacks.
    coverage = CoveragePhaseConfig(enabled=True, unexpected_methods=set())
    phases = PhasesConfig(coverage=coverage, fuzzing=FuzzingPhaseConfig(enabled=True))
    # A text that is longer than it may be is often more than a body may be, too: 413 comes before 422.
    checks = ChecksConfig()
    refusals = checks.negative_data_rejection
    refusals.expected_statuses = [*refusals.expected_statuses, "413"]
    projects = ProjectsConfig(default=ProjectConfig(generation=generation, phases=phases, checks=checks))
    return schemathesis.openapi.from_dict(DOCUMENT, config=SchemathesisConfig(seed=1, projects=projects))


DOCUMENT = document(make_settings("", ""))
OPERATIONS = [f"{method.upper()} {path}" for path, operations in DOCUMENT["paths"].items() for method in operations]


@pytest.fixture(scope="module")
def schema() -> Any:
    return read_document()


@pytest.fixture(autouse=True)
def untraced() -> Iterator[None]:
    """Inventing and judging is not what coverage measures, and takes half as long again under it. The hub has its own thread."""
    tracing = sys.gettrace()
    sys.settrace(None)
    yield
    sys.settrace(tracing)


def test_the_document_is_valid(schema: Any) -> None:
    schema.validate()


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_is_one_that_the_document_foresees(name: str, schema: Any, served: Served) -> None:
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def is_foreseen(case: schemathesis.Case[Any]) -> None:
        hold_against_the_document(case, served)

    method, _, path = name.partition(" ")
    # schemathesis' own parametrize() invents everything while it collects, in every test process anew.
    invented = build_operation_test(
        config=schema.config,
        operation=schema[path][method],
        test_func=is_foreseen,
        given_kwargs={},
        feedback=FeedbackSources(),
    )
    invented()


def hold_against_the_document(case: schemathesis.Case[Any], served: Served) -> None:
    """Send one request, and hold its answer to what is written."""
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
    case.call_and_validate(
        base_url=served.url, session=served.session, headers=authorization, timeout=20, excluded_checks=excluded
    )
