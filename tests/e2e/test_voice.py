"""A day on the telephone in real browsers: a hundred contacts on the keyboard alone, a manager who whispers, and things that die.

How many contacts there are is RINGSIDE_E2E_CONTACTS; without it so many that a small machine is done within a minute.
"""

from __future__ import annotations

import asyncio
import csv
import os
import re
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from hub.contacts.addresses import AddressError, parse_phone
from tests.e2e import keyboard
from tests.e2e.house import House, open_house, until
from tests.e2e.people import Person
from tests.e2e.test_story import count, import_file, sample
from tests.e2e.watching import FloorWatch, percentile

CONTACTS = int(os.environ.get("RINGSIDE_E2E_CONTACTS") or 40)
# Of real calls' time: who talks for a minute is done after a second.
SPEED = "60"
TAG = "autumn"
PATIENT = "Petra Patient"  # answers, and never hangs up
PATIENT_NUMBER = "+12025550154"
DISPOSITIONS = (
    "connected",
    "left_voicemail",
    "no_answer",
    "busy",
    "wrong_number",
    "not_interested",
    "meeting_booked",
    "callback",
)
# Every way in which a call ends that nobody here ends before it is answered.
OUTCOMES = {"connected", "voicemail", "busy", "no_answer", "failed"}
# The patient contact's turn comes late in the day, and how long a day of so many calls takes is not what is promised.
DAY_S = 900.0
LONGEST_COUNTDOWN_S = 300
USUAL_MS = 500

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(chromium: str) -> AsyncIterator[House]:
    async with open_house(RINGSIDE_SANDBOX_SPEED=SPEED) as opened:
        yield opened


@dataclass
class Day:
    """Whom the rep skips, where a machine answers, when she may let the patient contact go, and what she did."""

    skipped: str = ""
    machines: set[str] = field(default_factory=set)
    may_hang_up: asyncio.Event = field(default_factory=asyncio.Event)
    calls: list[str] = field(default_factory=list)
    written: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)


def has_number(row: dict[str, str]) -> bool:
    """Whether a row of the list certainly has a number that can be called; the import may find more."""
    for column in ("Phone 1", "Phone 2", "Phone"):
        try:
            parse_phone(row.get(column) or "")
        except AddressError:
            continue
        return True
    return False


def list_of(folder: Path, wanted: int) -> Path:
    """The first rows of the sample, until so many have a number that can be called, all with one tag; and the patient contact."""
    with sample(folder).open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        header = list(rows.fieldnames or ())
        chosen, seen = [], 0
        for row in rows:
            chosen.append(row)
            seen += has_number(row)
            if seen == wanted:
                break
    assert seen == wanted, f"the sample has {seen} contacts with a number only"
    first, last = PATIENT.split()
    number = "Phone 1" if "Phone 1" in header else "Phone"
    chosen.append({"First Name": first, "Last Name": last, number: PATIENT_NUMBER})
    path = folder / "autumn.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*(name for name in header if name != "Tags"), "Tags"], restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(row | {"Tags": TAG} for row in chosen)
    return path


async def bring_list(manager: Person, path: Path) -> None:
    """The manager imports it; she has a mouse."""
    await manager.go_to("Import")
    await manager.page.get_by_role("link", name="New import").click()
    await import_file(manager.page, path)
    await expect(manager.page.get_by_role("status").get_by_text("Done", exact=True)).to_be_visible(timeout=60_000)
    assert await count(manager.page, "Failed") == 0


def name_of(contact: dict[str, Any]) -> str:
    return f"{contact['first_name']} {contact['last_name']}"


