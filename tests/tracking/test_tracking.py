"""Opens and clicks: off until somebody wants them, people's alone, and leading nowhere but where the mail said."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from hub.db import tenant_tx
from hub.tracking.domains import note_checked
from hub.tracking.plain import as_written
from hub.tracking.regions import is_off, regions_of
from hub.tracking.sending import Prepared
from hub.tracking.tokens import read_token, write_token
from hub.who import Who
from integrations.mime import Address, Draft, compose_message, read_message
from tests.tracking.kit import Desk

pytestmark = pytest.mark.asyncio(loop_scope="module")

HTML = '<p>Look at <a href="https://example.com/a?b=1&amp;c=2">this</a> and <a href="https://example.org/">that</a>.</p>'


def links(prepared: Prepared) -> list[str]:
    """The paths of the links that lead through us."""
    return re.findall(r'href="http://127\.0\.0\.1(/t/c/[^"]+)"', prepared.html)


def picture(prepared: Prepared) -> str:
    """The path of the picture."""
    found = re.search(r'src="http://127\.0\.0\.1(/t/o/[^"]+\.gif)"', prepared.html)
    assert found is not None, prepared.html
    return found[1]


async def a_tracked_mail(desk: Desk, html: str = HTML) -> tuple[UUID, Prepared]:
    send_id = await desk.sent(await desk.mailbox(), "ada@mail.example.com")
    prepared = await desk.prepare(send_id, "ada@mail.example.com", html)
    await desk.sent_long_ago(send_id)
    return send_id, prepared


async def test_nothing_is_tracked_until_somebody_wants_it(desk: Desk) -> None:
    assert (await desk.api().get("/tracking/settings")).body["opens"] == "off"
    send_id = uuid4()
    prepared = await desk.prepare(send_id, "ada@mail.example.com", HTML, bulk=False)
    assert (prepared.html, prepared.headers) == (HTML, {})
    assert await desk.rows("SELECT * FROM tracked_sends") == []


async def test_an_open_and_a_click_of_a_person_are_counted_and_told(desk: Desk) -> None:
    await desk.track()
    send_id, prepared = await a_tracked_mail(desk)
    status, _, image = await desk.fetch(picture(prepared))
    assert (status, image[:6]) == (200, b"GIF89a")
    status, leads, _ = await desk.fetch(links(prepared)[0])
    assert (status, leads) == (302, "https://example.com/a?b=1&c=2")
    await desk.judge(send_id)
    assert await desk.counts(send_id) == (1, 1, 0, 0)
    assert await desk.events("mail.%ed") == ["mail.opened", "mail.clicked"]
    told = (await desk.api().get(f"/mail/sends/{send_id}/tracking")).body
    assert [(h["kind"], h["url"], h["human"]) for h in told["hits"]] == [
        ("click", "https://example.com/a?b=1&c=2", True),
        ("open", None, True),
    ]
    assert [row["address"] for row in await desk.rows("SELECT address FROM tracking_hits")] == [None, None]


async def test_what_machines_fetch_is_kept_apart_and_is_no_event(desk: Desk) -> None:
    await desk.track()
    send_id, prepared = await a_tracked_mail(desk)
    await asyncio.gather(*(desk.fetch(path) for path in links(prepared)))
    await desk.fetch(links(prepared)[0], method="HEAD")
    await desk.fetch(picture(prepared), agent="Mozilla/5.0")
    # They came at once, however long it took to write them down.
    await desk.rows("UPDATE tracking_hits SET at = now() WHERE send_id = $1 RETURNING 1", send_id)
    await desk.judge(send_id)
    assert await desk.counts(send_id) == (0, 0, 1, 3)
    told = (await desk.api().get(f"/mail/sends/{send_id}/tracking")).body
    assert sorted(h["rule"] for h in told["hits"]) == ["all_links", "all_links", "apple_privacy", "method"]
    assert await desk.events("mail.%ed") == []


async def test_a_click_means_that_the_mail_was_opened(desk: Desk) -> None:
    await desk.track()
    send_id, prepared = await a_tracked_mail(desk)
    await desk.fetch(links(prepared)[0])
    await desk.judge(send_id)
    row = (await desk.rows("SELECT * FROM tracked_sends WHERE send_id = $1", send_id))[0]
    assert row["open_count"] == 0 and row["first_opened_at"] == row["first_clicked_at"] is not None


async def test_what_is_judged_twice_is_counted_once(desk: Desk) -> None:
    await desk.track()
    send_id, prepared = await a_tracked_mail(desk)
    await desk.fetch(picture(prepared))
    await desk.judge(send_id)
    await desk.judge(send_id)
    assert await desk.counts(send_id) == (1, 0, 0, 0)
    assert await desk.events("mail.opened") == ["mail.opened"]


async def test_a_job_is_asked_for_once_for_what_comes_together(desk: Desk) -> None:
    await desk.track()
    send_id, prepared = await a_tracked_mail(desk)
    await asyncio.gather(*(desk.fetch(picture(prepared)) for _ in range(6)))
    [came] = await desk.rows(
        "SELECT count(*) AS hits, count(DISTINCT (extract(epoch FROM at) / 4)::bigint) AS moments"
        " FROM tracking_hits WHERE send_id = $1",
        send_id,
    )
    jobs = await desk.rows("SELECT run_at > created_at + interval '2 s' AS later FROM jobs WHERE kind = 'tracking.judge'")
    # Four seconds are one moment: the six are of one or two, unless the machine took longer to write them down.
    assert came["hits"] == 6 and len(jobs) == came["moments"] and all(job["later"] for job in jobs)


async def test_no_token_leads_where_the_mail_did_not(desk: Desk, other: Desk) -> None:
    await desk.track()
    send_id, prepared = await a_tracked_mail(desk)
    settings = desk.server.settings
    path = links(prepared)[0]
    beyond = write_token(settings, "click", desk.company.tenant_id, send_id, 9)
    of_another = write_token(settings, "click", other.company.tenant_id, send_id, 1)
    for bad in (
        path[:-2] + ("AA" if path[-2:] != "AA" else "BB"),
        f"/t/c/{beyond}",
        f"/t/c/{of_another}",
        "/t/c/x",
        "/t/c/" + "é",
    ):
        status, leads, _ = await desk.fetch(bad)
        assert (status, leads) == (404, ""), bad
    status, leads, _ = await desk.fetch(path + "?url=https://evil.example.com")
    assert leads == "https://example.com/a?b=1&c=2"
    # A token is for one thing: the picture's opens no link and unsubscribes nobody.
    token = picture(prepared).removeprefix("/t/o/").removesuffix(".gif")
    assert read_token(settings, "open", token) is not None
    assert read_token(settings, "unsubscribe", token) is read_token(settings, "click", token) is None


async def test_only_links_that_can_be_followed_lead_through_us(desk: Desk) -> None:
    await desk.track()
    html = (
        '<a href="mailto:a@example.com">write</a><a href="tel:+1">call</a><a href="#x">below</a><a href="https://">broken</a>'
        '<a href="https://example.com/same">one</a><a href="https://example.com/same">two</a><img src="https://example.com/i.png">'
    )
    _, prepared = await a_tracked_mail(desk, html)
    assert len(set(links(prepared))) == 1 and len(links(prepared)) == 2
    assert "mailto:a@example.com" in prepared.html and 'src="https://example.com/i.png"' in prepared.html


async def test_the_same_mail_prepared_again_is_the_same(desk: Desk) -> None:
    await desk.track()
    send_id, first = await a_tracked_mail(desk)
    assert await desk.prepare(send_id, "ada@mail.example.com", HTML) == first


async def test_a_mail_to_several_people_is_not_tracked(desk: Desk) -> None:
    await desk.track()
    prepared = await desk.prepare(uuid4(), ["ada@mail.example.com", "bob@mail.example.com"], HTML, bulk=False)
    assert prepared.html == HTML


@pytest.mark.parametrize(
    ("off", "numbers", "addresses", "found"),
    [
        (["EU"], ["+4930901820"], [], "EU"),
        (["EU"], [], ["ada@example.de"], "EU"),
        (["EU"], [], ["ada@example.eu"], "EU"),
        (["EU"], ["+12125550123"], ["ada@example.com"], None),
        (["EEA"], ["+4721000000"], [], "EEA"),
        (["GB"], [], ["ada@example.co.uk"], "GB"),
        (["CA"], ["+14165550123"], [], "CA"),
        (["IO"], [], ["ada@startup.io"], None),
    ],
)
async def test_regions_are_told_by_numbers_and_addresses(
    off: list[str], numbers: list[str], addresses: list[str], found: str | None
) -> None:
    assert is_off(regions_of(numbers, addresses), off) == found


async def test_where_it_is_off_nothing_is_put_in_and_the_reason_is_kept(desk: Desk) -> None:
    await desk.track(off_regions=["eu"])
    contact_id = await desk.contact("ada@example.de")
    send_id = await desk.sent(await desk.mailbox(), "ada@example.de", contact_id)
    prepared = await desk.prepare(send_id, "ada@example.de", HTML, contact_id=contact_id)
    assert prepared.html == HTML and "List-Unsubscribe" in prepared.headers
    told = (await desk.api().get(f"/mail/sends/{send_id}/tracking")).body
    assert (told["opens_tracked"], told["reason"]) == (False, "Tracking is off in EU.")


async def test_ones_own_domain_stands_in_the_links(desk: Desk) -> None:
    await desk.track(domain="https://Links.Example.com/")
    send_id = await desk.sent(await desk.mailbox("other@acme.example.com"), "bob@mail.example.com")
    before = await desk.prepare(send_id, "bob@mail.example.com", HTML)
    assert "links.example.com" not in before.html, "nobody has seen yet that it leads here"
    async with tenant_tx(desk.db, Who.system(desk.company.tenant_id)) as tx:
        assert await note_checked(tx, "links.example.com", None)
    _, prepared = await a_tracked_mail(desk)
    assert 'href="https://links.example.com/t/c/' in prepared.html
    assert prepared.headers["List-Unsubscribe"].startswith("<https://links.example.com/u/")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"domain": "no domain"}, "domain"),
        ({"domain": "example.com/path"}, "domain"),
        ({"off_regions": ["Atlantis"]}, "off_regions.0"),
        ({"opens": "perhaps"}, "opens"),
    ],
)
async def test_settings_that_can_not_be_are_refused_by_name(desk: Desk, given: dict[str, Any], field: str) -> None:
    answer = await desk.api("owner").put("/tracking/settings", given)
    assert answer.status == 422 and answer.field(field)


async def test_the_rules_are_listed(desk: Desk) -> None:
    listed = (await desk.api().get("/tracking/rules")).body["data"]
    assert {"method", "agent", "network", "apple_privacy", "too_soon", "all_links"} <= {rule["id"] for rule in listed}


async def test_who_may_not_see_the_mail_does_not_see_who_opened_it(desk: Desk, other: Desk) -> None:
    await desk.track()
    send_id, _ = await a_tracked_mail(desk)
    await desk.rows("UPDATE mailboxes SET visibility = 'private' RETURNING 1")
    assert (await desk.api("rep").get(f"/mail/sends/{send_id}/tracking")).status == 200
    assert (await desk.api("owner").get(f"/mail/sends/{send_id}/tracking")).status == 404
    assert (await other.api("owner").get(f"/mail/sends/{send_id}/tracking")).status == 404


async def test_colleagues_see_the_mail_as_it_was_written(desk: Desk) -> None:
    await desk.track()
    _, prepared = await a_tracked_mail(desk)
    draft = Draft(
        message_id="<x@acme.example.com>",
        from_=Address("", "rep@acme.example.com"),
        to=(Address("", "ada@mail.example.com"),),
        subject="Hello",
        date=datetime.now(UTC),
        text="",
        html=prepared.html,
    )
    parsed = read_message(compose_message(draft))
    assert "/t/c/" in parsed.html and "/t/o/" in parsed.html
    async with tenant_tx(desk.db, Who.system(desk.company.tenant_id)) as tx:
        seen = await as_written(tx, desk.server.settings, parsed)
    assert "/t/" not in seen.html + seen.quoted.new_html and not seen.has_remote_images
    assert 'href="https://example.com/a?b=1&amp;c=2"' in seen.html
