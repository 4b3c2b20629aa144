"""Every endpoint there is, tried without a token, with too small a role, and with another company's ids.

The endpoints come from the application itself. A new one fails here until it is entered in tables.py and, if it has an id, in
things.py beside this file.
"""

from __future__ import annotations

import itertools
import re
from uuid import uuid4

import pytest
import pytest_asyncio

from hub.app import api_endpoints
from hub.auth.tokens import Tokens
from hub.http.endpoint import Endpoint
from hub.permissions import ROLE_PERMISSIONS
from hub.who import ROLES, Role
from tests.api.tables import ALIKE, BODIES, EMPTY, OF_NOBODY, PUBLIC
from tests.api.things import CSV, THINGS
from tests.conftest import Company, make_company
from tests.harness import Answer, Api, RunningHub, make_settings

pytestmark = pytest.mark.asyncio(loop_scope="module")

ENDPOINTS = {f"{e.method} {e.path}": e for e in api_endpoints(make_settings("", ""), Tokens(b"\0" * 32))}
_numbers = itertools.count(1)

NOT_IDS = ["7", "null", "%00", "%ff", "{id}", "..%2f..", "0" * 31, "g" * 32, "x" * 300, "\N{SNOWMAN}", "' OR 1=1--"]


def roles_allowed(endpoint: Endpoint) -> set[Role]:
    """The built-in roles that may call it."""
    needed = endpoint.allow
    if isinstance(needed, str):
        return {role for role in ROLES if needed in ROLE_PERMISSIONS[role]}
    return set(ROLES if needed is None else needed)


secured = pytest.mark.parametrize("name", [name for name in ENDPOINTS if name not in PUBLIC])
with_id = pytest.mark.parametrize("name", [name for name, e in ENDPOINTS.items() if e.path_params and name not in PUBLIC])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(lasting_server: RunningHub) -> RunningHub:
    return lasting_server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def acme(server: RunningHub) -> Company:
    return await make_company(server.hub.db, f"Acme{next(_numbers)}")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def globex(server: RunningHub) -> Company:
    return await make_company(server.hub.db, f"Globex{next(_numbers)}")


async def ask(api: Api, endpoint: Endpoint, thing: object = None) -> Answer:
    """A well-formed request, about a thing if the path wants one."""
    path = re.sub(r"{(id|value|leg_id)}", lambda _: str(thing), endpoint.path).replace("{index}", "0")
    if endpoint.upload is not None:
        return await api.upload(path, "people.csv", CSV)
    return await api.call(endpoint.method, path, json=BODIES.get(f"{endpoint.method} {endpoint.path}"))


async def test_every_endpoint_is_in_the_tables() -> None:
    assert set(PUBLIC) == {name for name, e in ENDPOINTS.items() if e.scope == "public"}
    assert {e.path for name, e in ENDPOINTS.items() if e.path_params and name not in PUBLIC} == set(THINGS)
    assert {name for name, e in ENDPOINTS.items() if e.body is not None} == set(BODIES)
    assert {e.path for e in ENDPOINTS.values() if e.method == "GET" and not e.path_params} == {*EMPTY, *OF_NOBODY}


@secured
async def test_without_a_token_it_is_a_401(server: RunningHub, name: str) -> None:
    answer = await ask(server.client(), ENDPOINTS[name], uuid4())
    assert (answer.status, answer.error) == (401, "unauthorized")


@pytest.mark.parametrize("name", [name for name, e in ENDPOINTS.items() if not roles_allowed(e) >= set(ROLES)])
async def test_with_too_small_a_role_it_is_a_403(server: RunningHub, acme: Company, name: str) -> None:
    endpoint = ENDPOINTS[name]
    allowed = roles_allowed(endpoint)
    thing = await THINGS[endpoint.path](server, acme) if endpoint.path_params else None
    for role in ROLES:
        answer = await ask(server.as_member(acme, role), endpoint, thing)
        assert (answer.status == 403) == (role not in allowed), (role, answer.body)
        if answer.status == 403:
            assert role in answer.body["message"]


@with_id
async def test_another_companys_id_is_the_same_404_as_none(server: RunningHub, acme: Company, globex: Company, name: str) -> None:
    endpoint = ENDPOINTS[name]
    thing = await THINGS[endpoint.path](server, acme)
    stranger = server.as_member(globex, "owner")
    theirs, nobodys = await ask(stranger, endpoint, thing), await ask(stranger, endpoint, uuid4())
    assert theirs.status == nobodys.status == 404
    without_time = ("request_id", "timestamp")
    assert {k: v for k, v in theirs.body.items() if k not in without_time} == {
        k: v for k, v in nobodys.body.items() if k not in without_time
    }
    own = await ask(server.as_member(acme, "owner"), endpoint, thing)
    assert own.status < 300 or own.status == 409, "the thing is there for its own company"


@with_id
async def test_an_id_that_is_none_is_a_404(server: RunningHub, acme: Company, name: str) -> None:
    owner = server.as_member(acme, "owner")
    for thing in NOT_IDS:
        assert (await ask(owner, ENDPOINTS[name], thing)).status == 404, thing


async def test_nothing_of_one_company_stands_in_the_lists_of_another(server: RunningHub, acme: Company, globex: Company) -> None:
    for make in set(THINGS.values()):
        await make(server, acme)
    quiet = await make_company(server.hub.db, f"Globex{next(_numbers)}")
    for path, is_empty in EMPTY.items():
        params = {"q": "ada"} if path == "/api/v1/search" else {}
        stranger = await server.as_member(quiet, "owner").get(path, **params)
        assert stranger.status == 200
        assert is_empty(stranger.body), (path, stranger.body)
        assert str(acme.tenant_id) not in str(stranger.body)
        own = await server.as_member(acme, "owner").get(path, **params)
        assert path in ALIKE or not is_empty(own.body), f"{path} shows nothing of what was made"


@secured
async def test_a_method_that_an_address_lacks_is_a_405_that_names_the_others(
    server: RunningHub, acme: Company, name: str
) -> None:
    endpoint = ENDPOINTS[name]
    has = {e.method for e in ENDPOINTS.values() if e.path == endpoint.path}
    url = server.url + re.sub(r"{\w+}", str(uuid4()), endpoint.path)
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - has:
        async with server.as_member(acme, "owner").session.request(method, url) as answer:
            assert (answer.status, (await answer.json())["error"]) == (405, "method_not_allowed"), method
            assert {m.strip() for m in answer.headers["Allow"].split(",")} == has
