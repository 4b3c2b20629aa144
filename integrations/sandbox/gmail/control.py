"""What Gmail does not have: a page to read, and handles to make things happen and to see what did. No credentials."""

from dataclasses import asdict
from email.utils import format_datetime
from html import escape
from typing import Any, Final, cast

import orjson
from aiohttp import web

from integrations.sandbox.gmail import refusals
from integrations.sandbox.gmail.faults import KINDS, Fault, Kind
from integrations.sandbox.gmail.grants import MAIL_SCOPES
from integrations.sandbox.gmail.letters import WRITTEN
from integrations.sandbox.gmail.mailbox import Mailbox
from integrations.sandbox.gmail.payload import encoded, raw_bytes
from integrations.sandbox.gmail.people import SHARES, TABLE
from integrations.sandbox.gmail.post import Sent
from integrations.sandbox.gmail.seeding import seed
from integrations.sandbox.gmail.world import World
from integrations.sandbox.gmail.writing import compose

_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Gmail sandbox</title>
<style>
  :root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }}
  body {{ max-width: 46rem; margin: 2rem auto; padding: 0 1rem }}
  th {{ text-align: left; font: 0.9rem ui-monospace, monospace; padding: 0.2rem 1.5rem 0.2rem 0; vertical-align: top }}
</style>
<h1>Gmail sandbox</h1>
<p>No mail sent here reaches anybody. What the person at the other end does is decided by how the address begins.</p>
<table>{rows}</table>
<p>{others}</p>
<p><a href="/_sandbox/mailboxes">The mailboxes</a>, <a href="/_sandbox/messages">what was sent</a>,
<a href="/_sandbox/pushes">the pushes</a>.</p>
</html>
"""


class Control:
    """The pages and handles of the sandbox itself."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        """Return the sandbox's own routes."""
        return [
            web.get("/", self.page),
            web.get("/_sandbox/mailboxes", self.mailboxes),
            web.post("/_sandbox/mailboxes", self.open),
            web.get("/_sandbox/messages", self.messages),
            web.post("/_sandbox/deliver", self.deliver),
            web.post("/_sandbox/send", self.send),
            web.post("/_sandbox/answer", self.answer),
            web.post("/_sandbox/seed", self.seed),
            web.post("/_sandbox/revoke", self.revoke),
            web.post("/_sandbox/expire", self.expire),
            web.post("/_sandbox/forget_history", self.forget_history),
            web.post("/_sandbox/keep_message_id", self.keep_message_id),
            web.post("/_sandbox/people", self.people),
            web.get("/_sandbox/pushes", self.pushes),
            web.post("/_sandbox/pushes", self.push),
            web.put("/_sandbox/pushes", self.push_to),
            web.get("/_sandbox/faults", self.faults),
            web.post("/_sandbox/faults", self.add_fault),
            web.delete("/_sandbox/faults", self.clear_faults),
        ]

    async def page(self, request: web.Request) -> web.Response:
        """Show what each address does."""
        rows = "".join(f"<tr><th>{escape(kind)}*</th><td>{escape(words)}</td></tr>" for kind, words, _ in TABLE)
        shares = ", ".join(f"{share} {kind}" for kind, share in SHARES)
        others = (
            f"Of a hundred others: {shares}; the rest is silent." if self._world.people.mode == "hash" else "Others are silent."
        )
        return web.Response(text=_PAGE.format(rows=rows, others=others), content_type="text/html")

    async def mailboxes(self, request: web.Request) -> web.Response:
        """Return the mailboxes and what is in them."""
        return told({"mailboxes": [_mailbox(each) for each in self._world.stock.mailboxes.values()]})

    async def open(self, request: web.Request) -> web.Response:
        """Open a mailbox as if its owner had consented: `{"address", "scopes"?, "display_name"?}`; the tokens."""
        body = await json_body(request)
        address = address_in(body)
        scopes = body.get("scopes")
        refresh_token = self._world.add_mailbox(address, frozenset(scopes) if isinstance(scopes, list) else MAIL_SCOPES)
        mailbox = self._world.stock.mailboxes[address]
        mailbox.display_name = str(body.get("display_name") or mailbox.display_name)
        access_token, _ = self._world.grants.refresh(refresh_token)
        return told(_mailbox(mailbox) | {"refresh_token": refresh_token, "access_token": access_token}, 201)

    async def messages(self, request: web.Request) -> web.Response:
        """Return what was sent, oldest first: `?to=`, `?mailbox=`, `?message_id=`, `?after=` (a number), `?raw=1`."""
        asked = request.query
        after = int(asked["after"]) if asked.get("after", "").isdigit() else 0
        found = [
            _sent(each, with_raw="raw" in asked)
            for each in self._world.post.sent[after:]
            if asked.get("to", "").lower() in ("", *each.head.recipients)
            and asked.get("mailbox", "").lower() in ("", each.mailbox)
            and asked.get("message_id", "") in ("", each.message_id, each.original_id)
        ]
        return told({"messages": found, "answers_to_come": self._world.people.waiting})

    async def deliver(self, request: web.Request) -> web.Response:
        """Let mail arrive: `{"address", "raw"}` (base64url), or the parts of a message, see `writing.compose`.

        `{"messages": [...]}` does it with many.
        """
        body = await json_body(request)
        many = body.get("messages")
        bodies = many if isinstance(many, list) else [body]
        made = []
        for each in bodies:
            address = address_in(each)
            raw = (
                raw_bytes(each["raw"])
                if each.get("raw")
                else compose(each, address, format_datetime(self._world.settings.clock.now()))
            )
            labels = frozenset(each.get("labels") or ("INBOX", "UNREAD"))
            message = self._world.stock.open(address).add(raw, labels, at_ms=each.get("at_ms"))
            made.append(
                {
                    "id": message.id,
                    "thread_id": message.thread_id,
                    "message_id": message.head.message_id,
                    "at_ms": message.internal_ms,
                }
            )
        return told({"messages": made} if many is not None else made[0], 201)

    async def send(self, request: web.Request) -> web.Response:
        """Send as the mailbox's owner would from Gmail's own pages: `{"address", "raw"}` or `{"address", "to", ...}`."""
        body = await json_body(request)
        address = address_in(body)
        date = format_datetime(self._world.settings.clock.now())
        raw = raw_bytes(body["raw"]) if body.get("raw") else compose({"from": address} | body, address, date)
        self._world.post.send(self._world.stock.open(address), raw, str(body.get("thread_id") or ""))
        return told(_sent(self._world.post.sent[-1], with_raw=False), 201)

    async def answer(self, request: web.Request) -> web.Response:
        """Have somebody answer what was sent, at once: `{"number", "kind", "from"?}`; without `from` the first recipient."""
        body = await json_body(request)
        kind, number = str(body.get("kind") or "reply"), int(body.get("number") or 0)
        if kind not in WRITTEN:
            raise refusals.invalid(f"kind is one of {', '.join(WRITTEN)}")
        if not 1 <= number <= len(self._world.post.sent):
            raise refusals.not_found()
        letter = self._world.post.sent[number - 1]
        self._world.people.answer(kind, letter, str(body.get("from") or letter.head.recipients[0]))
        return told(_sent(letter, with_raw=False), 201)

    async def seed(self, request: web.Request) -> web.Response:
        """Fill a mailbox: `{"address", "count", "days"?}`."""
        body = await json_body(request)
        mailbox = self._world.stock.open(address_in(body))
        seed(mailbox, int(body.get("count") or 100), float(body.get("days") or 90))
        return told(_mailbox(mailbox), 201)

    async def revoke(self, request: web.Request) -> web.Response:
        """Take back every grant of `{"address"}`, as its owner can."""
        return told({"revoked": self._world.grants.revoke_all(address_in(await json_body(request)))})

    async def expire(self, request: web.Request) -> web.Response:
        """Let the access tokens of `{"address"}` run out."""
        self._world.grants.expire_access(address_in(await json_body(request)))
        return told({})

    async def forget_history(self, request: web.Request) -> web.Response:
        """Make the history of `{"address"}` too old to tell."""
        mailbox = self._world.stock.mailboxes.get(address_in(await json_body(request)))
        if mailbox is None:
            raise refusals.not_found()
        mailbox.forget_history()
        return told(_mailbox(mailbox))

    async def keep_message_id(self, request: web.Request) -> web.Response:
        """Keep the Message-IDs of what is sent from now on, or give them others: `{"on": true}`."""
        self._world.post.keeps_message_id = bool((await json_body(request)).get("on", True))
        return told({"on": self._world.post.keeps_message_id})

    async def people(self, request: web.Request) -> web.Response:
        """Say what people without a telling address do: `{"mode": "hash"}` or silent."""
        mode = (await json_body(request)).get("mode")
        if mode not in ("hash", "silent"):
            raise refusals.invalid("mode is hash or silent")
        self._world.people.mode = mode
        return told({"mode": mode})

    async def pushes(self, request: web.Request) -> web.Response:
        """Return the pushes of late, oldest first."""
        return told({"pushes": [asdict(each) for each in self._world.pushes.log]})

    async def push(self, request: web.Request) -> web.Response:
        """Send a push although nothing happened: `{"address", "history_id"?}`."""
        body = await json_body(request)
        address = address_in(body)
        mailbox = self._world.stock.mailboxes.get(address)
        known = mailbox.history_id if mailbox else 1
        return told(asdict(self._world.pushes.push(address, int(body.get("history_id") or known))), 201)

    async def push_to(self, request: web.Request) -> web.Response:
        """Send pushes elsewhere from now on: `{"url", "audience"?}`."""
        body = await json_body(request)
        self._world.push_to(str(body.get("url") or ""), str(body.get("audience") or ""))
        return told(asdict(self._world.pushes.settings))

    async def faults(self, request: web.Request) -> web.Response:
        """Return the faults that are still to come."""
        return told({"faults": [asdict(each) for each in self._world.faults.waiting]})

    async def add_fault(self, request: web.Request) -> web.Response:
        """Let the next requests go wrong: `{"operation", "kind", "times"?, "delay_s"?, "mailbox"?, "reason"?}`."""
        body = await json_body(request)
        kind = str(body.get("kind", "500"))
        if kind not in KINDS:
            raise refusals.invalid(f"kind is one of {', '.join(sorted(KINDS))}")
        fault = Fault(
            str(body.get("operation", "*")),
            cast(Kind, kind),
            int(body.get("times") or 1),
            float(body.get("delay_s") or 0),
            str(body.get("mailbox") or "").lower(),
            str(body.get("reason") or ""),
        )
        self._world.faults.add(fault)
        return await self.faults(request)

    async def clear_faults(self, request: web.Request) -> web.Response:
        """Let everything go right again."""
        self._world.faults.clear()
        return await self.faults(request)