async def work(page: Page, day: Day) -> None:
    """What a rep does all day, by what her screen says, until nobody is left to call."""
    keys = keyboard.Keys(page)
    while True:
        seen = await keyboard.look(page)
        bar = seen["bar"]
        if bar and bar["who"] and (not day.calls or day.calls[-1] != bar["who"]):
            day.calls.append(bar["who"])
        nth = len(day.calls)
        if bar and bar["talks"]:
            await talk(page, keys, day, bar["who"], nth)
        elif bar and bar["wraps"]:
            value = DISPOSITIONS[nth % len(DISPOSITIONS)]
            day.written[bar["who"]] = value
            await keys.press(f"write up {bar['who']}", str(DISPOSITIONS.index(value) + 1), keyboard.DONE)
        elif bar:
            pass  # it rings
        elif seen["session"] == "Ready" and seen["next"] == day.skipped:
            await keys.press("skip", "s")
            why = page.get_by_label("Why they are skipped")
            if await why.count():
                await expect(why).to_be_focused()
                await page.keyboard.type("On holiday until December")
                await page.keyboard.press("Enter")
                await expect(why).to_be_hidden()
        elif seen["session"] == "Ready":
            await keys.press(f"dial {seen['next']}", "d")
        elif seen["session"] == "Paused":
            await keys.press("go on", "p")
        elif "waits for their time" in seen["note"] or "was called" in seen["note"]:
            return
        await asyncio.sleep(0.03)


async def talk(page: Page, keys: keyboard.Keys, day: Day, who: str, nth: int) -> None:
    """Some let their contact talk on, most say good-bye themselves, and now and then something is written down."""
    if who == PATIENT:
        if day.may_hang_up.is_set():
            await keys.press(f"hang up on {who}", keyboard.HANG_UP)
        elif who not in day.notes:
            await page.keyboard.press("n")
            day.notes[who] = "Has all the time in the world."
            await page.keyboard.type(day.notes[who])
            await page.keyboard.press("Escape")
    elif nth % 4 and who not in day.machines:
        await keys.press(f"hang up on {who}", keyboard.HANG_UP)


async def whisper(manager: Person, house: House, day: Day) -> None:
    """The manager listens to the patient call, then whispers; the sandbox's room says who hears whom."""
    page = manager.page
    row = (
        page.get_by_role("group", name="People by state")
        .get_by_role("listitem")
        .filter(has_text="Rosa Delgado")
        .filter(has_text=PATIENT)
    )
    await expect(row.get_by_text("Connected", exact=True)).to_be_visible(timeout=DAY_S * 1000)
    await row.get_by_role("button", name="Listen to Rosa Delgado").click()
    modes = row.get_by_role("radiogroup", name="How you are in Rosa Delgado’s call")
    await expect(modes.get_by_role("radio", name="Listen")).to_be_checked()
    await hearing(house, PATIENT_NUMBER, contact={"rosa"}, rosa={"contact"}, marcus={"contact", "rosa"})
    await modes.get_by_text("Whisper", exact=True).click()
    await expect(modes.get_by_role("radio", name="Whisper")).to_be_checked()
    await hearing(house, PATIENT_NUMBER, contact={"rosa"}, rosa={"contact", "marcus"}, marcus={"contact", "rosa"})
    day.may_hang_up.set()


async def hearing(house: House, number: str, **wanted: set[str]) -> None:
    """Wait until exactly these are in the room with the contact of this number, and each hears whom they should."""
    heard: dict[str, set[str]] = {}
    # A person's line ends with their id.
    floor = (await house.get("marcus", "/floor"))["people"]
    people = {each["user"]["id"].replace("-", ""): each["user"]["name"].split()[0].lower() for each in floor}

    async def is_so() -> bool:
        heard.clear()
        rooms = (await house.at_sandbox("/conferences"))["conferences"]
        theirs = (room["participants"] for room in rooms if any(seat["to"] == number for seat in room["participants"]))
        seats: list[dict[str, Any]] = next(theirs, [])
        names = {seat["call_sid"]: people.get(seat["to"].rpartition("_")[2], "contact") for seat in seats}
        heard.update({names[seat["call_sid"]]: {names[sid] for sid in seat["hears"]} for seat in seats})
        return heard == wanted

    try:
        await until("they hear each other as they should", is_so)
    except AssertionError as problem:
        raise AssertionError(f"wanted {wanted}, there was {heard}") from problem


