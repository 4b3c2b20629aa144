"""Settings, read once from the environment by a composition root and passed in from there."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

from hub.clock import Clock

LogStyle = Literal["auto", "json", "pretty"]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class SettingsError(ValueError):
    """A setting is missing or wrong; the message names the variable and what it should be."""


@dataclass(frozen=True, slots=True)
class TwilioSettings:
    """The account calls are placed through. An empty api_url means Twilio itself.

    The key and the application are the softphone's, all three or none. webhook_keys are the secrets of the keys that
    webhooks may be signed with, by id. calls_per_second is what the account may create.
    """

    account_sid: str
    auth_token: str = field(repr=False)
    api_url: str
    from_number: str
    api_key_sid: str = ""
    api_key_secret: str = field(default="", repr=False)
    twiml_app_sid: str = ""
    webhook_keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    calls_per_second: float = 1.0

    @property
    def has_softphone(self) -> bool:
        """Can browsers be given access tokens?"""
        return bool(self.api_key_sid)


@dataclass(frozen=True, slots=True)
class GoogleSettings:
    """The OAuth client mailboxes are connected with. Empty addresses mean Google itself.

    topic is the Pub/Sub topic that pushes go to; empty means that mailboxes are polled. push_account is the service account
    that the pushes are signed as, push_audience what their token must be for.
    """

    client_id: str
    client_secret: str = field(repr=False)
    api_url: str = ""
    oauth_url: str = ""
    topic: str = ""
    push_account: str = ""
    push_audience: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a process needs to know; URLs and secrets never appear in its repr."""

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    secret: str = field(repr=False)
    host: str
    port: int
    metrics_port: int
    public_url: str
    twilio: TwilioSettings | None
    trusted_proxies: tuple[Network, ...] = ()
    log_style: LogStyle = "auto"
    log_level: str = "info"
    owner_url: str | None = field(default=None, repr=False)
    admin_url: str | None = field(default=None, repr=False)
    call_dial_deadline_s: float = 60.0
    call_silence_s: float = 10.0
    worker_jobs: int = 10
    objects: str = ""
    s3: Mapping[str, str] = field(default_factory=dict, repr=False)
    google: GoogleSettings | None = None
    # Secrets that sealed things may have been sealed with, the present one first, by id.
    seal_keys: Mapping[str, str] = field(default_factory=dict, repr=False)
    # May mail servers stand in private networks or on this machine?
    private_mail_hosts: bool = False
    clock: str = ""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Read and check the environment.

        Raises SettingsError with the variable's name when one is missing or malformed.
        """
        host = env.get("RINGSIDE_HOST", "127.0.0.1")
        port = _port(env, "RINGSIDE_PORT", 8080)
        secret = _required(env, "RINGSIDE_SECRET", "a random text of at least 32 characters, the same for every process")
        if len(secret) < 32:
            raise SettingsError("RINGSIDE_SECRET is too short: it needs at least 32 random characters.")
        style = env.get("RINGSIDE_LOG", "auto")
        if style not in ("auto", "json", "pretty"):
            raise SettingsError(f"RINGSIDE_LOG is {style!r}; it can be auto, json or pretty.")
        return cls(
            database_url=_required(env, "DATABASE_URL", "the Postgres URL of the role ringside_app"),
            redis_url=_required(env, "REDIS_URL", "a redis://, rediss:// or unix:// URL"),
            secret=secret,
            host=host,
            port=port,
            metrics_port=_port(env, "RINGSIDE_METRICS_PORT", 0),
            public_url=(env.get("RINGSIDE_PUBLIC_URL") or f"http://{host}:{port}").rstrip("/"),
            twilio=_twilio(env),
            trusted_proxies=_networks(env.get("RINGSIDE_TRUSTED_PROXIES", "")),
            log_style=cast(LogStyle, style),
            log_level=env.get("RINGSIDE_LOG_LEVEL", "info").lower(),
            owner_url=env.get("DATABASE_OWNER_URL") or None,
            admin_url=env.get("DATABASE_ADMIN_URL") or None,
            call_dial_deadline_s=_seconds(env, "RINGSIDE_CALL_DIAL_DEADLINE_S", 60.0),
            call_silence_s=_seconds(env, "RINGSIDE_CALL_SILENCE_S", 10.0),
            worker_jobs=_count(env, "RINGSIDE_WORKER_JOBS", 10),
            objects=_objects(env),
            s3={name: env[name] for name in _S3 if env.get(name)},
            google=_google(env),
            seal_keys=_pairs(env, "RINGSIDE_SEAL_KEYS"),
            private_mail_hosts=_switch(env, "RINGSIDE_PRIVATE_MAIL_HOSTS"),
            clock=_clock(env),
        )

    def key(self, purpose: str) -> bytes:
        """A 32-byte key for one purpose, derived from the secret (HMAC-SHA256 as a PRF)."""
        return hmac.new(self.secret.encode(), b"ringside/" + purpose.encode(), hashlib.sha256).digest()


def _required(env: Mapping[str, str], name: str, what: str) -> str:
    value = env.get(name, "")
    if not value:
        raise SettingsError(f"{name} is not set: it should be {what}.")
    return value


def _port(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name, str(default))
    if not text.isdigit() or int(text) > 65535:
        raise SettingsError(f"{name} is {text!r}; it should be a port between 0 and 65535.")
    return int(text)


def _count(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name, str(default))
    if not text.isdigit() or not 1 <= int(text) <= 1000:
        raise SettingsError(f"{name} is {text!r}; it should be a number from 1 to 1000.")
    return int(text)


def _seconds(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name, str(default))
    try:
        value = float(text)
    except ValueError:
        raise SettingsError(f"{name} is {text!r}; it should be a number of seconds.") from None
    if not 0 < value < 86_400:
        raise SettingsError(f"{name} is {text!r}; it should be between 0 and 86400 seconds.")
    return value


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())
    except ValueError as exc:
        raise SettingsError(f"RINGSIDE_TRUSTED_PROXIES: {exc}. It should be addresses or CIDRs, separated by commas.") from None


# The variables of Amazon's own tools, as far as they say where files are and who asks.
_S3 = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT",
    "AWS_ENDPOINT_URL",
    "AWS_ALLOW_HTTP",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
)


def _objects(env: Mapping[str, str]) -> str:
    text = env.get("RINGSIDE_OBJECTS", "").strip()
    if text and not text.startswith("/") and not (text.startswith("s3://") and len(text) > len("s3://")):
        raise SettingsError(f"RINGSIDE_OBJECTS is {text!r}; it should be a folder's whole path or s3://bucket/prefix.")
    return text


def _rate(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name, str(default))
    try:
        value = float(text)
    except ValueError:
        raise SettingsError(f"{name} is {text!r}; it should be a number for each second.") from None
    if not 0.01 <= value <= 10_000:
        raise SettingsError(f"{name} is {text!r}; it should be between 0.01 and 10000.")
    return value


def _pairs(env: Mapping[str, str], name: str) -> Mapping[str, str]:
    pairs: dict[str, str] = {}
    for part in env.get(name, "").split(","):
        key, equals, secret = part.partition("=")
        if not part.strip():
            continue
        if not equals or not key.strip() or not secret.strip():
            raise SettingsError(f"{name} should be id=secret pairs, separated by commas.")
        pairs[key.strip()] = secret.strip()
    return pairs


def _switch(env: Mapping[str, str], name: str) -> bool:
    text = env.get(name, "").lower()
    if text not in ("", "0", "1", "no", "yes", "false", "true"):
        raise SettingsError(f"{name} is {text!r}; it should be yes or no.")
    return text in ("1", "yes", "true")


def _clock(env: Mapping[str, str]) -> str:
    text = env.get("RINGSIDE_CLOCK", "").strip()
    if text and not env.get("GOOGLE_API_URL"):
        raise SettingsError("RINGSIDE_CLOCK is for the sandbox; without GOOGLE_API_URL people would get mail at the wrong time.")
    try:
        Clock.parse(text)
    except ValueError as exc:
        raise SettingsError(f"RINGSIDE_CLOCK: {exc}") from None
    return text


_GOOGLE_PUSH = ("GOOGLE_PUSH_TOPIC", "GOOGLE_PUSH_ACCOUNT", "GOOGLE_PUSH_AUDIENCE")


def _google(env: Mapping[str, str]) -> GoogleSettings | None:
    client_id = env.get("GOOGLE_CLIENT_ID", "")
    if not client_id:
        return None
    topic, push_account, push_audience = (env.get(name, "") for name in _GOOGLE_PUSH)
    missing = [name for name in _GOOGLE_PUSH if not env.get(name)]
    if 0 < len(missing) < len(_GOOGLE_PUSH):
        raise SettingsError(f"{' and '.join(missing)} must be set, too: pushes need all of {', '.join(_GOOGLE_PUSH)}.")
    return GoogleSettings(
        client_id=client_id,
        client_secret=_required(env, "GOOGLE_CLIENT_SECRET", "the secret of the OAuth client"),
        api_url=env.get("GOOGLE_API_URL", "").rstrip("/"),
        oauth_url=env.get("GOOGLE_OAUTH_URL", "").rstrip("/"),
        topic=topic,
        push_account=push_account,
        push_audience=push_audience,
    )


_SOFTPHONE = ("TWILIO_API_KEY_SID", "TWILIO_API_KEY_SECRET", "TWILIO_TWIML_APP_SID")


def _twilio(env: Mapping[str, str]) -> TwilioSettings | None:
    sid = env.get("TWILIO_ACCOUNT_SID", "")
    if not sid:
        return None
    key_sid, key_secret, app_sid = (env.get(name, "") for name in _SOFTPHONE)
    missing = [name for name in _SOFTPHONE if not env.get(name)]
    if 0 < len(missing) < len(_SOFTPHONE):
        raise SettingsError(f"{' and '.join(missing)} must be set, too: the softphone needs all of {', '.join(_SOFTPHONE)}.")
    return TwilioSettings(
        account_sid=sid,
        auth_token=_required(env, "TWILIO_AUTH_TOKEN", "the account's auth token"),
        api_url=env.get("TWILIO_API_URL", "").rstrip("/"),
        from_number=_required(env, "TWILIO_FROM", "a number of the account, in E.164 form such as +14155550100"),
        api_key_sid=key_sid,
        api_key_secret=key_secret,
        twiml_app_sid=app_sid,
        webhook_keys=_pairs(env, "TWILIO_WEBHOOK_KEYS"),
        calls_per_second=_rate(env, "TWILIO_CALLS_PER_SECOND", 1.0),
    )
