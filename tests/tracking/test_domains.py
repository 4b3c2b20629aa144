"""A domain for links is used once it was seen to lead here, and says why it is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.db import tenant_tx
from hub.tracking.domains import CHECK, PATH, answer_to, check_daily, note_checked
from hub.who import Who
from integrations.errors import Rejected, Transient
from integrations.pointing import short_text
from tests.patience import PATIENCE_S
from tests.tracking.kit import Desk
from workers import tracking
from workers.job import Deps, Registry
from workers.ledger import Ledger
from workers.runner import Runner

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHALLENGE = "c" * 40


# Nobody listens there.
SILENT = "127.0.0.1:9"


async def work(desk: Desk, *, asks_private: bool = False) -> None:
    """The jobs of tracking that are due."""
    ledger = Ledger(desk.db, "a worker", {})
    settings = replace(desk.server.settings, private_mail_hosts=asks_private)
    runner = Runner(ledger, Registry.of(tracking), Deps(desk.db, settings), max_jobs=4)
    for each in await ledger.due(overdue_s=-0.001, limit=20):
        if each.tenant_id == desk.company.tenant_id:
            runner.start(each.tenant_id, [each.id], "sweep")
    await runner.drain(PATIENCE_S)


async def test_only_this_installation_answers_a_challenge(desk: Desk) -> None:
    answered = await short_text(f"{desk.server.url}{PATH}{CHALLENGE}", allow_private=True)
    assert answered == answer_to(desk.server.settings, CHALLENGE) and CHALLENGE not in answered
    for bad in ("short", "c" * 101, "%2e%2e%2f" * 8):
        with pytest.raises(Rejected, match="It answers 404"):
            await short_text(f"{desk.server.url}{PATH}{bad}", allow_private=True)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1", "localhost"]
)
async def test_nobody_has_it_ask_private_addresses(desk: Desk, host: str) -> None:
    port = desk.server.url.rsplit(":", 1)[1]
    with pytest.raises(Rejected, match="not on the public internet"):
        await short_text(f"http://{host}:{port}{PATH}{CHALLENGE}")


async def test_nobody_there_is_no_answer(desk: Desk) -> None:
    with pytest.raises(Transient, match="does not answer"):
        await short_text(f"http://127.0.0.1:9{PATH}{CHALLENGE}", allow_private=True)


async def test_one_that_does_not_lead_here_is_not_used_and_says_so(desk: Desk) -> None:
    owner = desk.api("owner")
    assert (await owner.post("/tracking/domain/check")).status == 409
    await desk.track(domain="links.example.invalid")
    shown = (await desk.api().get("/tracking/domain")).body
    assert (shown["is_used"], shown["checked_at"]) == (False, None) and "not looked at yet" in shown["words"]
    await work(desk)
    shown = (await desk.api().get("/tracking/domain")).body
    assert not shown["is_used"] and shown["checked_at"] is not None
    assert shown["words"].startswith("links.example.invalid is not used, because it was not seen to lead here: "), shown
    assert (await desk.api().post("/tracking/domain/check")).status == 403
    assert (await owner.post("/tracking/domain/check")).status == 200


async def test_one_that_leads_here_is_used_until_it_is_another(desk: Desk) -> None:
    who = Who.system(desk.company.tenant_id)
    await desk.track(domain="links.example.com")
    async with tenant_tx(desk.db, who) as tx:
        assert not await note_checked(tx, "other.example.com", None)
        assert await note_checked(tx, "links.example.com", None)
    shown = (await desk.api().get("/tracking/domain")).body
    assert shown["is_used"] and shown["words"] == "links.example.com leads here and is used in links."
    await desk.track(domain="links.example.com", opens="off")
    assert (await desk.api().get("/tracking/domain")).body["is_used"], "another change leaves it as it is"
    async with tenant_tx(desk.db, who) as tx:
        assert await note_checked(tx, "links.example.com", "Somebody else answers there.")
    assert not (await desk.api().get("/tracking/domain")).body["is_used"]
    await desk.track(domain="new.example.com")
    assert (await desk.api().get("/tracking/domain")).body["checked_at"] is None


async def in_use(desk: Desk, domain: str, *, days_ago: int = 0) -> None:
    """Links lead to this domain since it was seen to lead here, so many days ago."""
    await desk.track()
    await desk.rows(
        "UPDATE tracking_settings SET domain = $2, domain_problem = NULL, domain_seen_at = now() - make_interval(days => $3),"
        " domain_checked_at = now() - make_interval(days => $3) WHERE tenant_id = $1 RETURNING 1",
        desk.company.tenant_id,
        domain,
        days_ago,
    )


async def told(desk: Desk, role: str) -> list[str]:
    """What somebody was told, newest first."""
    return [each["title"] for each in (await desk.api(role).get("/notifications")).body["data"]]


async def test_each_is_looked_at_daily_and_managers_hear_of_one_that_leads_elsewhere(desk: Desk, other: Desk) -> None:
    """Given a domain in use that nobody looked at for days, when it leads elsewhere, then it is used no more and that is said."""
    await in_use(desk, SILENT, days_ago=2)
    await in_use(other, "fresh.example.com")
    assert await check_daily(desk.db) == 1
    assert await check_daily(desk.db) == 1, "until it was looked at"
    jobs = "SELECT tenant_id FROM jobs WHERE tenant_id = $1 AND kind = $2"
    assert len(await desk.rows(jobs, desk.company.tenant_id, CHECK)) == 1
    assert await other.rows(jobs, other.company.tenant_id, CHECK) == []
    await work(desk)
    shown = (await desk.api().get("/tracking/domain")).body
    assert not shown["is_used"] and "not on the public internet" in shown["words"]
    title = f"{SILENT} does not lead here any more"
    assert [await told(desk, role) for role in ("owner", "manager", "rep")] == [[title], [title], []]
    assert await check_daily(desk.db) == 0
    await in_use(desk, "back.example.com")
    async with tenant_tx(desk.db, Who.system(desk.company.tenant_id)) as tx:
        assert await note_checked(tx, "back.example.com", None)
    assert await told(desk, "owner") == [title], "that it is well is nothing to tell"


async def test_a_moments_silence_does_not_end_its_use(desk: Desk) -> None:
    await in_use(desk, SILENT)
    async with tenant_tx(desk.db, Who.system(desk.company.tenant_id)) as tx:
        await tx.defer(CHECK, {"domain": SILENT}, max_attempts=2)
    await work(desk, asks_private=True)
    assert (await desk.api().get("/tracking/domain")).body["is_used"]
    again = "UPDATE jobs SET run_at = now() WHERE tenant_id = $1 AND kind = $2 AND state = 'ready' RETURNING 1"
    assert len(await desk.rows(again, desk.company.tenant_id, CHECK)) == 1
    await work(desk, asks_private=True)
    shown = (await desk.api().get("/tracking/domain")).body
    assert not shown["is_used"] and shown["words"].endswith("It does not answer.")
    ended = await desk.rows("SELECT state FROM jobs WHERE tenant_id = $1 AND kind = $2", desk.company.tenant_id, CHECK)
    assert [row["state"] for row in ended] == ["done"], "and nobody finds a dead letter"
