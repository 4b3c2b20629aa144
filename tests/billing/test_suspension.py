"""The live floor of a company that has not paid for long: it ends on every hub, and is there again once they have."""

from __future__ import annotations

from tests.billing.kit import DECLINED_LATER, VISA, Bank, standing
from tests.conftest import Company
from tests.harness import running_hub
from tests.integrations.stripe_kit import post
from tests.realtime.kit import Client, eventually


async def test_a_suspended_companys_sockets_end_on_every_hub_and_come_back_when_it_has_paid(
    bank: Bank, acme: Company, globex: Company
) -> None:
    owner = bank.server.as_member(acme, "owner")
    bank.sandbox.settings.after_retries = "past_due"
    await bank.open()
    await bank.buy(owner, "pro", 5, card=DECLINED_LATER)
    await bank.buy(bank.server.as_member(globex, "owner"), "pro", 5)
    async with running_hub(bank.server.settings) as second:
        urls = [bank.server.url, second.url]
        await bank.pass_days(29)
        assert (await standing(owner))[0] == "read_only"
        theirs = [await Client.connect(url, bank.server.token(acme)) for url in urls]
        others = [await Client.connect(url, bank.server.token(globex)) for url in urls]
        assert all(client.of("ready") for client in theirs)

        await bank.pass_days(31)
        assert await standing(owner) == ("suspended", "payment_failed")
        for client in theirs:
            await client.until(lambda each=client: each.of("bye"), "bye")  # type: ignore[misc]
            assert client.of("bye") == [{"reason": "suspended"}]
            await client.until_gone()
        for url in urls:
            refused = (await Client.connect(url, bank.server.token(acme))).refused
            assert refused["message"] == "suspended"
            assert "suspended. An owner or admin can pay" in refused["data"]["message"]
        # What is left is there: the plan and its invoices, the data to take away, one's account and the way out.
        for path in ("/plans", "/billing", "/billing/invoices", "/privacy/requests", "/company", "/members", "/auth/sessions"):
            assert (await owner.get(path)).status in (200, 404), path
        assert (await owner.get("/contacts")).status == 402

        for each in [each for each in (await owner.get("/billing/invoices")).body["data"] if each["status"] == "open"]:
            page = (await owner.get(f"/billing/invoices/{each['id']}/links")).body["page"]
            assert (await post(page, card=VISA))[0] == 303
        await bank.work()
        assert await standing(owner) == ("active", "")
        for client, url in zip(theirs, urls, strict=True):

            async def is_back(url: str = url, client: Client = client) -> bool:
                again = await Client.connect(url, bank.server.token(acme), client.cursor)
                if again.refused is None:
                    heard = await again.until(lambda: [e for e in again.events if e["type"] == "billing.changed"], "the payment")
                    await again.close()
                    return bool(heard[-1]["data"]["plan"]["standing"] == "active")
                return False

            await eventually(is_back, "the socket comes back")
        for client in others:
            assert not client.of("bye") and not client.disconnected
            await client.close()
