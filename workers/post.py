"""Delivers Ringside's own letters, of every company and of none."""

from __future__ import annotations

import asyncio
import time
from functools import partial

import structlog

from hub.db import Tx
from hub.notifications.actions import notify
from hub.notifications.telling import GATHERED
from hub.post import actions
from hub.post.actions import MAX_ATTEMPTS, DueLetter, pause_s
from integrations.errors import CircuitOpen, Rejected, Transient
from integrations.telling import LetterCarrier, OwnLetter
from workers.cron import duty
from workers.job import Deps

_AT_ONCE = 10
# Longer than any attempt takes: after it somebody else may try, and the letter may arrive twice.
_LEASE_S = 120
# A duty holds a lock, and whoever holds it for long is taken for dead.
_ROUND_S = 20.0

_log = structlog.get_logger(__name__)


@duty(every_s=1.0)
async def deliver_letters(deps: Deps) -> None:
    """Send what is due, or keep it in the local outbox where there is no mail server."""
    until = time.monotonic() + _ROUND_S
    while time.monotonic() < until:
        letters = await actions.claim(deps.db, limit=_AT_ONCE, lease_s=_LEASE_S)
        await asyncio.gather(*(_deliver(deps, letter) for letter in letters))
        if len(letters) < _AT_ONCE:
            return


@duty(every_s=3600.0)
async def forget_old_letters(deps: Deps) -> None:
    """Delete letters of more than a month ago."""
    await actions.forget_old(deps.db)


async def _deliver(deps: Deps, letter: DueLetter) -> None:
    if deps.letters is None:
        await actions.settle(deps.db, letter.tenant_id, letter.id, letter.attempt, "kept")
        return
    problem, pause = await _carry(deps.letters, letter)
    if problem is None:
        await actions.settle(deps.db, letter.tenant_id, letter.id, letter.attempt, "sent")
    elif pause is None or letter.attempt >= MAX_ATTEMPTS:
        _log.warning("a letter is given up", letter=str(letter.id), attempts=letter.attempt)
        await actions.settle(
            deps.db, letter.tenant_id, letter.id, letter.attempt, "failed", problem, then=partial(_tell_admins, letter, problem)
        )
    else:
        await actions.settle(deps.db, letter.tenant_id, letter.id, letter.attempt, "waiting", problem, delay_s=pause)


async def _tell_admins(letter: DueLetter, problem: str, tx: Tx) -> None:
    if letter.template == GATHERED:
        # It would be told by the very same way.
        return
    for person_id in await actions.admins(tx):
        title = f"A letter to {letter.to} could not be delivered"
        await notify(tx, person_id, "letter_failed", title, f"{letter.subject}: {problem}", "letter", letter.id)


async def _carry(carrier: LetterCarrier, letter: DueLetter) -> tuple[str | None, float | None]:
    """What went wrong, and how long to wait before it is tried again; no pause where trying again changes nothing."""
    try:
        await carrier.carry(
            OwnLetter(str(letter.id), letter.to, letter.subject, letter.text, letter.html, written_at=letter.created_at)
        )
    except Rejected as exc:
        # A refused password or certificate is the operator's to mend; the letter waits for it.
        is_about_the_letter = exc.code.isdigit() and not exc.is_credential_fault
        return exc.message, None if is_about_the_letter else pause_s(letter.attempt)
    except (Transient, CircuitOpen) as exc:
        return str(exc), max(exc.retry_after or 0.0, pause_s(letter.attempt))
    except Exception as exc:
        # One odd letter must not hold up the others.
        _log.exception("a letter could not be handed over", letter=str(letter.id))
        return repr(exc), pause_s(letter.attempt)
    return None, None
