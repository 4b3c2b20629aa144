"""What a mail is given at the moment it is sent: a picture, links of ours, an address to unsubscribe at."""

from __future__ import annotations

import html as markup
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit
from uuid import UUID

import orjson

from hub.config import Settings
from hub.db import Tx
from hub.sqlfiles import load_sql
from hub.templates.plain import clean
from hub.templates.rendering import UNSUBSCRIBE_URL
from hub.tracking.regions import is_off, regions_of
from hub.tracking.tokens import write_token

_SQL = load_sql("tracking")

# More links than these keep their own addresses, as longer ones do: no mail of a person's has as many.
_MAX_LINKS = 200
_MAX_URL = 2000


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A mail that is about to be sent. `recipients` are all addresses of to, cc and bcc; `bulk` is what goes to many, such as a
    sequence's. `html` empty: a mail of text alone."""

    send_id: UUID
    mailbox_id: UUID
    mailbox_address: str
    contact_id: UUID | None
    recipients: Sequence[str]
    html: str
    text: str
    bulk: bool


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is really sent: nothing of it is kept. `headers` are more headers for the message."""

    html: str
    text: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TrackingPlan:
    """What is looked for in one mail, why not more, and the address that its links begin with."""

    opens: bool
    clicks: bool
    reason: str
    base_url: str


async def prepare(tx: Tx, settings: Settings, mail: Outgoing) -> Prepared:
    """Prepare a mail, any mail, for being sent. Repeated for the same send it gives the same.

    A mail to several people is not tracked: nobody could say who of them it was that opened it.
    """
    wanted = await plan(tx, settings, mail.contact_id, mail.recipients)
    names_it = UNSUBSCRIBE_URL in mail.html or UNSUBSCRIBE_URL in mail.text
    if not mail.recipients or not (mail.bulk or names_it or wanted.opens or wanted.clicks):
        return Prepared(mail.html, mail.text, {})
    row = await tx.fetchrow(
        _SQL["begin_tracking"],
        send_id=mail.send_id,
        mailbox_id=mail.mailbox_id,
        contact_id=mail.contact_id,
        address_lc=mail.recipients[0].lower(),
        opens=wanted.opens and bool(mail.html),
        clicks=wanted.clicks and bool(mail.html),
        reason=wanted.reason,
    )
    assert row is not None
    given = TrackingPlan(row["opens"], row["clicks"], wanted.reason, wanted.base_url)
    html = await instrument(tx, settings, mail.send_id, mail.html, given)
    unsubscribe = unsubscribe_url(settings, tx.who.tenant_id, mail.send_id, given.base_url)
    return Prepared(
        html.replace(UNSUBSCRIBE_URL, markup.escape(unsubscribe)),
        mail.text.replace(UNSUBSCRIBE_URL, unsubscribe),
        headers_for(unsubscribe, mail.mailbox_address) if mail.bulk else {},
    )


async def plan(tx: Tx, settings: Settings, contact_id: UUID | None, recipients: Sequence[str]) -> TrackingPlan:
    """What may be looked for in a mail to these people, by the company's settings and by where they are."""
    company = orjson.loads(await tx.fetchval(_SQL["get_settings"]))
    domain = await tx.fetchval(_SQL["domain_in_use"]) if company["domain"] else None
    base = f"https://{domain}" if domain else settings.public_url
    opens, clicks = company["opens"] == "on", company["clicks"] == "on"
    if not opens and not clicks:
        return TrackingPlan(False, False, "Tracking is off.", base)
    if len({address.lower() for address in recipients}) != 1:
        return TrackingPlan(False, False, "It goes to several people.", base)
    if company["off_regions"] or company["unknown_region"] == "off":
        places = await tx.fetchrow(_SQL["places_of_contact"], contact_id=contact_id)
        assert places is not None
        regions = regions_of(places["numbers"], [*places["addresses"], *recipients])
        region = is_off(regions, company["off_regions"])
        if region is not None:
            return TrackingPlan(False, False, f"Tracking is off in {region}.", base)
        if not regions and company["unknown_region"] == "off":
            return TrackingPlan(False, False, "Nothing says where they are, and tracking is off then.", base)
    return TrackingPlan(opens, clicks, "", base)


async def instrument(tx: Tx, settings: Settings, send_id: UUID, html: str, given: TrackingPlan) -> str:
    """The HTML with links that lead through this server and with a picture at its end, as far as `given` wants them.

    Where a link leads is kept beside it: what comes back can only lead there.
    """
    tenant_id = tx.who.tenant_id
    if given.clicks:
        # An attempt before this one may have gone out: its links keep their places.
        links: dict[str, int] = {row["url"]: row["position"] for row in await tx.fetch(_SQL["links_of"], send_id=send_id)}

        def through(tag: str, name: str, value: str) -> str:
            if tag != "a" or name != "href" or not _is_followed(value, links):
                return value
            position = links.setdefault(value, len(links) + 1)
            return f"{given.base_url}/t/c/{write_token(settings, 'click', tenant_id, send_id, position)}"

        html = clean(html, rewrite=through)
        await tx.execute(_SQL["keep_links"], send_id=send_id, urls=list(links), positions=list(links.values()))
    if given.opens:
        address = f"{given.base_url}/t/o/{write_token(settings, 'open', tenant_id, send_id)}.gif"
        html += f'<img src="{markup.escape(address)}" width="1" height="1" alt="">'
    return html


def unsubscribe_url(settings: Settings, tenant_id: UUID, send_id: UUID, base_url: str | None = None) -> str:
    """Where whoever got a mail can unsubscribe."""
    return f"{base_url or settings.public_url}/u/{write_token(settings, 'unsubscribe', tenant_id, send_id)}"


def headers_for(unsubscribe: str, mailbox_address: str) -> dict[str, str]:
    """The headers by which mail programs offer to unsubscribe with one click (RFC 2369, section 3.2; RFC 8058, section 3)."""
    by_mail = f"mailto:{quote(mailbox_address, safe='@')}?subject=unsubscribe"
    return {"List-Unsubscribe": f"<{unsubscribe}>, <{by_mail}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _is_followed(address: str, links: Mapping[str, int]) -> bool:
    if address.startswith(UNSUBSCRIBE_URL) or len(address) > _MAX_URL or "\x00" in address:
        return False
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return False
    return address in links or len(links) < _MAX_LINKS
