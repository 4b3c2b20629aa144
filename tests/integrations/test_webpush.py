"""Pushes to browsers: what is refused before anything is dialled, and what a service's answers mean."""

from __future__ import annotations

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from integrations.errors import RateLimited, Rejected
from integrations.sandbox.push import PushSandbox
from integrations.telling import PushMessage, PushTarget
from integrations.webpush import WebPushCarrier

PEM = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
CONTACT = "mailto:ops@ringside.test"


def target(endpoint: str) -> PushTarget:
    given = PushSandbox().subscribe("k").subscription()
    return PushTarget(endpoint, given["p256dh"], given["auth"])


@pytest.mark.parametrize(
    "endpoint",
    ["http://push.test/x", "https://127.0.0.1/x", "https://[::1]:8443/x", "https://localhost/x", "https://[::ffff:10.0.0.1]/x"],
)
async def test_no_private_address_is_dialled(endpoint: str) -> None:
    async with WebPushCarrier.open(CONTACT, None) as carrier:
        with pytest.raises(Rejected) as refused:
            await carrier.push(target(endpoint), PushMessage(b"{}"), PEM)
    assert refused.value.code in ("bad_endpoint", "private_address")


async def test_redirects_and_refusals_are_told_apart_and_a_pause_is_kept() -> None:
    async def answer(request: web.Request) -> web.Response:
        status = int(request.match_info["status"])
        headers = {"Location": "/201"} if status == 307 else {"Retry-After": "40"} if status == 429 else {}
        return web.Response(status=status, headers=headers, text="x" * 5000)

    app = web.Application()
    app.router.add_post("/{status}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with WebPushCarrier.open(CONTACT, None, allow_private=True) as carrier:
            await carrier.push(target(f"{base}/201"), PushMessage(b"{}"), PEM)
            for status in (307, 404, 410, 413):
                with pytest.raises(Rejected) as refused:
                    await carrier.push(target(f"{base}/{status}"), PushMessage(b"{}"), PEM)
                assert refused.value.status == status and len(refused.value.message) < 300
            with pytest.raises(RateLimited) as later:
                await carrier.push(target(f"{base}/429"), PushMessage(b"{}"), PEM)
            assert later.value.retry_after == 40
            with pytest.raises(Rejected, match="3500 bytes"):
                await carrier.push(target(f"{base}/201"), PushMessage(b"x" * 4000), PEM)
    finally:
        await runner.cleanup()
