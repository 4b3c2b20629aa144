"""Letters about a person's account. They belong to no company, so that no administrator reads them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from hub.accounts.devices import device_words
from hub.db import Database
from hub.post.actions import post

SECURITY_ROOM = "/settings/security"

# What has changed, in the words of the letter.
CHANGES = {
    "password_changed": "Your password was changed. All your other sessions were ended.",
    "password_reset": "A new password was chosen with a link that was sent to this address. All your sessions were ended.",
    "totp_on": "An authenticator app was set up. From now on a code is asked for when you sign in with your password.",
    "totp_off": "The authenticator app was removed. No code is asked for any more when you sign in with your password.",
    "recovery_codes_made": "New recovery codes were made. The ones before do not work any more.",
    "recovery_code_used": "Somebody signed in with one of your recovery codes.",
    "passkey_added": "A passkey was added. Whoever holds it can sign in without your password.",
    "passkey_removed": "A passkey was removed. It does not sign in any more.",
}


@dataclass(frozen=True, slots=True)
class From:
    """Where something was done from."""

    address: str
    user_agent: str


async def tell_of_change(db: Database, public_url: str, email: str, name: str, change: str, where: From) -> None:
    """Tell a person what was changed of how they sign in (one of CHANGES), so that they notice when it was not they."""
    values = {"name": name, "what": CHANGES[change], **_circumstances(where), "link": public_url + SECURITY_ROOM}
    await post(db, to=email, template="account_changed", values=values)


async def tell_of_device(db: Database, public_url: str, email: str, name: str, where: From) -> None:
    """Tell a person that somebody signed in with a browser that was not used before."""
    values = {"name": name, **_circumstances(where), "link": public_url + SECURITY_ROOM}
    await post(db, to=email, template="new_device", values=values)


async def tell_of_lock(db: Database, public_url: str, email: str, name: str, failures: int, where: From) -> None:
    """Tell a person that so many sign-ins failed in a row that their password is not looked at any more."""
    values = {"name": name, "failures": failures, **_circumstances(where), "link": f"{public_url}/forgot"}
    await post(db, to=email, template="sign_in_locked", values=values)


async def send_reset(db: Database, public_url: str, email: str, name: str, token: str, minutes: int, where: From) -> None:
    """Send the link to choose a new password."""
    values = {"name": name, **_circumstances(where), "minutes": minutes, "link": f"{public_url}/reset?token={token}"}
    await post(db, to=email, template="password_reset", values=values)


def _circumstances(where: From) -> dict[str, str]:
    return {
        "device": device_words(where.user_agent),
        "address": where.address or "an unknown address",
        "at": f"{datetime.now(UTC):%d %B %Y, %H:%M} UTC",
    }