async def accidents(house: House, day: Day, outages: list[float]) -> None:
    """A worker, the hub and Valkey each die once while calls are under way."""
    for share, victim in ((0.15, "worker-1"), (0.4, "hub"), (0.65, "valkey")):

        async def is_time(share: float = share) -> bool:
            return len(day.calls) >= share * CONTACTS and (not day.calls or day.calls[-1] != PATIENT)

        await until(f"{share:.0%} of the calls are made", is_time, DAY_S)
        outages.append(time.time() * 1000)
        house.kill(victim)


async def check_books(house: House, day: Day, queue_id: str, contacts: list[dict[str, Any]]) -> dict[str, int]:
    """Every call is settled, nobody was called twice, ours and the sandbox's books agree, every skip is explained."""

    async def all_settled() -> bool:
        made = await house.every("marcus", "/calls")
        return all(each["ended_at"] is not None for each in made)

    await until("every call is settled", all_settled)
    by_id = {contact["id"]: contact for contact in contacts}
    calls = [each for each in await house.every("marcus", "/calls") if each["contact_id"] in by_id]
    items = {item["contact"]["id"]: item for item in await house.every("rosa", f"/queues/{queue_id}/items")}
    assert items.keys() == by_id.keys()
    called = {contact_id for contact_id, item in items.items() if item["state"] != "skipped"}

    assert Counter(each["contact_id"] for each in calls) == Counter(dict.fromkeys(called, 1)), "each contact exactly once"
    rung = [each["to"] for each in (await house.at_sandbox("/calls"))["calls"] if each["to"].startswith("+")]
    assert Counter(rung) == Counter(each["to"] for each in calls), "the sandbox's book says the same"
    assert {each["state"] for each in calls} <= {"completed", "busy", "no_answer", "failed", "canceled"}
    assert not [item for item in items.values() if item["state"] in ("claimed", "dialing")]

    permits = {permit["id"]: permit for permit in await house.every("marcus", "/permits")}
    for each in calls:
        permit = permits[each["permit_id"]]
        assert permit["allowed"] and permit["used_at"] and permit["contact_id"] == each["contact_id"]
    refused = {permit["contact_id"]: permit["explanation"] for permit in permits.values() if not permit["allowed"]}
    skipped = [item for item in items.values() if item["state"] == "skipped"]
    for item in skipped:
        assert item["reason"]
        if by_id[item["contact"]["id"]]["phones"] and name_of(by_id[item["contact"]["id"]]) != day.skipped:
            assert refused[item["contact"]["id"]] == item["reason"]

    for each in calls:
        who = each["contact_name"]
        if who in day.written:
            assert each["disposition"] == day.written[who]
        if who in day.notes:
            assert each["note"] == day.notes[who]
    return Counter(each["outcome"] for each in calls)


