"""An authenticator of software, a telephone with codes, and things of an account for tests elsewhere."""

from __future__ import annotations

import hashlib
import secrets
import struct
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import cbor2
import orjson
import pyotp
from argon2 import PasswordHasher
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url

from hub.accounts.totp import STEP_S
from hub.auth.sessions import hash_token
from hub.db import Database
from hub.post.actions import KeptLetter, letters_of_nobody
from hub.sqlfiles import load_sql
from tests.conftest import Company
from tests.harness import PASSWORD, Answer, Api, RunningHub

ACCOUNTS = load_sql("accounts")
ORIGIN = "http://localhost"
# What is checked is what the hash says: one of today's costs, made once.
HASH = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1).hash(PASSWORD)
LAPTOP = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


@dataclass(frozen=True, slots=True)
class Ground:
    """A hub, and its database as the administrator reaches it."""

    server: RunningHub
    admin_url: str

    async def sql(self, statement: str, *args: Any) -> Any:
        """What only the database's administrator may do or see: the first column of the first row."""
        return await as_admin(self.admin_url, statement, *args)

    async def letters(self, to: str) -> list[KeptLetter]:
        """What was written to a person about their account, the last first."""
        return [letter for letter in await letters_of_nobody(self.server.hub.db) if letter.to == to]


@dataclass
class Authenticator:
    """A key on a device: makes one passkey and signs with it, as a browser hands it over (WebAuthn level 3, section 5)."""

    origin: str = ORIGIN
    counts: bool = True
    verified: bool = True
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    user_handle: str = ""
    count: int = 0

    def make(self, options: dict[str, Any]) -> dict[str, Any]:
        """The answer to navigator.credentials.create."""
        self.user_handle = options["user"]["id"]
        public = self.key.public_key().public_numbers()
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: public.x.to_bytes(32, "big"), -3: public.y.to_bytes(32, "big")})
        attested = bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id + cose
        statement = {"fmt": "none", "attStmt": {}, "authData": self._data(options["rp"]["id"], 0x40) + attested}
        return self._answer(
            clientDataJSON=self._client("webauthn.create", options["challenge"]), attestationObject=cbor2.dumps(statement)
        )

    def sign(self, options: dict[str, Any]) -> dict[str, Any]:
        """The answer to navigator.credentials.get."""
        data, client = self._data(options["rpId"]), self._client("webauthn.get", options["challenge"])
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        answer = self._answer(clientDataJSON=client, authenticatorData=data, signature=signature)
        answer["response"]["userHandle"] = self.user_handle
        return answer

    def _data(self, rp_id: str, flags: int = 0) -> bytes:
        if self.counts:
            self.count += 1
        given = flags | 0x01 | (0x04 if self.verified else 0)
        return hashlib.sha256(rp_id.encode()).digest() + bytes([given]) + struct.pack(">I", self.count)

    def _client(self, kind: str, challenge: str) -> bytes:
        return orjson.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False})

    def _answer(self, **response: bytes) -> dict[str, Any]:
        name = bytes_to_base64url(self.credential_id)
        return {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "response": {key: bytes_to_base64url(value) for key, value in response.items()},
            "clientExtensionResults": {},
        }


@dataclass
class Telephone:
    """An authenticator app that never shows a code twice: it goes on to the next step, which is taken just as well.

    It begins with now's, so that a step may begin while a code is on its way. A third one within a step comes too early.
    """

    seed: str
    shown: int = 0

    def code(self) -> str:
        """The code to type now."""
        self.shown = max(int(time.time()) // STEP_S, self.shown + 1)
        return self._code_of(self.shown)

    def wrong_code(self) -> str:
        """Six digits that are none of the codes of these minutes."""
        now = int(time.time()) // STEP_S
        right = {self._code_of(step) for step in range(now - 5, now + 6)}
        return next(digits for digits in (f"{n:06}" for n in range(len(right) + 1)) if digits not in right)

    def _code_of(self, step: int) -> str:
        return str(pyotp.TOTP(self.seed).generate_otp(step))


async def sign_in(server: RunningHub, email: str, password: str = PASSWORD, **headers: str) -> tuple[Api, Answer]:
    """A browser that signs in, and what it was answered."""
    api = server.client(**({"User-Agent": LAPTOP} | headers))
    answer = await api.post("/auth/login", {"email": email, "password": password})
    if answer.status == 200 and "access_token" in answer.body:
        api.token = answer.body["access_token"]
    return api, answer


async def as_admin(url: str, sql: str, *args: Any) -> Any:
    """What only the database's administrator may do or see: the first column of the first row."""
    conn = await asyncpg.connect(url)
    try:
        return await conn.fetchval(sql, *args)
    finally:
        await conn.close()


async def a_session_of(db: Database, company: Company, user_id: UUID) -> str:
    """A live session of a member."""
    row = await db.system_fetchrow(
        ACCOUNTS["open_session"],
        user=user_id,
        tenant=company.tenant_id,
        agent=LAPTOP,
        address="192.0.2.7",
        hash=hash_token(secrets.token_hex()),
        ttl_s=3600,
        method="password",
    )
    assert row is not None
    return str(row["session_id"])


async def a_passkey_of(db: Database, user_id: UUID) -> str:
    """A passkey of a person."""
    row = await db.system_fetchrow(
        ACCOUNTS["add_passkey"],
        user=user_id,
        credential=secrets.token_bytes(32),
        key=b"a key",
        count=0,
        name="Laptop",
        synced=False,
        most=1000,
    )
    assert row is not None
    return str(row["id"])


async def an_owners_session(server: RunningHub, company: Company) -> str:
    """A live session of the company's owner."""
    return await a_session_of(server.hub.db, company, company.members["owner"])


async def an_owners_passkey(server: RunningHub, company: Company) -> str:
    """A passkey of the company's owner."""
    return await a_passkey_of(server.hub.db, company.members["owner"])
