"""Settings, read once from the environment by a composition root and passed in from there."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from hub import environment
from hub.clock import Clock
from hub.environment import SettingsError
from hub.limits.settings import Limits
from hub.post.settings import SmtpSettings

LogStyle = Literal["auto", "json", "pretty"]
Prepared = Literal["auto", "yes", "no"]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


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
class StripeSettings:
    """The account that companies pay to. An empty api_url means Stripe itself. Webhooks may be signed with any of the secrets.

    Customers go by the time of `test_clock`, an id that Stripe's test mode gave; empty: by the real one.
    """

    secret_key: str = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(repr=False)
    api_url: str = ""
    test_clock: str = ""


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
    # May companies' OpenID providers stand in private networks or on this machine, and without encryption?
    private_sso_hosts: bool = False
    # Is people's sign-in with Google offered where there is a Google OAuth client?
    google_sign_in: bool = True
    clock: str = ""
    # Where the isolation canaries find a hub; empty: there are none.
    canary_url: str = ""
    # May companies sign up by themselves?
    sign_up: bool = True
    # Are statements prepared? By itself that is found out: not through a pooler.
    database_prepared: Prepared = "auto"
    limits: Limits = field(default_factory=Limits)
    # The collector that traces go to, and which share of them; empty: nothing is traced.
    traces: str = ""
    traces_share: float = 1.0
    # Who collects the money; without one nothing is limited by plans.
    stripe: StripeSettings | None = None
    # The mail server that our own letters go through; None: they lie in the local outbox.
    smtp: SmtpSettings | None = None
    # Is there a page with the letters of the outbox that belong to no company?
    outbox_page: bool = False
    # May browsers' push services stand in private networks or on this machine? Only tests want it.
    private_push_hosts: bool = False
    # May webhooks be sent to private networks and this machine, and without encryption?
    private_webhook_hosts: bool = False

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Read and check the environment.

        Raises SettingsError with the variable's name when one is missing or malformed.
        """
        env = with_files(env)
        host = env.get("RINGSIDE_HOST", "127.0.0.1")
        port = environment.port(env, "RINGSIDE_PORT", 8080)
        secret = environment.required(env, "RINGSIDE_SECRET", "a random text of at least 32 characters, the same everywhere")
        if len(secret) < 32:
            raise SettingsError("RINGSIDE_SECRET is too short: it needs at least 32 random characters.")
        style = env.get("RINGSIDE_LOG", "auto")
        if style not in ("auto", "json", "pretty"):
            raise SettingsError(f"RINGSIDE_LOG is {style!r}; it can be auto, json or pretty.")
        return cls(
            database_url=environment.required(env, "DATABASE_URL", "the Postgres URL of the role ringside_app"),
            redis_url=environment.required(env, "REDIS_URL", "a redis://, rediss://, unix:// or redis+cluster:// URL"),
            secret=secret,
            host=host,
            port=port,
            metrics_port=environment.port(env, "RINGSIDE_METRICS_PORT", 0),
            public_url=(env.get("RINGSIDE_PUBLIC_URL") or f"http://{host}:{port}").rstrip("/"),
            twilio=_twilio(env),
            trusted_proxies=_networks(env.get("RINGSIDE_TRUSTED_PROXIES", "")),
            log_style=cast(LogStyle, style),
            log_level=env.get("RINGSIDE_LOG_LEVEL", "info").lower(),
            owner_url=env.get("DATABASE_OWNER_URL") or None,
            admin_url=env.get("DATABASE_ADMIN_URL") or None,
            call_dial_deadline_s=environment.seconds(env, "RINGSIDE_CALL_DIAL_DEADLINE_S", 60.0),
            call_silence_s=environment.seconds(env, "RINGSIDE_CALL_SILENCE_S", 10.0),
            worker_jobs=environment.count(env, "RINGSIDE_WORKER_JOBS", 10),
            objects=_objects(env),
            s3={name: env[name] for name in _S3 if env.get(name)},
            google=_google(env),
            seal_keys=environment.pairs(env, "RINGSIDE_SEAL_KEYS"),
            private_mail_hosts=environment.switch(env, "RINGSIDE_PRIVATE_MAIL_HOSTS"),
            private_sso_hosts=environment.switch(env, "RINGSIDE_PRIVATE_SSO_HOSTS"),
            google_sign_in=environment.switch({"GOOGLE_SIGN_IN": "yes"} | dict(env), "GOOGLE_SIGN_IN"),
            clock=_clock(env),
            canary_url=_canary_url(env, f"http://{host}:{port}"),
            sign_up=environment.switch(env, "RINGSIDE_SIGN_UP", "yes"),
            database_prepared=_prepared(env),
            limits=_limits(env),
            traces=_traces(env),
            traces_share=environment.share(env, "RINGSIDE_TRACES_SHARE", 1.0),
            stripe=_stripe(env),
            smtp=_smtp(env),
            outbox_page=environment.switch(env, "RINGSIDE_OUTBOX_PAGE"),
            private_push_hosts=environment.switch(env, "RINGSIDE_PRIVATE_PUSH_HOSTS"),
            private_webhook_hosts=environment.switch(env, "RINGSIDE_PRIVATE_WEBHOOK_HOSTS"),
        )

    def key(self, purpose: str) -> bytes:
        """A 32-byte key for one purpose, derived from the secret (HMAC-SHA256 as a PRF)."""
        return hmac.new(self.secret.encode(), b"ringside/" + purpose.encode(), hashlib.sha256).digest()


