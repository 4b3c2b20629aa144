"""Addresses that need no token."""

from __future__ import annotations

from uuid import uuid4

from hub.recordings.links import read_key, write_key

SECRET, OTHER = b"s" * 32, b"t" * 32


def test_a_key_opens_what_it_was_made_for_and_nothing_else() -> None:
    tenant, recording, user = uuid4(), uuid4(), uuid4()
    key, expires = write_key(SECRET, tenant, recording, user, 60)
    link = read_key(SECRET, key, recording)
    assert link is not None
    assert (link.tenant_id, link.subject_id, link.user_id, link.expires_at) == (tenant, recording, user, expires)
    assert read_key(SECRET, key, uuid4()) is None
    assert read_key(OTHER, key, recording) is None
    provider = read_key(SECRET, write_key(SECRET, tenant, recording, None, 60)[0], recording)
    assert provider is not None and provider.user_id is None


def test_an_old_changed_or_invented_key_opens_nothing() -> None:
    recording = uuid4()
    assert read_key(SECRET, write_key(SECRET, uuid4(), recording, None, -1)[0], recording) is None
    key, _ = write_key(SECRET, uuid4(), recording, None, 60)
    for n in range(0, len(key) - 1):
        changed = key[:n] + ("A" if key[n] != "A" else "B") + key[n + 1 :]
        assert read_key(SECRET, changed, recording) is None
    for invented in ("", "x", "=", "\N{SNOWMAN}", "A" * 400, key[:-5], key + "AAAA"):
        assert read_key(SECRET, invented, recording) is None
