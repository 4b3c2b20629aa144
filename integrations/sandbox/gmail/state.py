"""Mail that outlasts the sandbox: everything in one file, read at the start and written when something has changed."""

import base64
import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import orjson

from integrations.sandbox.gmail.grants import Grants
from integrations.sandbox.gmail.mailbox import Change, Draft, Label, Mailbox, Stored, WatchState
from integrations.sandbox.gmail.post import PostOffice, Sent
from integrations.sandbox.gmail.rfc822 import with_headers
from integrations.sandbox.gmail.stock import Stock

log = logging.getLogger(__name__)

_KEPT_CHANGES: Final = 20_000


class State:
    """The file; a sandbox without one forgets everything."""

    def __init__(self, path: Path, stock: Stock, grants: Grants, post: PostOffice) -> None:
        self._path = path
        self._stock = stock
        self._grants = grants
        self._post = post
        self._saved: tuple[object, ...] = ()

    def restore(self) -> None:
        """Read the file, if there is one. One that is damaged is put aside, and everything begins anew."""
        if not self._path.exists():
            return
        try:
            self._read(orjson.loads(self._path.read_bytes()))
        except (ValueError, KeyError, TypeError, AttributeError):
            aside = self._path.with_suffix(".damaged")
            log.warning("%s can't be read; it is kept as %s", self._path, aside)
            self._path.replace(aside)
            self._stock.mailboxes.clear()
            self._grants.refresh_tokens.clear()
            self._post.sent.clear()
        self._saved = self._mark()

    def _read(self, read: dict[str, Any]) -> None:
        for told in read["mailboxes"]:
            _fill(self._stock.open(told["address"]), told)
        self._grants.refresh_tokens.update(
            {token: (address, frozenset(scopes)) for token, (address, scopes) in read["grants"].items()}
        )
        for address, message_id, original_id in read["sent"]:
            stored = self._stock.open(address).messages.get(message_id)
            if stored is not None:
                self._post.sent.append(_sent(len(self._post.sent) + 1, address, stored, original_id))

    def save(self) -> None:
        """Write the file, if something has changed since the last time."""
        mark = self._mark()
        if mark == self._saved:
            return
        told = {
            "mailboxes": [_told(each) for each in self._stock.mailboxes.values()],
            "grants": {token: (address, sorted(scopes)) for token, (address, scopes) in self._grants.refresh_tokens.items()},
            "sent": [(each.mailbox, each.stored.id, each.original_id) for each in self._post.sent],
        }
        fresh = self._path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_bytes(orjson.dumps(told))
        fresh.replace(self._path)
        self._saved = mark

    def _mark(self) -> tuple[object, ...]:
        boxes = tuple(
            (each.history_id, len(each.messages), len(each.labels), tuple(each.drafts), each.watch)
            for each in self._stock.mailboxes.values()
        )
        return boxes, tuple(self._grants.refresh_tokens), len(self._post.sent)


def _told(mailbox: Mailbox) -> dict[str, Any]:
    watch = mailbox.watch
    return {
        "address": mailbox.address,
        "display_name": mailbox.display_name,
        "messages": [
            (each.id, each.thread_id, base64.b64encode(each.raw).decode(), sorted(each.labels), each.place, each.history_id)
            for each in mailbox.messages.values()
        ],
        "labels": [asdict(each) for each in mailbox.labels.values()],
        "drafts": [asdict(each) for each in mailbox.drafts.values()],
        "history": [
            (each.id, each.kind, each.message_id, each.thread_id, each.message_labels, each.labels)
            for each in mailbox.history[-_KEPT_CHANGES:]
        ],
        "history_id": mailbox.history_id,
        "history_floor": mailbox.history[-_KEPT_CHANGES].id if len(mailbox.history) > _KEPT_CHANGES else mailbox.history_floor,
        "watch": (watch.expires_ms, sorted(watch.labels), watch.is_exclusive) if watch else None,
    }


def _fill(mailbox: Mailbox, told: dict[str, Any]) -> None:
    mailbox.display_name = told["display_name"]
    for new, thread_id, raw, labels, place, history_id in told["messages"]:
        mailbox.put_back(new, thread_id, base64.b64decode(raw), labels, (place[0], place[1]), history_id)
    mailbox.labels = {each["id"]: Label(**each) for each in told["labels"]}
    mailbox.drafts = {each["id"]: Draft(**each) for each in told["drafts"]}
    mailbox.history = [
        Change(at, kind, message_id, thread_id, tuple(now), tuple(labels))
        for at, kind, message_id, thread_id, now, labels in told["history"]
    ]
    mailbox.history_id, mailbox.history_floor = told["history_id"], told["history_floor"]
    if told["watch"]:
        expires_ms, labels, is_exclusive = told["watch"]
        mailbox.watch = WatchState(expires_ms, frozenset(labels), is_exclusive)


def _sent(number: int, address: str, stored: Stored, original_id: str) -> Sent:
    return Sent(
        number=number,
        mailbox=address,
        stored=stored,
        message_id=stored.head.message_id,
        original_id=original_id,
        at_ms=stored.internal_ms,
        delivered=with_headers(stored.raw, drop=("Bcc",)),
    )
