"""Sealed secrets: they open for their own row alone, and keys can be changed."""

from __future__ import annotations

import dataclasses
from uuid import uuid4

import pytest

from hub.sealing import Seals, Unsealable
from tests.harness import make_settings

SETTINGS = make_settings("postgresql://nowhere", "redis://nowhere")
TENANT, ROW = uuid4(), uuid4()


def with_keys(**keys: str) -> Seals:
    return Seals(dataclasses.replace(SETTINGS, seal_keys=keys))


def test_what_was_sealed_opens_again_and_is_never_the_same_twice() -> None:
    seals = Seals(SETTINGS)
    first, second = (seals.seal("a token", tenant_id=TENANT, kind="mailbox", row_id=ROW) for _ in range(2))

    assert first != second and "a token" not in first
    assert seals.open(first, tenant_id=TENANT, kind="mailbox", row_id=ROW) == "a token"


def test_it_opens_for_no_other_tenant_kind_or_row() -> None:
    seals = Seals(SETTINGS)
    sealed = seals.seal("a token", tenant_id=TENANT, kind="mailbox", row_id=ROW)

    for tenant, kind, row in ((uuid4(), "mailbox", ROW), (TENANT, "other", ROW), (TENANT, "mailbox", uuid4())):
        with pytest.raises(Unsealable):
            seals.open(sealed, tenant_id=tenant, kind=kind, row_id=row)


def test_a_changed_letter_is_noticed() -> None:
    seals = Seals(SETTINGS)
    sealed = seals.seal("a token", tenant_id=TENANT, kind="mailbox", row_id=ROW)

    for broken in (
        sealed[:-6] + ("A" if sealed[-6] != "A" else "B") + sealed[-5:],
        sealed[:-9],
        "v1.secret.*",
        "v2.secret.AA==",
        "",
    ):
        with pytest.raises(Unsealable):
            seals.open(broken, tenant_id=TENANT, kind="mailbox", row_id=ROW)


def test_keys_are_changed_by_putting_the_new_one_first() -> None:
    old = with_keys(y2025="the old one").seal("a token", tenant_id=TENANT, kind="mailbox", row_id=ROW)
    both = with_keys(y2026="the new one", y2025="the old one")

    assert not old.startswith(both.prefix)
    assert both.open(old, tenant_id=TENANT, kind="mailbox", row_id=ROW) == "a token"
    new = both.seal("a token", tenant_id=TENANT, kind="mailbox", row_id=ROW)
    assert new.startswith(both.prefix)
    with pytest.raises(Unsealable, match="y2025"):
        with_keys(y2026="the new one").open(old, tenant_id=TENANT, kind="mailbox", row_id=ROW)
