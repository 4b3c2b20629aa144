"""The outbox over HTTP: a company's letters for its admins, and the page of those that belong to no company."""

from __future__ import annotations

import hmac
from html import escape

import orjson

from hub.config import Settings
from hub.db import Database, Tx
from hub.errors import NotFound
from hub.http.endpoint import Reply, Req, Routes
from hub.http.paging import page, read_cursor
from hub.post import actions
from hub.post.actions import KeptLetter
from hub.post.models import Letter, LetterFilter, LetterPage, LetterText
from hub.post.settings import page_path
from hub.sqlfiles import load_sql

_SQL = load_sql("post")
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:44rem;margin:6vh auto;padding:0 1.25rem;color:#1a1d21;background:#fff}"
    "h1{font-size:1.3rem}article{border-top:1px solid #8884;padding:1rem 0}h2{font-size:1rem;margin:0}"
    "p{margin:.2rem 0;opacity:.75}pre{white-space:pre-wrap;overflow-wrap:anywhere;font:inherit}a{color:#0b6e7f}"
    "@media(prefers-color-scheme:dark){body{background:#16181b;color:#e8eaed}a{color:#5cc0ce}}"
)


def post_routes(settings: Settings) -> Routes:
    """The endpoints, bound to these settings."""
    routes = Routes("outbox")

    @routes.get("/outbox", query=LetterFilter, returns=LetterPage, allow="outbox:read")
    async def list_letters(tx: Tx, req: Req[LetterFilter, None]) -> Reply:
        """The letters Ringside sent for the company in the last month, newest first."""
        after = read_cursor(req.query.cursor, "-created_at")
        rows = await tx.fetch(
            _SQL["list_letters"],
            limit=req.query.limit + 1,
            state=req.query.state,
            after=after.moment() if after else None,
            after_id=after.id if after else None,
        )
        goes_out = "true" if settings.smtp is not None else "false"
        return Reply(page(rows, req.query.limit, "-created_at")[:-1] + f',"goes_out":{goes_out}}}')

    @routes.get("/outbox/{id}", returns=LetterText, allow="outbox:read")
    async def get_letter(tx: Tx, req: Req[None, None]) -> Reply:
        """One letter, with its text where it lies in the local outbox."""
        letter, text, html = await actions.read_letter(tx, req.id())
        return Reply({"letter": orjson.Fragment(letter), "text": text, "html": html})

    @routes.post("/outbox/{id}/again", returns=Letter, allow="outbox:read")
    async def send_letter_again(tx: Tx, req: Req[None, None]) -> Reply:
        """Try to send a letter again that was given up."""
        return Reply(await actions.try_again(tx, req.id()))

    @routes.post("/outbox/test", returns=Letter, status=201, allow="outbox:read")
    async def send_test_letter(tx: Tx, req: Req[None, None]) -> Reply:
        """Send a letter to oneself, to see whether letters arrive."""
        return Reply(await actions.post_test(tx, settings.public_url), 201)

    @routes.get("//outbox/{key}", scope="public", content_type="text/html")
    async def outbox_page(db: Database, req: Req[None, None]) -> Reply:
        """The letters that belong to no company (sign-up, reset), where there is no mail server: for trying things out."""
        is_it = hmac.compare_digest(req.http.path.encode(errors="replace"), page_path(settings.key("outbox-page")).encode())
        if not settings.outbox_page or settings.smtp is not None or not is_it:
            raise NotFound("There is nothing at this address.")
        return Reply(_page(await actions.letters_of_nobody(db)), 200, _HEADERS, "text/html")

    return routes


def _page(letters: list[KeptLetter]) -> str:
    shown = "".join(_shown(letter) for letter in letters) or "<p>No letters yet.</p>"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<meta name="robots" content="noindex"><title>Outbox</title><style>{_STYLE}</style></head><body><main><h1>Outbox</h1>'
        "<p>No mail server is set up, so letters that belong to no company are shown here, newest first.</p>"
        f"{shown}</main></body></html>"
    )


def _shown(letter: KeptLetter) -> str:
    lines = (
        f'<a href="{escape(line)}">{escape(line)}</a>' if line.startswith(("http://", "https://")) else escape(line)
        for line in letter.text.split("\n")
    )
    when = letter.created_at.strftime("%Y-%m-%d %H:%M:%S UTC")
    return (
        f"<article><h2>{escape(letter.subject)}</h2><p>To {escape(letter.to)}, {when}</p>"
        f"<pre>{chr(10).join(lines)}</pre></article>"
    )
