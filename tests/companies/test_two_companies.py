"""The story of two companies: they sign up, grow, pay, fail to pay, recover, shrink and leave, and never notice each other.

Lantern pays for Pro once a year, with a code and a tax id, until its bank says no. Quarry hesitates, takes Enterprise by the
month, grows, sends somebody away, takes a smaller plan and goes for good. Time is Stripe's: a year passes in a moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from hub.plans.table import FEATURES, PLANS
from tests.beats import within_a_second
from tests.billing.kit import DECLINED_LATER
from tests.companies.kit import Person, Town, day_of, out_at_once, rests_with_the_plan, share
from tests.integrations.stripe_kit import post

DECLINED, BERLIN = "4000000000000002", "Europe/Berlin"
EVERYTHING = set(FEATURES)
OF_PRO = set(PLANS["pro"].features)
YEAR_OF_PRO, MONTH_OF_ENTERPRISE, MONTH_OF_BASIC = 49_000, 9_900, 1_900


async def test_two_companies_sign_up_grow_pay_fail_recover_shrink_and_leave(town: Town) -> None:
    lantern = await Lantern.signs_up(town)
    quarry = await Quarry.signs_up(town)
    await both_try_everything_and_neither_is_seen_by_the_other(lantern, quarry)
    await lantern_buys_a_year_before_its_trial_is_over(town, lantern, quarry)
    await quarry_hesitates_and_may_only_read_until_it_buys(town, lantern, quarry)
    await quarry_grows(town, lantern, quarry)
    await quarry_sends_somebody_away(town, lantern, quarry)
    await a_year_passes_and_lantern_s_bank_says_no(town, lantern, quarry)
    await lantern_may_only_read_and_then_not_even_that(town, lantern, quarry)
    await lantern_pays_and_has_everything_back(town, lantern, quarry)
    await quarry_takes_a_smaller_plan(town, lantern, quarry)
    await quarry_leaves_for_good(town, lantern, quarry)
    await lantern_changes_hands_and_lets_its_plan_end(town, lantern)


@dataclass
class Lantern:
    """Fay founded it, Lars keeps the books, Lena calls people."""

    fay: Person
    lars: Person
    lena: Person
    ines: str = ""

    @classmethod
    async def signs_up(cls, town: Town) -> Lantern:
        """Fay signs it up, and brings the others in."""
        fay = await town.signs_up("Lantern & Sons", "Fay Lantern", "fay@lantern.example", zone=BERLIN)
        assert (await fay.api.get("/company")).body["zone"] == BERLIN
        return cls(fay, await fay.hires("Lars Beam", role="admin"), await fay.hires("Lena Wick"))


@dataclass
class Quarry:
    """Quinn founded it, Rex manages, Ruby calls people."""

    quinn: Person
    rex: Person
    ruby: Person
    omar: str = ""

    @classmethod
    async def signs_up(cls, town: Town) -> Quarry:
        """Quinn signs it up, and brings the others in."""
        quinn = await town.signs_up("Quarry", "Quinn Stone", "quinn@quarry.example")
        return cls(quinn, await quinn.hires("Rex Marble", role="manager"), await quinn.hires("Ruby Flint"))


async def both_try_everything_and_neither_is_seen_by_the_other(lantern: Lantern, quarry: Quarry) -> None:
    for owner in (lantern.fay, quarry.quinn):
        assert await owner.standing() == ("enterprise", "trial")
        assert await owner.may_use() == EVERYTHING
    lantern.ines = (await lantern.lena.api.post("/contacts", {"first_name": "Ines"})).body["id"]
    quarry.omar = (await quarry.ruby.api.post("/contacts", {"first_name": "Omar"})).body["id"]

    assert [each["first_name"] for each in (await quarry.rex.api.get("/contacts")).body["data"]] == ["Omar"]
    assert (await quarry.rex.api.get(f"/contacts/{lantern.ines}")).status == 404
    assert (await lantern.lena.api.patch(f"/contacts/{quarry.omar}", {"first_name": "Oma"})).status == 404
    assert (await quarry.quinn.api.patch(f"/members/{lantern.lena.id}", {"status": "deactivated"})).status == 404
    # A letter that fell into the wrong hands lets nobody else in.
    letter = await lantern.fay.invites("Lou Spark")
    assert (await quarry.quinn.api.post("/join/accept", {"token": letter.token})).error == "other_account"
    [asked] = (await lantern.fay.api.get("/invitations", state="open")).body["data"]
    assert (await quarry.quinn.api.post(f"/invitations/{asked['id']}/withdraw")).status == 404
    assert (await lantern.fay.api.post(f"/invitations/{asked['id']}/withdraw")).status == 200


async def lantern_buys_a_year_before_its_trial_is_over(town: Town, lantern: Lantern, quarry: Quarry) -> None:
    fay, lars = lantern.fay, lantern.lars
    await town.sells_with("LAUNCH20", percent_off=20)
    await town.days_pass(11.5)
    for owner, company, zone in ((fay, "Lantern & Sons", BERLIN), (quarry.quinn, "Quarry", "UTC")):
        trial_ends = day_of((await owner.account())["trial_ends_at"], zone)
        assert await town.dunned(owner) == [f"The trial of {company} ends on {trial_ends}"]

    # Lena has nothing to do with money, and Quinn nothing with Lantern's.
    assert (await lantern.lena.api.get("/billing")).status == 403
    checkout = await lars.goes_to_the_checkout("pro", 5, every="year")
    await lars.pays_there(checkout, promotion_code="LAUNCH20", tax_id_type="eu_vat", tax_id="DE123456789")
    account = await fay.account()
    assert (account["plan"], account["every"], account["seats"], account["card"]) == ("pro", "year", 5, "Visa 4242")
    assert await fay.standing() == ("pro", "trial")
    assert await fay.invoices() == []
    assert (
        await lars.api.post("/billing/checkout", {"plan": "basic", "every": "month", "seats": 3})
    ).error == "already_subscribed"

    await town.days_pass(4)
    assert await lantern.lena.standing() == ("pro", "active")
    assert await fay.may_use() == OF_PRO
    assert await fay.invoices() == [("paid", 5 * YEAR_OF_PRO * 80 // 100, 5 * YEAR_OF_PRO * 80 // 100)]
    assert [(each.type, each.value) for each in (await town.customer_of(fay)).tax_ids.data] == [("eu_vat", "DE123456789")]
    assert (await quarry.quinn.api.get(f"/billing/invoices/{await fay.newest_invoice()}/links")).status == 404
    # What Pro lacks rests since then, by itself.
    assert await fay.log("plan.") == [("Lars", "plan.checkout_opened"), ("", "plan.features_changed")]


async def quarry_hesitates_and_may_only_read_until_it_buys(town: Town, lantern: Lantern, quarry: Quarry) -> None:
    quinn, ruby = quarry.quinn, quarry.ruby
    assert await quinn.standing() == ("enterprise", "read_only")
    refused = await ruby.api.post("/contacts", {"first_name": "Olga"})
    assert (refused.status, refused.error) == (402, "payment_required")
    assert "can only be read, since the trial has ended and no plan was chosen" in refused.body["message"]
    assert (await ruby.api.get(f"/contacts/{quarry.omar}")).body["first_name"] == "Omar"
    # That is Quarry's trouble, not Lantern's.
    assert (await lantern.lena.api.patch(f"/contacts/{lantern.ines}", {"last_name": "Keller"})).status == 200

    checkout = await quinn.goes_to_the_checkout("enterprise", 3)
    status, _, page = await post(checkout, card=DECLINED)
    assert (status, "declined" in page) == (402, True)
    assert await quinn.standing() == ("enterprise", "read_only")
    await quinn.pays_there(checkout)
    assert await quinn.standing() == ("enterprise", "active")
    assert await quinn.invoices() == [("paid", 3 * MONTH_OF_ENTERPRISE, 3 * MONTH_OF_ENTERPRISE)]
    assert (await ruby.api.post("/contacts", {"first_name": "Olga"})).status == 201
    assert (await town.dunned(quinn))[1:] == ["The trial of Quarry has ended", "Thank you: Quarry is paid for"]
    assert await town.dunned(ruby) == []


async def quarry_grows(town: Town, lantern: Lantern, quarry: Quarry) -> None:
    quinn = quarry.quinn
    full = await quinn.api.post("/invitations", {"email": "sam@quarry.example"})
    assert (full.status, full.error, full.body["details"]["limit"]) == (402, "plan_limit", "seats")
    assert "has 3 seats, and 3 of them are taken" in full.body["message"]

    await town.days_pass(10)
    item = (await town.customer_of(quinn)).subscriptions.data[0]["items"].data[0]
    shown = await quinn.is_shown("enterprise", 5)
    at, begins, ends = datetime.fromisoformat(shown["at"]), _moment(item.current_period_start), _moment(item.current_period_end)
    more = share(5 * MONTH_OF_ENTERPRISE, at, begins, ends) - share(3 * MONTH_OF_ENTERPRISE, at, begins, ends)
    assert shown["due_minor"] == shown["total_minor"] == more
    await quinn.changes_to("enterprise", 5, shown)
    assert (await quinn.invoices())[-1] == ("paid", more, more)
    # Whose plan is changed is who asks, and nobody else: Fay's bill is what it was.
    assert len(await lantern.fay.invoices()) == 1


async def quarry_sends_somebody_away(town: Town, lantern: Lantern, quarry: Quarry) -> None:
    quinn, ruby = quarry.quinn, quarry.ruby
    sam = await quinn.hires("Sam Slate", role="admin")
    theirs = (await sam.api.post("/contacts", {"first_name": "Otto", "owner_id": str(sam.id)})).body["id"]
    key = await sam.makes_a_key()
    assert (await key.get(f"/contacts/{theirs}")).status == 200
    assert (await key.get(f"/contacts/{lantern.ines}")).status == 404
    sams, rubys, fays = [await each.opens_the_console() for each in (sam, ruby, lantern.fay)]

    handover = {"to_id": str(ruby.id), "kinds": ["contacts", "tasks"]}
    assert (await lantern.fay.api.post(f"/members/{sam.id}/deactivate", {"handover": None})).status == 404
    assert (await quinn.api.post(f"/members/{sam.id}/deactivate", {"handover": handover})).status == 200
    await out_at_once(sam, sams, key)
    assert (await sam.signs_in()).status in (401, 403)
    await town.bank.work()
    assert (await ruby.api.get(f"/contacts/{theirs}")).body["owner_id"] == str(ruby.id)
    await within_a_second(town.realtime.heads, lambda: "member.updated" in [each["type"] for each in rubys.events])
    assert not rubys.disconnected and not fays.disconnected
    # Fay's console has heard that she is there, and nothing of any of this.
    assert {each["type"] for each in fays.events} <= {"presence.changed"}
    assert str(sam.id) not in str(fays.heard)
    assert ("Quinn", "handover.started") in await quinn.log("handover.")


async def a_year_passes_and_lantern_s_bank_says_no(town: Town, lantern: Lantern, quarry: Quarry) -> None:
    fay, lena = lantern.fay, lantern.lena
    await fay.replaces_the_card(DECLINED_LATER)
    assert (await fay.account())["card"].endswith("0341")
    await town.days_pass(366)

    # Quarry has paid month after month, and has nothing to do with what happens next door.
    months = (await quarry.quinn.invoices())[2:]
    assert set(months) == {("paid", 5 * MONTH_OF_ENTERPRISE, 5 * MONTH_OF_ENTERPRISE)}
    assert len(months) == 12
    assert await quarry.quinn.standing() == ("enterprise", "active")

    # The code was for once: the second year costs the whole.
    assert (await fay.invoices())[1:] == [("open", 5 * YEAR_OF_PRO, 0)]
    assert await lena.standing() == ("pro", "grace")
    assert (await lena.api.patch(f"/contacts/{lantern.ines}", {"first_name": "Inés"})).status == 200
    for payer in (fay, lantern.lars):
        letter = (await town.letters(payer.email))[-1]
        assert letter.subject == "A payment for Lantern & Sons failed"
        until_when = day_of((await fay.account())["until"], BERLIN)
        assert f"was declined. Everything goes on working until {until_when}; the card is tried again" in letter.text
    assert await town.dunned(lena) == []
    # Quinn can neither see what Lantern owes nor pay it.
    assert (await quarry.quinn.api.get(f"/billing/invoices/{await fay.newest_invoice()}/links")).status == 404


async def lantern_may_only_read_and_then_not_even_that(town: Town, lantern: Lantern, quarry: Quarry) -> None:
    fay, lena = lantern.fay, lantern.lena
    await town.days_pass(14)
    assert await lena.standing() == ("pro", "read_only")
    refused = await lena.api.post("/contacts", {"first_name": "Ida"})
    assert (refused.status, "since the last payment failed" in refused.body["message"]) == (402, True)
    assert (await lena.api.get(f"/contacts/{lantern.ines}")).body["first_name"] == "Inés"
    letter = (await town.letters(fay.email))[-1]
    assert letter.subject == "Lantern & Sons can only read on Ringside until the invoice is paid"
    assert "Everything works again the moment it is paid. No data is lost." in letter.text

    lenas, rubys = await lena.opens_the_console(), await quarry.ruby.opens_the_console()
    await town.days_pass(31)
    assert await lena.standing() == ("pro", "suspended")
    await within_a_second(town.realtime.heads, lambda: lenas.disconnected)
    assert (lenas.of("bye"), rubys.of("bye"), rubys.disconnected) == ([{"reason": "suspended"}], [], False)
    assert (await lena.api.get(f"/contacts/{lantern.ines}")).status == 402
    letter = (await town.letters(fay.email))[-1]
    assert letter.subject == "Lantern & Sons is suspended on Ringside"
    assert "All of its data is kept, and can be exported." in letter.text
    # What is left: who belongs here, the plan, and taking everything away.
    assert (await fay.api.get("/members")).status == 200
    assert (await fay.exports_everything())["contacts"] == 1
    assert (await quarry.ruby.api.get(f"/contacts/{quarry.omar}")).status == 200
    assert (await quarry.quinn.api.get(f"/contacts/{lantern.ines}")).status == 404


async def lantern_pays_and_has_everything_back(town: Town, lantern: Lantern, quarry: Quarry) -> None:
    fay, lena = lantern.fay, lantern.lena
    await fay.pays_the_open_invoice()
    assert await lena.standing() == ("pro", "active")
    assert (await lena.api.get(f"/contacts/{lantern.ines}")).body["first_name"] == "Inés"
    assert (await lena.api.post("/contacts", {"first_name": "Ida"})).status == 201
    assert (await lena.opens_the_console()).of("ready")
    assert await fay.may_use() == OF_PRO
    assert (await fay.invoices())[1:] == [("paid", 5 * YEAR_OF_PRO, 5 * YEAR_OF_PRO)]
    assert [subject.partition(" on ")[0] for subject in (await town.dunned(fay))[1:]] == [
        "A payment for Lantern & Sons failed",
        "Lantern & Sons can only read",
        "Lantern & Sons is suspended",
        "Thank you: Lantern & Sons is paid for",
    ]


async def quarry_takes_a_smaller_plan(town: Town, lantern: Lantern, quarry: Quarry) -> None:
    quinn = quarry.quinn
    await town.day_comes((await quinn.account())["period_ends_at"])
    await town.day_comes((await quinn.account())["period_ends_at"], days_before=10)
    few = await quinn.api.post("/billing/preview", {"plan": "basic", "every": "month", "seats": 2})
    assert few.field("seats") == "Your company has 3 active people. Take at least 3 seats, or deactivate somebody first."
    key = await quinn.makes_a_key()
    closer = (await quinn.api.post("/roles", {"name": "Closer", "permissions": ["contacts:read"]})).body["id"]
    assert (await quinn.api.patch(f"/members/{quarry.ruby.id}", {"role_id": closer})).status == 200
    rests = (await quinn.api.get("/billing/effects", plan="basic")).body["rests"]
    said = {each["feature"]: each["words"].partition(".")[0] for each in rests}
    assert said["api_keys"] == "1 API key stops working at once, and what listens with it is disconnected"
    assert said["custom_roles"] == "1 person has a role of your company's own"
    assert (await key.get("/contacts")).status == 200

    shown = await quinn.is_shown("basic", 3)
    item = (await town.customer_of(quinn)).subscriptions.data[0]["items"].data[0]
    at, begins, ends = datetime.fromisoformat(shown["at"]), _moment(item.current_period_start), _moment(item.current_period_end)
    back = share(5 * MONTH_OF_ENTERPRISE, at, begins, ends) - share(3 * MONTH_OF_BASIC, at, begins, ends)
    assert (shown["total_minor"], shown["due_minor"]) == (-back, 0)
    await quinn.changes_to("basic", 3, shown)
    assert (await quinn.account())["balance_minor"] == back
    # What anybody may do is known everywhere within a second; who goes on before that may have to do it twice.
    await key.within_a_second(lambda: rests_with_the_plan(key))
    await quarry.ruby.goes_on()
    assert await quarry.ruby.standing() == ("basic", "active")
    assert await quinn.may_use() == set()
    assert await lantern.fay.may_use() == OF_PRO

    # What is left of the larger plan pays for a month of the smaller one.
    months_before = len(await quinn.invoices())
    await town.day_comes((await quinn.account())["period_ends_at"])
    assert (await quinn.invoices())[months_before:] == [("paid", 3 * MONTH_OF_BASIC, 0)]
    assert (await quinn.account())["balance_minor"] == back - 3 * MONTH_OF_BASIC


async def quarry_leaves_for_good(town: Town, lantern: Lantern, quarry: Quarry) -> None:
    quinn, ruby = quarry.quinn, quarry.ruby
    customer = (await town.customer_of(quinn)).id
    for_good = {"subject_kind": "company", "confirm": "Quarry"}
    assert (await quinn.api.post("/privacy/erasures", for_good)).error == "plan_renews"
    ends = (await quinn.api.post("/billing/cancel")).body["account"]["cancel_at"]
    assert (await quinn.api.post("/billing/keep")).body["account"]["cancel_at"] is None
    assert (await quinn.api.post("/billing/cancel")).body["account"]["cancel_at"] == ends
    # Ruby goes before it is over; what she had becomes Rex's.
    leaving = {"handover": {"to_id": str(quarry.rex.id), "kinds": ["contacts"]}}
    assert (await ruby.api.post("/company/leave", leaving)).status == 204

    await town.day_comes(ends)
    assert await quarry.rex.standing() == ("basic", "read_only")
    assert (await town.dunned(quinn))[-1] == "The plan of Quarry has ended"
    assert (await quinn.exports_everything())["contacts"] == 3
    assert (await quarry.rex.api.post("/privacy/erasures", for_good)).status == 403
    asked = await quinn.api.post("/privacy/erasures", for_good)
    assert (asked.status, asked.body["state"]) == (202, "waiting")
    assert (await lantern.fay.api.post(f"/privacy/requests/{asked.body['id']}/cancel")).status == 404
    written = await quinn.log("plan.", "member.", "api_key.", "erasure.")
    assert "Lantern" not in str((await quinn.api.get("/audit", limit=200)).body)
    assert await quinn.standings() == [
        ("enterprise", 25, "trial"),
        ("enterprise", 25, "read_only"),
        ("enterprise", 3, "active"),
        ("enterprise", 5, "active"),
        ("basic", 3, "active"),
        ("basic", 3, "read_only"),
    ]

    await town.the_week_is_over(asked.body["id"])
    for person in (quinn, quarry.rex, ruby):
        assert (await person.signs_in()).status == 401
    assert (await town.look("SELECT FROM tenants WHERE tenant_id = $1", quinn.company_id)) == []
    for trace in ("FROM letters WHERE to_address", "FROM signups WHERE email_lc", "FROM users WHERE email_lc"):
        assert await town.look(f"SELECT {trace} LIKE '%@quarry.example'") == []
    assert (await town.forgotten(customer)).deleted
    assert [each for each in written if each[1].startswith("plan.")] == [
        ("Quinn", "plan.checkout_opened"),
        ("Quinn", "plan.changed"),
        ("Quinn", "plan.changed"),
        ("", "plan.features_changed"),
        ("Quinn", "plan.cancelled"),
        ("Quinn", "plan.kept"),
        ("Quinn", "plan.cancelled"),
    ]
    assert [each for each in written if each[1].startswith("member.")] == [
        ("Rex", "member.joined"),
        ("Ruby", "member.joined"),
        ("Sam", "member.joined"),
        ("Quinn", "member.updated"),
        ("Quinn", "member.updated"),
        ("Ruby", "member.updated"),
        ("Ruby", "member.left"),
    ]
    assert {("Sam", "api_key.created"), ("Quinn", "erasure.asked")} <= set(written)
    # Lantern has everything, and Quarry may come back as somebody new.
    assert len((await lantern.lena.api.get("/contacts")).body["data"]) == 2
    again = await town.signs_up("Quarry", "Quinn Stone", "quinn@quarry.example")
    assert (await again.standing(), await again.invoices()) == (("enterprise", "trial"), [])
    assert (await again.api.get(f"/contacts/{quarry.omar}")).status == 404


async def lantern_changes_hands_and_lets_its_plan_end(town: Town, lantern: Lantern) -> None:
    fay, lars, lena = lantern.fay, lantern.lars, lantern.lena
    assert (await fay.api.post("/company/leave")).error == "last_owner"
    assert (await fay.api.post("/company/transfer", {"to_id": str(lars.id)})).status == 204
    for each in (lars, fay):
        await each.goes_on()
    assert (await fay.api.post("/company/leave")).status == 204
    assert (await fay.signs_in()).error == "no_company"

    ends = (await lars.api.post("/billing/cancel")).body["account"]["cancel_at"]
    await town.day_comes(ends)
    assert await lena.standing() == ("pro", "read_only")
    assert (await lena.api.get(f"/contacts/{lantern.ines}")).body["first_name"] == "Inés"
    assert (await town.dunned(lars))[-1] == "The plan of Lantern & Sons has ended"
    assert await lars.invoices() == [
        ("paid", 5 * YEAR_OF_PRO * 80 // 100, 5 * YEAR_OF_PRO * 80 // 100),
        ("paid", 5 * YEAR_OF_PRO, 5 * YEAR_OF_PRO),
    ]
    assert await lars.standings() == [
        ("enterprise", 25, "trial"),
        ("pro", 5, "trial"),
        ("pro", 5, "active"),
        ("pro", 5, "grace"),
        ("pro", 5, "read_only"),
        ("pro", 5, "suspended"),
        ("pro", 5, "active"),
        ("pro", 5, "read_only"),
    ]
    assert await lars.log("plan.", "company.", "member.left") == [
        ("Lars", "plan.checkout_opened"),
        ("", "plan.features_changed"),
        ("Fay", "plan.portal_opened"),
        ("Fay", "company.transferred"),
        ("Fay", "member.left"),
        ("Lars", "plan.cancelled"),
    ]


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
