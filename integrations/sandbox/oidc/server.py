"""Starting and stopping an OpenID sandbox, and its endpoints."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import unquote, urlencode

from aiohttp import web

from integrations.sandbox.faults import ConnectionDrops, ConnectionHangs
from integrations.sandbox.oidc.faults import KINDS, LIES, Fault, Faults, Refusal, strike
from integrations.sandbox.oidc.pages import front_page, problem_page, sign_in_page
from integrations.sandbox.oidc.settings import OidcSettings
from integrations.sandbox.oidc.signing import Signer

_HUGE: Final = 2_000_000
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class _Consent:
    """A code that waits to be traded in, once."""

    address: str
    asked: dict[str, str]
    at: float


class OidcSandbox:
    """An OpenID provider for one machine; `url` is its issuer: `async with OidcSandbox() as sandbox`."""

    def __init__(self, settings: OidcSettings | None = None) -> None:
        self.settings = settings or OidcSettings()
        self.url = ""
        self.faults = Faults()
        self.signer = Signer()
        self.people: dict[str, dict[str, Any]] = {}
        self.calls: dict[str, int] = {}
        self._codes: dict[str, _Consent] = {}
        self._tokens: dict[str, str] = {}
        self._closing = asyncio.Event()
        app = web.Application(middlewares=[self._errors])
        app.router.add_get("/", self._front)
        app.router.add_get("/.well-known/openid-configuration", self._description)
        app.router.add_get("/authorize", self._ask)
        app.router.add_post("/authorize", self._decide)
        app.router.add_post("/token", self._token)
        app.router.add_get("/userinfo", self._userinfo)
        app.router.add_get("/keys", self._keys)
        app.router.add_get("/_sandbox/people", self._list_people)
        app.router.add_put("/_sandbox/people", self._tell_of)
        app.router.add_post("/_sandbox/rotate", self._rotate)
        app.router.add_get("/_sandbox/faults", self._list_faults)
        app.router.add_post("/_sandbox/faults", self._add_fault)
        app.router.add_delete("/_sandbox/faults", self._clear_faults)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.settings.host, self.settings.port)
        await site.start()
        self.url = f"http://{self.settings.host}:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closing.set()
        await self._runner.cleanup()

    def _begin(self, operation: str) -> Fault | None:
        self.calls[operation] = self.calls.get(operation, 0) + 1
        fault = self.faults.next_for(operation)
        strike(fault)
        return fault

    async def _front(self, request: web.Request) -> web.StreamResponse:
        text = front_page(self.url, self.settings.client_id, self.settings.client_secret)
        return web.Response(text=text, content_type="text/html")

    async def _description(self, request: web.Request) -> web.StreamResponse:
        fault = self._begin("description")
        if fault is not None and fault.kind == "redirect":
            raise web.HTTPFound("/keys")
        if fault is not None and fault.kind == "huge":
            return web.json_response({"padding": "x" * _HUGE})
        if fault is not None and fault.kind == "not_json":
            return web.Response(text="<html>", content_type="text/html")
        is_lie = fault is not None and fault.kind == "other_issuer_said"
        return web.json_response(
            {
                "issuer": "https://login.example.com" if is_lie else self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "userinfo_endpoint": f"{self.url}/userinfo",
                "jwks_uri": f"{self.url}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256", "ES256"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": [
                    "client_secret_post" if self.settings.secret_in_body else "client_secret_basic"
                ],
                "authorization_response_iss_parameter_supported": True,
            }
        )

    async def _keys(self, request: web.Request) -> web.StreamResponse:
        self._begin("keys")
        return web.json_response(self.signer.shown())

    async def _ask(self, request: web.Request) -> web.StreamResponse:
        self._begin("authorize")
        asked = dict(request.query)
        if wrong := self._wrong_with(asked):
            return web.Response(status=400, text=problem_page(wrong), content_type="text/html")
        if asked.get("auto") == "1":
            return self._answer(asked, asked.get("login_hint", ""))
        return web.Response(text=sign_in_page(asked, sorted(self.people)), content_type="text/html")

    async def _decide(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        if wrong := self._wrong_with(form):
            return web.Response(status=400, text=problem_page(wrong), content_type="text/html")
        if form.get("decision") != "allow":
            return self._back(form, {"error": "access_denied"})
        return self._answer(form, form.get("address", ""))

    def _wrong_with(self, asked: dict[str, str]) -> str:
        if asked.get("client_id") != self.settings.client_id:
            return "This client is not known."
        if asked.get("response_type") != "code":
            return "response_type should be code."
        if not asked.get("redirect_uri", "").startswith(("http://", "https://")):
            return "A redirect_uri is missing."
        if "openid" not in asked.get("scope", "").split():
            return "The scope openid is missing."
        if not asked.get("code_challenge") or asked.get("code_challenge_method") != "S256":
            return "PKCE with S256 is asked for here."
        return ""

    def _answer(self, asked: dict[str, str], address: str) -> web.StreamResponse:
        if "@" not in address:
            return web.Response(status=400, text=problem_page("That is no address."), content_type="text/html")
        code = secrets.token_urlsafe(32)
        self._codes[code] = _Consent(address.strip().lower(), asked, time.monotonic())
        return self._back(asked, {"code": code})

    def _back(self, asked: dict[str, str], more: dict[str, str]) -> web.Response:
        said = {"state": asked.get("state", ""), "iss": self.url, **more}
        target = asked["redirect_uri"]
        return web.Response(status=302, headers={"Location": f"{target}{'&' if '?' in target else '?'}{urlencode(said)}"})

    async def _token(self, request: web.Request) -> web.StreamResponse:
        fault = self._begin("token")
        form = {name: str(value) for name, value in (await request.post()).items()}
        if self._client(request.headers.get("Authorization", ""), form) != (self.settings.client_id, self.settings.client_secret):
            raise Refusal("invalid_client", "The client or its secret is wrong.", 401)
        if form.get("grant_type") != "authorization_code":
            raise Refusal("unsupported_grant_type", "Only authorization_code is known here.")
        consent = self._codes.pop(form.get("code", ""), None)
        if consent is None or consent.at < time.monotonic() - self.settings.code_s:
            raise Refusal("invalid_grant", "This code is none, or not any more.")
        if consent.asked["redirect_uri"] != form.get("redirect_uri"):
            raise Refusal("invalid_grant", "The redirect_uri is another one.")
        verifier = form.get("code_verifier", "")
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        if challenge != consent.asked["code_challenge"]:
            raise Refusal("invalid_grant", "The code_verifier does not fit.")
        access = secrets.token_urlsafe(32)
        self._tokens[access] = consent.address
        lie = fault.kind if fault is not None and fault.kind in LIES else ""
        told = {"access_token": access, "token_type": "Bearer", "expires_in": 600}
        if lie != "no_token":
            told["id_token"] = self.signer.sign(self._claims(consent), lie)
        return web.json_response(told, headers={"Cache-Control": "no-store"})

    def _client(self, header: str, form: dict[str, str]) -> tuple[str, str]:
        if self.settings.secret_in_body:
            return form.get("client_id", ""), form.get("client_secret", "")
        try:
            name, _, secret = base64.b64decode(header.removeprefix("Basic "), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return unquote(name), unquote(secret)

    def _claims(self, consent: _Consent) -> dict[str, Any]:
        now = int(time.time())
        return {
            "iss": self.url,
            "aud": self.settings.client_id,
            "iat": now,
            "exp": now + 300,
            "auth_time": now,
            "nonce": consent.asked.get("nonce"),
            **self.about(consent.address),
        }

    def about(self, address: str) -> dict[str, Any]:
        """What is said of the person of an address; None is left out."""
        usual = {
            "sub": hashlib.sha256(f"{self.settings.client_id} {address}".encode()).hexdigest()[:24],
            "email": address,
            "email_verified": True,
            "name": address.partition("@")[0].replace(".", " ").title(),
        }
        return usual | self.people.get(address, {})

    async def _userinfo(self, request: web.Request) -> web.StreamResponse:
        fault = self._begin("userinfo")
        address = self._tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if address is None:
            raise Refusal("invalid_token", "The access token is not known.", 401)
        said = {"email": address, "email_verified": True} | {k: v for k, v in self.about(address).items() if v is not None}
        if fault is not None and fault.kind == "other_subject":
            said["sub"] = "somebody else"
        return web.json_response(said)

    async def _list_people(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self.people)

    async def _tell_of(self, request: web.Request) -> web.StreamResponse:
        given = await request.json()
        self.people[str(given["address"]).lower()] = dict(given.get("claims", {}))
        return web.json_response(self.people)

    async def _rotate(self, request: web.Request) -> web.StreamResponse:
        given = await request.json() if request.can_read_body else {}
        self.signer.rotate(forget=bool(given.get("forget")))
        return web.json_response(self.signer.shown())

    async def _list_faults(self, request: web.Request) -> web.StreamResponse:
        listed = [{"operation": each.operation, "kind": each.kind, "times": each.times} for each in self.faults.waiting]
        return web.json_response(listed)

    async def _add_fault(self, request: web.Request) -> web.StreamResponse:
        given = await request.json()
        if given.get("kind") not in KINDS:
            raise Refusal("invalid_request", f"kind should be one of {', '.join(sorted(KINDS))}.")
        self.faults.add(Fault(str(given.get("operation", "*")), given["kind"], int(given.get("times", 1))))
        return await self._list_faults(request)

    async def _clear_faults(self, request: web.Request) -> web.StreamResponse:
        self.faults.clear()
        return web.json_response([])

    @web.middleware
    async def _errors(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refusal as refusal:
            return web.json_response(refusal.body, status=refusal.status)
        except (ConnectionHangs, ConnectionDrops) as fate:
            if isinstance(fate, ConnectionHangs):
                await self._closing.wait()
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