async def test_a_rep_calls_everybody_on_the_keyboard_while_things_die(
    house: House, browser: Browser, tmp_path: Path, record_property: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    manager = await Person.arrive(browser, house, "marcus")
    rep = await Person.arrive(browser, house, "rosa")
    await keyboard.put_the_mouse_away(rep)
    await manager.sign_in()
    # So many are called; two are on the do-not-call list, one has said no, one the rep skips, and some have no number.
    await bring_list(manager, list_of(tmp_path, CONTACTS + 4 - 1))
    contacts = [contact for contact in await house.all_contacts("marcus") if TAG in contact["tags"]]
    numbered = [contact for contact in contacts if contact["phones"] and name_of(contact) != PATIENT]
    stopped, denied, skipped = numbered[2:9:6], numbered[11], numbered[13]
    for contact in stopped:
        listed = {"kind": "phone", "value": contact["phones"][0]["e164"], "reason": "asked us not to call"}
        await house.post("marcus", "/suppressions", listed)
    await house.put("marcus", f"/contacts/{denied['id']}/consent", {"channel": "call", "state": "denied", "source": "letter"})
    # A call is done with when the rep has said how it went: else the next one is dialed while nobody takes her word for it.
    await house.put("olivia", "/voice/settings", {"machine_detection": True, "wrap_up_s": 0})
    machines = {name_of(contact) for contact in numbered if contact["phones"][0]["e164"].endswith("7")}
    day = Day(name_of(skipped), machines)
    await manager.go_to("Floor")
    floor = FloorWatch(manager.page)
    await floor.start()
    before = await house.get("marcus", "/floor")

    # The rep's day, without a mouse.
    page = rep.page
    await keyboard.sign_in(rep)
    await keyboard.go_to(page, "Dialer")
    queue_id = await keyboard.make_queue(page, "Autumn offer", TAG)
    await house.patch("marcus", f"/queues/{queue_id}", {"countdown_s": LONGEST_COUNTDOWN_S})
    outages: list[float] = []
    began = time.monotonic()
    await keyboard.press_on(page, page.get_by_role("button", name="Start dialing"))
    async with asyncio.TaskGroup() as group:
        group.create_task(whisper(manager, house, day))
        group.create_task(accidents(house, day, outages))
        await work(page, day)
    took = time.monotonic() - began
    await keyboard.press_on(page, page.get_by_role("button", name="Leave"))
    await expect(page.get_by_role("button", name="Start dialing")).to_be_visible()
    assert await keyboard.touched(page) == []

    outcomes = await check_books(house, day, queue_id, contacts)
    assert sum(outcomes.values()) == len(numbered) + 1 - 4 >= CONTACTS
    assert outcomes.keys() == OUTCOMES
    told = await steps_seen(house, floor, before["seq"], outages)
    p50, p95 = percentile(told, 0.5), percentile(told, 0.95)
    said = (
        f"{sum(outcomes.values())} calls in {took:.1f} s by keyboard, {dict(outcomes)}; "
        f"event to the manager's screen, {len(told)} states of calls: p50 {p50:.0f} ms, p95 {p95:.0f} ms"
    )
    record_property("voice", said)
    with capsys.disabled():
        print(f"\n{said}")
    assert p50 < USUAL_MS
    for person in (manager, rep):
        uncaught = [fault for fault in person.faults if re.match("uncaught|asked|connected", fault)]
        assert uncaught == [], f"{person.name}: {uncaught}"
        await person.leave()


async def steps_seen(house: House, floor: FloorWatch, seq: int, outages: list[float]) -> list[Any]:
    """How soon the manager saw each state of each call, but for the seconds after something died."""
    found: list[Any] = []
    while page := (await house.get("marcus", "/events", after=seq, limit=500))["data"]:
        found += page
        seq = page[-1]["seq"]
    calm = [
        event
        for event in found
        if not any(0 <= datetime.fromisoformat(event["at"]).timestamp() * 1000 - at < 15_000 for at in outages)
    ]
    return [step for step in await floor.steps(calm) if step.ms is not None]


async def test_a_call_is_held_muted_noted_supervised_and_handed_over(house: House, browser: Browser) -> None:
    rep = await Person.arrive(browser, house, "rosa")
    manager = await Person.arrive(browser, house, "marcus")
    colleague = await Person.arrive(browser, house, "ravi")
    for person in (rep, manager, colleague):
        await person.sign_in()
    await manager.go_to("Floor")
    number = PATIENT_NUMBER
    given = {"first_name": "Nadia", "last_name": "Neverending", "phones": [{"e164": number}]}
    contact = await house.post("rosa", "/contacts", given)
    page, bar = rep.page, rep.page.get_by_role("region", name="Call bar")
    await page.goto(f"/contacts/{contact['id']}")
    await page.get_by_role("button", name=f"Call {number}").click()
    await expect(bar.get_by_text("Connected", exact=True)).to_be_visible()
    await hearing(house, number, contact={"rosa"}, rosa={"contact"})

    # Notes while talking; mute and hold by key, and what the far end hears of it.
    await page.keyboard.press("n")
    await page.keyboard.type("Moves house in March.")
    await page.keyboard.press("Escape")
    await page.keyboard.press("m")
    await expect(bar.get_by_role("button", name="Unmute")).to_have_attribute("aria-pressed", "true")
    await hearing(house, number, contact=set(), rosa={"contact"})
    await page.keyboard.press("m")
    await hearing(house, number, contact={"rosa"}, rosa={"contact"})
    await page.keyboard.press("h")
    await expect(bar.get_by_role("button", name="Go on")).to_have_attribute("aria-pressed", "true")
    await hearing(house, number, contact=set(), rosa=set())
    await page.keyboard.press("h")
    await hearing(house, number, contact={"rosa"}, rosa={"contact"})

    # The manager listens, and then speaks to both.
    row = (
        manager.page.get_by_role("group", name="People by state")
        .get_by_role("listitem")
        .filter(has_text="Rosa Delgado")
        .filter(has_text="Nadia")
    )
    await row.get_by_role("button", name="Listen to Rosa Delgado").click()
    await expect(bar.get_by_text("Marcus Webb is listening")).to_be_visible()
    modes = row.get_by_role("radiogroup", name="How you are in Rosa Delgado’s call")
    await modes.get_by_text("Barge", exact=True).click()
    await expect(modes.get_by_role("radio", name="Barge")).to_be_checked()
    await hearing(house, number, contact={"marcus", "rosa"}, rosa={"contact", "marcus"}, marcus={"contact", "rosa"})
    await row.get_by_role("button", name="Leave Rosa Delgado’s call").click()
    await expect(bar.get_by_role("list", name="Also in this call")).to_be_hidden()
    await hearing(house, number, contact={"rosa"}, rosa={"contact"})

    # A colleague is brought in, and takes the call over.
    await bar.get_by_role("button", name="Add or transfer").click()
    await page.get_by_role("combobox", name="Colleague").fill("Ravi")
    await page.get_by_role("option", name="Ravi Shah").click()
    await page.get_by_role("button", name="Bring in").click()
    await expect(bar.get_by_text("Ravi Shah is in the call")).to_be_visible()
    await bar.get_by_role("button", name="Leave it to them").click()
    theirs = colleague.page.get_by_role("region", name="Call bar")
    await expect(theirs).to_contain_text("Nadia Neverending")
    await expect(theirs.get_by_text("Connected", exact=True)).to_be_visible()
    await expect(bar).to_contain_text("You handed this call over.")
    await page.keyboard.press(keyboard.DONE)
    await expect(bar).to_be_hidden()
    await expect(manager.page.get_by_role("list", name="Available").get_by_text("Rosa Delgado")).to_be_visible()
    await colleague.page.keyboard.press(keyboard.HANG_UP)
    await expect(theirs.get_by_role("radiogroup", name="Disposition")).to_be_visible()
    await colleague.page.keyboard.press("7")
    await colleague.page.keyboard.press(keyboard.DONE)
    await expect(theirs).to_be_hidden()
    call = (await house.get("marcus", "/calls", contact_id=contact["id"]))["data"][0]
    assert (call["outcome"], call["disposition"], call["note"]) == ("connected", "meeting_booked", "Moves house in March.")
    done = [entry["action"] for entry in (await house.get("marcus", f"/calls/{call['id']}/audit"))["data"]]
    assert set(done) >= {"mute", "unmute", "hold", "unhold", "listen", "barge", "invited", "transfer_warm", "transferred"}
    for person in (rep, manager, colleague):
        assert person.faults == [], f"{person.name}: {person.faults}"
        await person.leave()
