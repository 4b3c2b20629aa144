"""A push service and the browsers behind it (RFC 8030): it takes what is signed and encrypted right, and its browsers read it.

For tests. Nothing of Ringside's own code decrypts a push, so here stands what a browser does with one (RFC 8291 and 8188), and
what a service does with a signature (RFC 8292).
"""

from __future__ import annotations

import base64
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import http_ece
import jwt
import orjson
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_LONGEST_SIGNED_S = 24 * 3600


@dataclass
class Browser:
    """One subscription: what the service gave it, its secrets, and what it has shown."""

    endpoint: str
    application_key: str
    private_key: ec.EllipticCurvePrivateKey = field(repr=False)
    auth: bytes = field(repr=False)
    shown: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def subscription(self, device: str = "Chromium on Linux") -> dict[str, str]:
        """What the console sends on: PushSubscription.toJSON() and the device's name."""
        point = self.private_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"endpoint": self.endpoint, "p256dh": _text(point), "auth": _text(self.auth), "device": device}


class PushSandbox:
    """The service. `answers` are the statuses of the next pushes, before any is looked at; `gone` no longer take any."""

    def __init__(self, url: str = "") -> None:
        self.url = url
        self.browsers: dict[str, Browser] = {}
        self.answers: list[int] = []
        self.gone: set[str] = set()
        self.refused: list[str] = []

    def subscribe(self, application_key: str) -> Browser:
        """A browser asks for pushes of whoever has this key."""
        name = secrets.token_urlsafe(16)
        private = ec.generate_private_key(ec.SECP256R1())
        made = Browser(f"{self.url}/push/{name}", application_key, private, secrets.token_bytes(16))
        self.browsers[name] = made
        return made

    def application(self) -> web.Application:
        """The service over HTTP."""
        app = web.Application()
        app.router.add_post("/push/{name}", self._take)
        return app

    async def _take(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if self.answers:
            status = self.answers.pop(0)
            if status >= 400:
                return web.Response(status=status, text="as it was asked", headers={"Retry-After": "1"} if status == 429 else {})
        browser = self.browsers.get(name)
        if browser is None or name in self.gone:
            return self._refuse(410 if browser else 404, "there is no such subscription")
        problem = self._look_at(request, browser)
        if problem:
            return self._refuse(403, problem)
        if not request.headers.get("TTL", "").isdigit() or request.headers.get("Content-Encoding") != "aes128gcm":
            return self._refuse(400, "TTL or Content-Encoding is missing")
        body = await request.read()
        if len(body) > 4096:
            return self._refuse(413, "it is too long")
        try:
            plain = http_ece.decrypt(body, private_key=browser.private_key, auth_secret=browser.auth, version="aes128gcm")
        except Exception as problem_:
            # A browser would drop it without a word; here it shall be seen.
            return self._refuse(400, f"the browser can't read it: {problem_!r}")
        browser.shown.append(orjson.loads(plain))
        browser.headers.append({key.lower(): value for key, value in request.headers.items()})
        return web.Response(status=201, headers={"Location": f"{self.url}/message/{secrets.token_urlsafe(8)}"})

    def _refuse(self, status: int, why: str) -> web.Response:
        self.refused.append(why)
        return web.Response(status=status, text=why)

    def _look_at(self, request: web.Request, browser: Browser) -> str:
        """What is wrong with the signature, "" when nothing is."""
        scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
        given = dict(part.strip().partition("=")[::2] for part in rest.split(","))
        if scheme.lower() != "vapid" or given.get("k") != browser.application_key:
            return "it is not signed by whom the browser subscribed to"
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _bytes(given["k"]))
        parts = urlsplit(self.url)
        try:
            claims = jwt.decode(given.get("t", ""), public, ["ES256"], audience=f"{parts.scheme}://{parts.netloc}")
        except jwt.InvalidTokenError as error:
            return f"the signature is not good: {error}"
        if claims["exp"] > time.time() + _LONGEST_SIGNED_S:
            return "it is signed for longer than a day"
        return "" if str(claims.get("sub", "")).startswith(("mailto:", "http")) else "it names nobody to turn to"


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
