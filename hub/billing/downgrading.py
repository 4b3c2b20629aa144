"""Puts to rest what a smaller plan has not, and wakes it with one that has it: in the transaction that records the plan.

What happens to each feature is said in hub.plans.resting. It follows from the plan, however that came to be another one: by a
change here, in the provider's dashboard, or as a trial that had everything ended in the purchase of less.
"""

from __future__ import annotations

from typing import cast

import orjson

from hub.audit.actions import record
from hub.billing.models import PlanEffect, PlanEffects
from hub.db import Tx
from hub.outgoing.actions import wake_rested
from hub.outgoing.delivering import stop
from hub.permissions import ROLE_PERMISSIONS
from hub.plans.resting import NO_WEBHOOKS, RESTS, InUse, lost_with
from hub.plans.table import FEATURES, PLANS, Feature, PlanName
from hub.roles.actions import read_role
from hub.roles.events import RoleUpdated
from hub.sqlfiles import load_sql
from hub.sso.events import SsoUpdated

_SQL = load_sql("downgrading")
_ROLES = load_sql("roles")
_MEMBERS = load_sql("members")


async def effects(tx: Tx, plan: PlanName) -> PlanEffects:
    """What another plan would put to rest and bring back, of what is in use; nothing for who is not billed."""
    account = await tx.fetchrow(_SQL["plan_and_rests"])
    if account is None:
        return PlanEffects(rests=[], back=[])
    used = await _in_use(tx)
    lost = lost_with(plan)
    now = lost_with(account["plan"])
    resting = frozenset(account["rests"])
    return PlanEffects(
        rests=[
            PlanEffect(feature=name, title=title, words=RESTS[name](used).lost)
            for name, title in FEATURES.items()
            if name in lost - now - resting and RESTS[name](used).lost
        ],
        back=[
            PlanEffect(feature=name, title=title, words=RESTS[name](used).back)
            for name, title in FEATURES.items()
            if name in resting - lost and RESTS[name](used).back
        ],
    )


async def settle(tx: Tx) -> None:
    """Let what rests be what the plan in force does not have. Doing it again changes nothing."""
    account = await tx.fetchrow(_SQL["plan_and_rests"])
    if account is None:
        return
    lost = lost_with(account["plan"])
    resting = frozenset(cast("list[Feature]", account["rests"]))
    if lost == resting:
        return
    await tx.execute(_SQL["write_rests"], rests=sorted(lost))
    down, up = lost - resting, resting - lost
    if "custom_roles" in down | up:
        await _trim_roles(tx, rests="custom_roles" in lost)
    if "api_keys" in down:
        # Every process looks at these people again: their keys are refused from then on, and sockets of keys end.
        for row in await tx.fetch(_SQL["people_with_keys"]):
            await tx.execute(_MEMBERS["note_access_change"], id=row["user_id"], kind="role_changed")
    if "webhooks" in down:
        for row in await tx.fetch(_SQL["running_webhooks"]):
            await stop(tx, row["id"], row["url"], "paused", NO_WEBHOOKS)
    if "webhooks" in up:
        await wake_rested(tx)
    if "sso" in down:
        issuer = await tx.fetchval(_SQL["loosen_sso"])
        if issuer is not None:
            tx.emit(SsoUpdated.of("not_enforced", issuer=issuer))
    details = {"plan": PLANS[account["plan"]].title, "rests": sorted(down), "back": sorted(up)}
    await record(tx, "plan.features_changed", subject_kind="plan", details=details)


async def _trim_roles(tx: Tx, *, rests: bool) -> None:
    """Take from the company's own roles what the built-in ones below them lack, or give it back; nobody gets more than before."""
    for row in await tx.fetch(_SQL["own_roles"]):
        if rests:
            trimmed = sorted(frozenset(row["permissions"]) & ROLE_PERMISSIONS[row["base"]])
            await tx.execute(_SQL["trim_role"], id=row["id"], permissions=trimmed)
        elif row["rested_permissions"] is not None:
            await tx.execute(_SQL["untrim_role"], id=row["id"])
        await tx.execute(_ROLES["note_role_changed"], id=row["id"])
        tx.emit(RoleUpdated(row["id"], {"role": orjson.Fragment(await read_role(tx, row["id"]))}))


async def _in_use(tx: Tx) -> InUse:
    row = await tx.fetchrow(_SQL["what_is_in_use"], no_webhooks=NO_WEBHOOKS)
    assert row is not None
    return InUse(**dict(row))
