"""The data folder of one Ringside: where it is, its secrets, and what runs from it right now."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hub.embedded.processes import is_held, read_private, short_lock, write_private

CLONE = Path(__file__).resolve().parent.parent
STATE = "up.json"
LOCK = "up.lock"
SECRETS = "secrets.json"


def default_data_dir(env: Mapping[str, str]) -> Path:
    """RINGSIDE_DATA, else .ringside in the clone, else the user's data folder (an installed wheel)."""
    if env.get("RINGSIDE_DATA"):
        return Path(env["RINGSIDE_DATA"]).absolute()
    if (CLONE / "ringside").is_file():
        return CLONE / ".ringside"
    return Path(env.get("XDG_DATA_HOME") or Path.home() / ".local/share").absolute() / "ringside"


def make_data_dir(path: Path) -> None:
    """Make the folder; others may pass through it only when we are root and the servers are not."""
    path.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)


def load_secrets(data: Path) -> dict[str, str]:
    """The secrets of this installation: made once, kept in a file that only we can read."""
    with short_lock(data / "secrets.lock"):
        kept = {name: value for name, value in read_private(data / SECRETS).items() if isinstance(value, str)}
        fresh = {
            "secret": secrets.token_urlsafe(48),
            "twilio_account_sid": f"AC{secrets.token_hex(16)}",
            "twilio_auth_token": secrets.token_hex(16),
            "google_client_secret": f"GOCSPX-{secrets.token_urlsafe(21)}",
            "stripe_secret_key": f"sk_test_{secrets.token_urlsafe(24)}",
            "stripe_webhook_secret": f"whsec_{secrets.token_urlsafe(24)}",
        }
        if not fresh.keys() <= kept.keys():
            kept = fresh | kept
            write_private(data / SECRETS, dict(kept))
    return kept


def write_running(data: Path, state: dict[str, Any]) -> None:
    """Say what runs from this folder, for the other commands; readable by us only."""
    write_private(data / STATE, state)


def clear_running(data: Path) -> None:
    """Nothing runs from this folder any more."""
    (data / STATE).unlink(missing_ok=True)


def find_running(data: Path) -> dict[str, Any] | None:
    """What `up` wrote down, when that `up` still lives."""
    return read_private(data / STATE) or None if is_held(data / LOCK) else None
