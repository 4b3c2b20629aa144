"""Who sees what, tried through every endpoint that reads, with whatever is found by its id or by its words."""

from __future__ import annotations

import itertools
import re

import pytest

from hub.app import api_endpoints
from hub.auth.tokens import Tokens
from tests.harness import Api, RunningHub, make_settings
from tests.visibility.kit import Zoo, a_zoo

pytestmark = pytest.mark.asyncio(loop_scope="module")

READS = sorted(
    {e.path for e in api_endpoints(make_settings("", ""), Tokens(b"\0" * 32)) if e.method == "GET" and e.scope != "public"}
)
# What is asked of a list besides: by the word, and by the contact.
SEARCHES = (
    "/search?q={word}",
    "/recordings?q={word}",
    "/mail/threads?q={word}",
    "/contacts?company={word}",
    "/contacts?stage={word}",
    "/contacts?tag={word}",
    "/calls?contact_id={id}",
    "/tasks?contact_id={id}",
    "/recordings?contact_id={id}",
)
# Where everybody finds what they may see.
SHOWN = {
    f"/api/v1/{path}" for path in ("contacts", "contacts/{id}", "activities", "calls", "calls/{id}", "tasks", "messages/threads")
}
SHOWN |= {
    "/search?q={word}",
    "/mail/threads?q={word}",
    "/contacts?tag={word}",
    "/api/v1/mail/threads",
    "/api/v1/mail/threads/{id}",
}
EVERYBODY = {"manager", "rep", "mate", "loner", "nobody"}
_numbers = itertools.count(1)


def api(server: RunningHub, zoo: Zoo, name: str) -> Api:
    role, user_id = zoo.people[name]
    return server.as_member(zoo.company, role, user_id=user_id)


async def set_visibility(server: RunningHub, zoo: Zoo, choice: str) -> None:
    answer = await api(server, zoo, "owner").put("/visibility", {"visibility": choice})
    assert (answer.status, answer.body) == (200, {"visibility": choice})


async def found_by(server: RunningHub, zoo: Zoo, name: str, of: str) -> dict[str, set[str]]:
    """Whose words a person reads, by address: of every list, and of everything that is asked for by an id or a word of `of`'s."""
    client = api(server, zoo, name)
    found: dict[str, set[str]] = {}
    for path in [*READS, *SEARCHES]:
        address = re.sub(r"{(\w+)}", lambda m: {"index": "1", "word": zoo.words[of]}.get(m[1], str(zoo.ids[of])), path)
        answer = await client.call("GET", address)
        assert answer.status != 500 and (answer.status == 200 or path in READS), (address, answer.body)
        found[path] = {one for one, word in zoo.words.items() if word in str(answer.body)}
    return found


async def check(server: RunningHub, zoo: Zoo, name: str, sees: set[str], hidden: str, shown: str) -> None:
    """A person reads nothing of anybody but these, asked for `hidden` in particular; and finds what is `shown`'s."""
    found = await found_by(server, zoo, name, hidden)
    assert {path: words - sees for path, words in found.items() if words - sees} == {}, name
    lists = {path for path in SHOWN if "{" not in path}
    assert {path: sees - found[path] for path in lists if sees - found[path]} == {}, name
    client = api(server, zoo, name)
    for path in SHOWN - lists:
        answer = await client.call("GET", path.format(id=zoo.ids[shown], word=zoo.words[shown]))
        assert zoo.words[shown] in str(answer.body), (name, path)


async def test_nobody_reads_anywhere_what_the_setting_hides(server: RunningHub) -> None:
    zoo = await a_zoo(server.hub.db, f"Zoo{next(_numbers)}")
    found = await found_by(server, zoo, "loner", "rep")
    assert {path for path in SHOWN if found[path] < ({"rep"} if "{" in path else EVERYBODY)} == set(), "everyone sees everything"

    await set_visibility(server, zoo, "team")
    await check(server, zoo, "rep", {"manager", "rep", "mate", "nobody"}, hidden="loner", shown="mate")

    await set_visibility(server, zoo, "own")
    await check(server, zoo, "rep", {"rep", "nobody"}, hidden="mate", shown="nobody")
    await check(server, zoo, "manager", {"manager", "rep", "mate", "nobody"}, hidden="loner", shown="rep")
    owners = api(server, zoo, "owner")
    seen = [str((await owners.get(path)).body) for path in ("/contacts", "/calls", "/activities", "/mail/threads")]
    assert all(word in body for body in seen for word in zoo.words.values())
