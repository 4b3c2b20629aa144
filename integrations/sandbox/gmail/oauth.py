"""Google's OAuth endpoints: consent, tokens, revocation, and what tells a token's worth."""

import base64
import binascii
import hashlib
import time
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web

from integrations.sandbox.gmail.consent import consent_page, problem_page
from integrations.sandbox.gmail.faults import Faults, strike
from integrations.sandbox.gmail.grants import Access, Consent, Grants
from integrations.sandbox.gmail.refusals import OAuthRefusal, bad_credentials
from integrations.sandbox.gmail.seeding import seed
from integrations.sandbox.gmail.settings import GmailSettings
from integrations.sandbox.gmail.signing import ISSUER, Signer
from integrations.sandbox.gmail.stock import Stock

_OPENID: Final = "openid"
_SEED_DAYS: Final = 90.0


class OAuth:
    """The endpoints, at the paths that Google has them at."""

    def __init__(self, settings: GmailSettings, grants: Grants, signer: Signer, stock: Stock, faults: Faults) -> None:
        self._settings = settings
        self._grants = grants
        self._signer = signer
        self._stock = stock
        self._faults = faults

    def routes(self) -> list[web.RouteDef]:
        """Return them."""
        return [
            web.get("/o/oauth2/v2/auth", self.ask),
            web.get("/o/oauth2/auth", self.ask),
            web.post("/o/oauth2/v2/auth", self.decide),
            web.post("/token", self.token),
            web.post("/revoke", self.revoke),
            web.get("/tokeninfo", self.tokeninfo),
            web.post("/tokeninfo", self.tokeninfo),
            web.get("/oauth2/v3/tokeninfo", self.tokeninfo),
            web.get("/v1/userinfo", self.userinfo),
            web.get("/oauth2/v3/userinfo", self.userinfo),
            web.get("/oauth2/v3/certs", self.jwks),
            web.get("/oauth2/v1/certs", self.certificates),
            web.get("/.well-known/openid-configuration", self.configuration),
        ]

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """Show the page of consent; `?auto=1` consents at once as `login_hint`, or as the only mailbox that there is."""
        asked = dict(request.query)
        wrong = self._wrong_with(asked)
        if wrong:
            return web.Response(status=400, text=problem_page(wrong), content_type="text/html")
        addresses = sorted(self._stock.mailboxes)
        if asked.get("auto") == "1":
            return self._consent(asked, asked.get("login_hint") or (addresses[0] if addresses else "demo@example.com"))
        return web.Response(text=consent_page(asked, addresses), content_type="text/html")

    async def decide(self, request: web.Request) -> web.StreamResponse:
        """Take the page's answer: `allow` with an address, or anything else."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        wrong = self._wrong_with(form)
        if wrong:
            return web.Response(status=400, text=problem_page(wrong), content_type="text/html")
        if form.get("decision") != "allow":
            return _back(form, {"error": "access_denied"})
        return self._consent(form, form.get("address", ""))

    def _wrong_with(self, asked: dict[str, str]) -> str:
        if asked.get("client_id") != self._settings.client_id:
            return "invalid_client: The OAuth client was not found."
        if asked.get("response_type") != "code":
            return "unsupported_response_type: Only 'code' is known here."
        if not asked.get("redirect_uri", "").startswith(("http://", "https://")):
            return "redirect_uri_mismatch: A redirect_uri is missing."
        if not asked.get("scope", "").strip():
            return "invalid_request: Missing required parameter: scope"
        if asked.get("code_challenge") and asked.get("code_challenge_method", "plain") not in ("plain", "S256"):
            return "invalid_request: code_challenge_method is plain or S256."
        return ""

    def _consent(self, asked: dict[str, str], address: str) -> web.StreamResponse:
        address = address.strip().lower()
        if "@" not in address:
            return web.Response(status=400, text=problem_page("That is no address."), content_type="text/html")
        if self._stock.find(address) is None:
            seed(self._stock.open(address), self._settings.seed, _SEED_DAYS)
        code = self._grants.consented(
            address,
            frozenset(asked["scope"].split()),
            asked["redirect_uri"],
            asked.get("code_challenge", ""),
            asked.get("code_challenge_method", "plain"),
            is_asked_anew="consent" in asked.get("prompt", "").split(),
            is_offline=asked.get("access_type") == "offline",
            nonce=asked.get("nonce", ""),
        )
        return _back(asked, {"code": code, "scope": asked["scope"]})

    async def token(self, request: web.Request) -> web.StreamResponse:
        """Trade in a code, or a refresh token."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        strike(self._faults.next_for("oauth.token", self._grants.refresh_tokens.get(form.get("refresh_token", ""), ("",))[0]))
        client = _basic(request.headers.get("Authorization", "")) or (form.get("client_id"), form.get("client_secret"))
        if client != (self._settings.client_id, self._settings.client_secret):
            raise OAuthRefusal("invalid_client", "The OAuth client was not found.", 401)
        kind = form.get("grant_type")
        if kind == "refresh_token":
            token, scopes = self._grants.refresh(form.get("refresh_token", ""))
            return web.json_response(self._told(token, scopes))
        if kind != "authorization_code":
            raise OAuthRefusal("unsupported_grant_type", f"Invalid grant_type: {kind}")
        consent, token, refresh = self._grants.trade(
            form.get("code", ""), form.get("code_verifier", ""), form.get("redirect_uri", "")
        )
        told = self._told(token, consent.scopes) | ({"refresh_token": refresh} if refresh else {})
        if _OPENID in consent.scopes:
            told["id_token"] = self._signer.identity(
                audience=self._settings.client_id,
                subject=subject_of(consent.address),
                email=consent.address,
                azp=self._settings.client_id,
                **_more_of(consent),
            )
        return web.json_response(told)

    def _told(self, token: str, scopes: frozenset[str]) -> dict[str, Any]:
        return {
            "access_token": token,
            "expires_in": self._grants.access_token_s,
            "scope": " ".join(sorted(scopes)),
            "token_type": "Bearer",
        }

    async def revoke(self, request: web.Request) -> web.StreamResponse:
        """Give a token back."""
        strike(self._faults.next_for("oauth.revoke"))
        form = await request.post()
        if not self._grants.revoke(str(form.get("token") or request.query.get("token", ""))):
            raise OAuthRefusal("invalid_token", "Token expired or revoked")
        return web.json_response({})

    async def tokeninfo(self, request: web.Request) -> web.StreamResponse:
        """Tell what an access token is good for."""
        asked = request.query.get("access_token") or str((await request.post()).get("access_token", ""))
        access = self._grants.access(asked)
        if access is None:
            raise OAuthRefusal("invalid_token", "Invalid Value")
        left = int(access.expires - time.monotonic())
        return web.json_response(
            {
                "azp": self._settings.client_id,
                "aud": self._settings.client_id,
                "sub": subject_of(access.address),
                "scope": " ".join(sorted(access.scopes)),
                "exp": str(int(time.time()) + left),
                "expires_in": str(left),
                "email": access.address,
                "email_verified": "true",
                "access_type": "offline" if access.refresh_token else "online",
            }
        )

    async def userinfo(self, request: web.Request) -> web.StreamResponse:
        """Tell who has granted an access token."""
        access = self._bearer(request)
        return web.json_response({"sub": subject_of(access.address), "email": access.address, "email_verified": True})

    def _bearer(self, request: web.Request) -> Access:
        access = self._grants.access(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if access is None:
            raise bad_credentials()
        return access

    async def jwks(self, request: web.Request) -> web.StreamResponse:
        """Show the key that tokens are signed with."""
        return web.json_response(self._signer.jwks(), headers={"Cache-Control": "public, max-age=3600"})

    async def certificates(self, request: web.Request) -> web.StreamResponse:
        """Show it as a certificate."""
        return web.json_response(self._signer.certificates(), headers={"Cache-Control": "public, max-age=3600"})

    async def configuration(self, request: web.Request) -> web.StreamResponse:
        """Tell where everything is."""
        origin = str(request.url.origin())
        return web.json_response(
            {
                "issuer": ISSUER,
                "authorization_endpoint": f"{origin}/o/oauth2/v2/auth",
                "token_endpoint": f"{origin}/token",
                "userinfo_endpoint": f"{origin}/v1/userinfo",
                "revocation_endpoint": f"{origin}/revoke",
                "jwks_uri": f"{origin}/oauth2/v3/certs",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["plain", "S256"],
                "grant_types_supported": ["authorization_code", "refresh_token"],
            }
        )


def subject_of(address: str) -> str:
    """Return the number by which Google knows a person."""
    return str(10**20 + int(hashlib.sha256(address.encode()).hexdigest()[:16], 16))


def _more_of(consent: Consent) -> dict[str, Any]:
    """Claims that only some tokens have: the nonce that was asked for, and the organisation that the account belongs to."""
    domain = consent.address.rpartition("@")[2]
    hosted = {} if domain in ("gmail.com", "googlemail.com") else {"hd": domain}
    return hosted | ({"nonce": consent.nonce} if consent.nonce else {})


def _back(asked: dict[str, str], more: dict[str, str]) -> web.Response:
    state = {"state": asked["state"]} if asked.get("state") else {}
    target = asked["redirect_uri"]
    return web.Response(status=302, headers={"Location": f"{target}{'&' if '?' in target else '?'}{urlencode(state | more)}"})


def _basic(header: str) -> tuple[str | None, str | None] | None:
    if not header.startswith("Basic "):
        return None
    try:
        name, _, secret = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return name, secret