# What may stand in a file instead, as container engines hand secrets over: NAME_FILE is that file's path.
SECRETS = (
    "DATABASE_URL",
    "DATABASE_OWNER_URL",
    "DATABASE_ADMIN_URL",
    "REDIS_URL",
    "RINGSIDE_SECRET",
    "RINGSIDE_SEAL_KEYS",
    "TWILIO_AUTH_TOKEN",
    "TWILIO_API_KEY_SECRET",
    "TWILIO_WEBHOOK_KEYS",
    "GOOGLE_CLIENT_SECRET",
    "AWS_SECRET_ACCESS_KEY",
    "SMTP_URL",
    "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRET",
)


def with_files(env: Mapping[str, str]) -> Mapping[str, str]:
    """The environment with the secrets that stand in files; what is set both ways is taken from the variable.

    Raises SettingsError when a file that is named can't be read.
    """
    read: dict[str, str] = {}
    for name in SECRETS:
        path = env.get(f"{name}_FILE")
        if not path or env.get(name):
            continue
        try:
            read[name] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as exc:
            reason = exc.strerror if isinstance(exc, OSError) else "it is no text"
            raise SettingsError(f"{name}_FILE: {path} can't be read: {reason}.") from None
    return {**env, **read} if read else env


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


def _limits(env: Mapping[str, str]) -> Limits:
    try:
        return Limits.parse(env.get("RINGSIDE_LIMITS", ""))
    except ValueError as exc:
        raise SettingsError(f"RINGSIDE_LIMITS: {exc}.") from None


def _traces(env: Mapping[str, str]) -> str:
    text = env.get("RINGSIDE_TRACES", "").strip().rstrip("/")
    if text and not text.startswith(("http://", "https://")):
        raise SettingsError(f"RINGSIDE_TRACES is {text!r}; it should be a collector's address, such as http://127.0.0.1:4318.")
    return text


def _canary_url(env: Mapping[str, str], here: str) -> str:
    url = env.get("RINGSIDE_CANARY_URL") or env.get("RINGSIDE_PUBLIC_URL") or here
    if url != "none" and not url.startswith(("http://", "https://")):
        raise SettingsError(f"RINGSIDE_CANARY_URL is {url!r}; it should be the http address of a hub, or none.")
    return "" if url == "none" else url.rstrip("/")


def _prepared(env: Mapping[str, str]) -> Prepared:
    text = env.get("DATABASE_PREPARED", "") or "auto"
    if text not in ("auto", "yes", "no"):
        raise SettingsError(f"DATABASE_PREPARED is {text!r}; it should be auto, yes or no.")
    return cast(Prepared, text)


def _clock(env: Mapping[str, str]) -> str:
    text = env.get("RINGSIDE_CLOCK", "").strip()
    if text and not env.get("GOOGLE_API_URL"):
        raise SettingsError("RINGSIDE_CLOCK is for the sandbox; without GOOGLE_API_URL people would get mail at the wrong time.")
    try:
        Clock.parse(text)
    except ValueError as exc:
        raise SettingsError(f"RINGSIDE_CLOCK: {exc}") from None
    return text


def _smtp(env: Mapping[str, str]) -> SmtpSettings | None:
    url = env.get("SMTP_URL", "").strip()
    if not url:
        return None
    try:
        return SmtpSettings.parse(url, env.get("MAIL_FROM", ""))
    except ValueError as exc:
        raise SettingsError(str(exc)) from None


_GOOGLE_PUSH = ("GOOGLE_PUSH_TOPIC", "GOOGLE_PUSH_ACCOUNT", "GOOGLE_PUSH_AUDIENCE")


def _google(env: Mapping[str, str]) -> GoogleSettings | None:
    client_id = env.get("GOOGLE_CLIENT_ID", "")
    if not client_id:
        return None
    topic, push_account, push_audience = environment.all_or_none(env, _GOOGLE_PUSH, "pushes need")
    return GoogleSettings(
        client_id=client_id,
        client_secret=environment.required(env, "GOOGLE_CLIENT_SECRET", "the secret of the OAuth client"),
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
    key_sid, key_secret, app_sid = environment.all_or_none(env, _SOFTPHONE, "the softphone needs")
    return TwilioSettings(
        account_sid=sid,
        auth_token=environment.required(env, "TWILIO_AUTH_TOKEN", "the account's auth token"),
        api_url=env.get("TWILIO_API_URL", "").rstrip("/"),
        from_number=environment.required(env, "TWILIO_FROM", "a number of the account, in E.164 form such as +14155550100"),
        api_key_sid=key_sid,
        api_key_secret=key_secret,
        twiml_app_sid=app_sid,
        webhook_keys=environment.pairs(env, "TWILIO_WEBHOOK_KEYS"),
        calls_per_second=environment.rate(env, "TWILIO_CALLS_PER_SECOND", 1.0),
    )


def _stripe(env: Mapping[str, str]) -> StripeSettings | None:
    key = env.get("STRIPE_SECRET_KEY", "")
    if not key:
        return None
    what = "the signing secret of the webhook endpoint, or the new and the old one separated by a comma"
    secrets = environment.required(env, "STRIPE_WEBHOOK_SECRET", what)
    return StripeSettings(
        secret_key=key,
        webhook_secrets=tuple(part.strip() for part in secrets.split(",") if part.strip()),
        api_url=env.get("STRIPE_API_URL", "").rstrip("/"),
        test_clock=_test_clock(env, key),
    )


def _test_clock(env: Mapping[str, str], key: str) -> str:
    clock = env.get("STRIPE_TEST_CLOCK", "").strip()
    if clock and not key.startswith("sk_test_"):
        raise SettingsError(
            "STRIPE_TEST_CLOCK needs a STRIPE_SECRET_KEY of the test mode (sk_test_...); nobody would really pay."
        )
    if clock and not clock.startswith("clock_"):
        raise SettingsError(
            f"STRIPE_TEST_CLOCK is {clock!r}; it should be the id of a test clock, such as clock_1NXwKX2eZvKYlo2C."
        )
    return clock