def told(body: dict[str, Any], status: int = 200) -> web.Response:
    """Return an answer in JSON."""
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json")


async def json_body(request: web.Request) -> dict[str, Any]:
    """Read a request's JSON. Raises Refusal."""
    try:
        body = orjson.loads(await request.read() or b"{}")
    except orjson.JSONDecodeError:
        raise refusals.invalid("The body is no JSON.") from None
    if not isinstance(body, dict):
        raise refusals.invalid("The body is no object.")
    return body


def address_in(body: dict[str, Any]) -> str:
    """Return the address that a body names. Raises Refusal."""
    address = str(body.get("address", "")).strip().lower()
    if "@" not in address:
        raise refusals.invalid("address is missing.")
    return address


def _mailbox(mailbox: Mailbox) -> dict[str, Any]:
    return {
        "address": mailbox.address,
        "messages": len(mailbox.messages),
        "threads": len(mailbox.threads),
        "unread": sum("UNREAD" in each.labels for each in mailbox.messages.values()),
        "drafts": len(mailbox.drafts),
        "labels": {each.id: each.name for each in mailbox.labels.values()},
        "history_id": str(mailbox.history_id),
        "is_watched": mailbox.watch is not None,
        "quota_units": mailbox.units,
    }


def _sent(sent: Sent, *, with_raw: bool) -> dict[str, Any]:
    head = sent.head
    shown = {
        "number": sent.number,
        "mailbox": sent.mailbox,
        "id": sent.stored.id,
        "thread_id": sent.stored.thread_id,
        "message_id": sent.message_id,
        "original_message_id": sent.original_id,
        "to": head.to,
        "cc": head.cc,
        "bcc": head.bcc,
        "subject": head.subject,
        "in_reply_to": head.references[-1] if head.references else None,
        "at_ms": sent.at_ms,
    }
    return shown | ({"raw": encoded(sent.stored.raw)} if with_raw else {})
