"""The sandboxes that `up` starts for providers that are not set: what the programs are told, and how each is called."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hub.listening import free_port, is_free, reachable_host, url_host

NAMES = ("twilio", "gmail", "stripe", "oidc")
_NUMBER = "+14155550100"
# The sandbox is nobody's network: no reason to dial as slowly as Twilio lets a new account.
_CALLS_PER_SECOND = "200"
_GOOGLE = {
    "GOOGLE_CLIENT_ID": "ringside-demo.apps.googleusercontent.com",
    "GOOGLE_PUSH_TOPIC": "projects/ringside-demo/topics/mail",
    "GOOGLE_PUSH_ACCOUNT": "mail-push@ringside-demo.iam.gserviceaccount.com",
}
_PUSH_PATH = "/webhooks/google/push"
_STRIPE_PATH = "/webhooks/stripe"
# Companies write its address down, so that it should be the same next time.
_OIDC_PORT = 8490
_HERE = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """One of them: its name, where it listens, and its further arguments."""

    name: str
    url: str
    arguments: list[str]

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rpartition(":")[2])


def sandbox_settings(given: Mapping[str, str], kept: Mapping[str, str], hub_url: str, *, demo: bool) -> dict[str, str]:
    """The settings that lead to sandboxes where the caller has `given` no provider. `kept` are the data folder's secrets."""
    env: dict[str, str] = {}
    if not given.get("TWILIO_ACCOUNT_SID"):
        env["TWILIO_ACCOUNT_SID"] = kept["twilio_account_sid"]
        env["TWILIO_AUTH_TOKEN"] = kept["twilio_auth_token"]
        env["TWILIO_FROM"] = given.get("TWILIO_FROM") or _NUMBER
        env["TWILIO_API_URL"] = _free_url()
        env["TWILIO_CALLS_PER_SECOND"] = given.get("TWILIO_CALLS_PER_SECOND") or _CALLS_PER_SECOND
    if not given.get("GOOGLE_CLIENT_ID"):
        env |= _GOOGLE | {"GOOGLE_CLIENT_SECRET": kept["google_client_secret"]}
        env["GOOGLE_API_URL"] = env["GOOGLE_OAUTH_URL"] = _free_url()
        env["GOOGLE_PUSH_AUDIENCE"] = hub_url + _PUSH_PATH
    # Who works here in earnest, without a Stripe account, is billed by nobody, and nothing is limited.
    if demo and not given.get("STRIPE_SECRET_KEY"):
        env["STRIPE_SECRET_KEY"] = kept["stripe_secret_key"]
        env["STRIPE_WEBHOOK_SECRET"] = kept["stripe_webhook_secret"]
        env["STRIPE_API_URL"] = _free_url()
    if demo:
        # The sandbox of sign-in is here, and so is whatever one tries webhooks with.
        for name in ("RINGSIDE_PRIVATE_SSO_HOSTS", "RINGSIDE_PRIVATE_WEBHOOK_HOSTS"):
            env[name] = given.get(name) or "yes"
    return env


def sandboxes(given: Mapping[str, str], env: Mapping[str, str], data: Path, *, demo: bool) -> list[Sandbox]:
    """The sandboxes to start beside programs that run with `env`; what they keep is in the folder `data`."""
    clock = ["--clock", env.get("RINGSIDE_CLOCK", "")]
    found: list[Sandbox] = []
    if not given.get("TWILIO_ACCOUNT_SID"):
        numbers = ["--numbers-file", str(data / "sandbox-numbers.json")]
        paced = ["--calls-per-second", env["TWILIO_CALLS_PER_SECOND"]]
        found.append(Sandbox("twilio", env["TWILIO_API_URL"], paced + numbers))
    if not given.get("GOOGLE_CLIENT_ID"):
        kept = ["--state", str(data / "sandbox-mail.json")]
        pushing = ["--push-url", env["GOOGLE_PUSH_AUDIENCE"], "--people", "hash"]
        found.append(Sandbox("gmail", env["GOOGLE_API_URL"], pushing + kept + clock))
    if demo and not given.get("STRIPE_SECRET_KEY"):
        hub_url = f"http://{url_host(reachable_host(env['RINGSIDE_HOST']))}:{env['RINGSIDE_PORT']}"
        # Time is the hub's: were it faster here, what was bought would have run out there before it began.
        kept = ["--speed", "1", "--state", str(data / "sandbox-stripe.json")]
        found.append(Sandbox("stripe", env["STRIPE_API_URL"], ["--webhook-url", hub_url + _STRIPE_PATH, *clock, *kept]))
    if demo:
        found.append(Sandbox("oidc", f"http://{_HERE}:{_OIDC_PORT}" if is_free(_HERE, _OIDC_PORT) else _free_url(), []))
    return found


def _free_url() -> str:
    return f"http://{_HERE}:{free_port(_HERE)}"
