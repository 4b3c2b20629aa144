"""Addresses of messages that play without a token: for the console's player, and for the provider."""

from __future__ import annotations

from uuid import UUID

from hub.config import Settings
from hub.recordings.links import Link, read_key, write_key

# Longer than any message and whatever may keep the provider from asking at once.
_PROVIDER_S = 10 * 60
_PLAYER_S = 30 * 60


def _secret(settings: Settings) -> bytes:
    return settings.key("voicemail-links")


def provider_path(settings: Settings, tenant_id: UUID, drop_id: UUID) -> str:
    """Where the provider finds a message for the next minutes."""
    key, _ = write_key(_secret(settings), tenant_id, drop_id, None, _PROVIDER_S)
    return f"/api/v1/media/voicemail-drops/{drop_id}?key={key}"


def player_path(settings: Settings, tenant_id: UUID, drop_id: UUID, user_id: UUID) -> tuple[str, int]:
    """Where a member's audio element finds it, and until when (Unix time)."""
    key, expires = write_key(_secret(settings), tenant_id, drop_id, user_id, _PLAYER_S)
    return f"/api/v1/media/voicemail-drops/{drop_id}?key={key}", expires


def opened(settings: Settings, key: str, drop_id: UUID) -> Link | None:
    """What a key stands for; None when it opens nothing (any more)."""
    return read_key(_secret(settings), key, drop_id)
