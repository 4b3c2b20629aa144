"""How single settings are read from the environment, and what is said of those that are wrong."""

from __future__ import annotations

from collections.abc import Mapping


class SettingsError(ValueError):
    """A setting is missing or wrong; the message names the variable and what it should be."""


def required(env: Mapping[str, str], name: str, what: str) -> str:
    """A variable that must be there; `what` says what it should be. Raises SettingsError."""
    value = env.get(name, "")
    if not value:
        raise SettingsError(f"{name} is not set: it should be {what}.")
    return value


def port(env: Mapping[str, str], name: str, default: int) -> int:
    """A port. Raises SettingsError."""
    text = env.get(name, str(default))
    if not text.isdigit() or int(text) > 65535:
        raise SettingsError(f"{name} is {text!r}; it should be a port between 0 and 65535.")
    return int(text)


def count(env: Mapping[str, str], name: str, default: int) -> int:
    """A number from 1 to 1000. Raises SettingsError."""
    text = env.get(name, str(default))
    if not text.isdigit() or not 1 <= int(text) <= 1000:
        raise SettingsError(f"{name} is {text!r}; it should be a number from 1 to 1000.")
    return int(text)


def seconds(env: Mapping[str, str], name: str, default: float) -> float:
    """Seconds, of a day at most. Raises SettingsError."""
    text = env.get(name, str(default))
    try:
        value = float(text)
    except ValueError:
        raise SettingsError(f"{name} is {text!r}; it should be a number of seconds.") from None
    if not 0 < value < 86_400:
        raise SettingsError(f"{name} is {text!r}; it should be between 0 and 86400 seconds.")
    return value


def rate(env: Mapping[str, str], name: str, default: float) -> float:
    """How many a second. Raises SettingsError."""
    text = env.get(name, str(default))
    try:
        value = float(text)
    except ValueError:
        raise SettingsError(f"{name} is {text!r}; it should be a number for each second.") from None
    if not 0.01 <= value <= 10_000:
        raise SettingsError(f"{name} is {text!r}; it should be between 0.01 and 10000.")
    return value


def share(env: Mapping[str, str], name: str, default: float) -> float:
    """A share from 0 to 1. Raises SettingsError."""
    text = env.get(name, str(default))
    try:
        value = float(text)
    except ValueError:
        raise SettingsError(f"{name} is {text!r}; it should be a share from 0 to 1.") from None
    if not 0 <= value <= 1:
        raise SettingsError(f"{name} is {text!r}; it should be a share from 0 to 1.")
    return value


def all_or_none(env: Mapping[str, str], names: tuple[str, ...], who_needs: str) -> list[str]:
    """Variables that belong together; empty texts where none is set. Raises SettingsError."""
    missing = [name for name in names if not env.get(name)]
    if 0 < len(missing) < len(names):
        raise SettingsError(f"{' and '.join(missing)} must be set, too: {who_needs} all of {', '.join(names)}.")
    return [env.get(name, "") for name in names]


def pairs(env: Mapping[str, str], name: str) -> Mapping[str, str]:
    """id=secret pairs, separated by commas. Raises SettingsError."""
    pairs: dict[str, str] = {}
    for part in env.get(name, "").split(","):
        key, equals, secret = part.partition("=")
        if not part.strip():
            continue
        if not equals or not key.strip() or not secret.strip():
            raise SettingsError(f"{name} should be id=secret pairs, separated by commas.")
        pairs[key.strip()] = secret.strip()
    return pairs


def switch(env: Mapping[str, str], name: str, default: str = "") -> bool:
    """Yes or no. Raises SettingsError."""
    text = (env.get(name) or default).lower()
    if text not in ("", "0", "1", "no", "yes", "false", "true"):
        raise SettingsError(f"{name} is {text!r}; it should be yes or no.")
    return text in ("1", "yes", "true")
