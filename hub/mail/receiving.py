"""Messages that a provider has: into their threads, each once, with their contacts."""

from __future__ import annotations

import asyncpg

from hub.db import Tx
from hub.mail.values import Arrived, Stored
from integrations.mime import ParsedMessage

__all__ = ["Arrived", "Stored", "store_message"]


async def store_message(tx: Tx, mailbox: asyncpg.Record, parsed: ParsedMessage, arrived: Arrived) -> Stored:
    """Take in a message of a mailbox (a row with at least id, user_id, team_id, address_lc and visibility).

    May be repeated: the provider's id and the Message-ID make it the same message. One that we sent is joined with its send.
    """
    raise NotImplementedError
