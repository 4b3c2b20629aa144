"""Mail of ours as it was written: what was put in for tracking is taken out again before a mail is shown to colleagues.

Their looking at it would count as the reader's otherwise, in the copy of what was sent and in every answer that quotes it.
"""

from __future__ import annotations

import html as markup
import re
from dataclasses import replace

from hub.config import Settings
from hub.db import Tx
from hub.sqlfiles import load_sql
from hub.tracking.tokens import read_token
from integrations.mime import Folded, ParsedMessage

_SQL = load_sql("tracking")

_PICTURE = re.compile(r'<img\b[^<>]*"https?://[^"<>\s]{1,300}/t/o/([A-Za-z0-9_-]{40,100})\.gif"[^<>]*>')
_LINK = re.compile(r'"https?://[^"<>\s]{1,300}/t/c/([A-Za-z0-9_-]{40,100})"')


async def as_written(tx: Tx, settings: Settings, parsed: ParsedMessage) -> ParsedMessage:
    """The message without this company's pictures, and with its links leading where they were written to lead."""
    if "/t/o/" not in parsed.html and "/t/c/" not in parsed.html:
        return parsed
    html = await plain(tx, settings, parsed.html)
    quoted = parsed.quoted
    folded = replace(
        quoted,
        new_html=await plain(tx, settings, quoted.new_html),
        quoted_html=await plain(tx, settings, quoted.quoted_html),
    )
    assert isinstance(folded, Folded)
    return replace(parsed, html=html, quoted=folded, has_remote_images="data-remote-src" in html)


async def plain(tx: Tx, settings: Settings, html: str) -> str:
    """The same for HTML that was read from a message. What is not this company's stays."""
    tenant_id = tx.who.tenant_id

    def without(found: re.Match[str]) -> str:
        token = read_token(settings, "open", found[1])
        return "" if token is not None and token.tenant_id == tenant_id else found[0]

    html = _PICTURE.sub(without, html)
    places: dict[str, str] = {}
    for sealed in dict.fromkeys(_LINK.findall(html)):
        token = read_token(settings, "click", sealed)
        if token is not None and token.tenant_id == tenant_id:
            url = await tx.fetchval(_SQL["link_of"], send_id=token.send_id, position=token.position)
            if url is not None:
                places[sealed] = url
    return _LINK.sub(lambda found: f'"{markup.escape(places[found[1]])}"' if found[1] in places else found[0], html)
