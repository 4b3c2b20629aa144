"""Who fetched it: a person, or a machine on the way. Every rule is data, listed for everybody by GET /tracking/rules.

Mail is opened by far more machines than people: security gateways follow every link before the mail is delivered, mail programs
fetch pictures ahead of their readers. What a rule finds is kept and counted apart, and never moves a sequence.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

Kind = Literal["open", "click"]


@dataclass(frozen=True, slots=True)
class Hit:
    """Something of a mail's was fetched: its picture, or the link at `position`. `address` is the network address, if known."""

    id: UUID
    kind: Kind
    position: int | None
    at: datetime
    method: str
    agent: str
    address: str | None


@dataclass(frozen=True, slots=True)
class Rule:
    """One reason to take a hit for a machine's. `values` is what it looks for; `within_s` the time it is about."""

    id: str
    title: str
    kinds: tuple[Kind, ...]
    source: str
    values: tuple[str, ...] = ()
    within_s: float | None = None


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


METHOD = Rule(
    "method",
    "It was only asked about (HEAD), not fetched.",
    ("open", "click"),
    "RFC 9110, section 9.3.2: HEAD has no content to read",
    ("HEAD",),
)
NO_AGENT = Rule(
    "no_agent", "The program did not say what it is, which every mail program and browser does.", ("open", "click"), "observed"
)
AGENTS = Rule(
    "agent",
    "A program that people do not read mail with.",
    ("open", "click"),
    "the names that scanners, crawlers, link previews and programming libraries give themselves",
    _words(
        "+http appengine-google apache-httpclient axios/ barracuda bingpreview bot/ cloudmark crawl curl/ dataminr"
        " facebookexternalhit fireeye forcepoint go-http-client headlesschrome http_client ironport java/ libwww linkcheck"
        " messagelabs mimecast node-fetch phantomjs preview proofpoint python robot scan skypeuripreview sophos spider symantec"
        " trendmicro urlscan validator wget whatsapp"
    ),
)
NETWORKS = Rule(
    "network",
    "It came from the network of a mail security service.",
    ("open", "click"),
    "the services' published mail and scanning networks: Barracuda, Mimecast, Proofpoint, Microsoft Exchange Online Protection",
    _words(
        "64.235.144.0/20 209.222.80.0/21 205.139.110.0/24 207.211.30.0/24 67.231.144.0/20 148.163.128.0/19 205.220.160.0/19"
        " 40.92.0.0/15 40.107.0.0/16 52.100.0.0/14 104.47.0.0/17"
    ),
)
APPLE = Rule(
    "apple_privacy",
    "Apple's mail privacy fetched the picture, which it does for every mail whether it is read or not.",
    ("open",),
    "https://support.apple.com/guide/mail/use-mail-privacy-protection-mlhl03be2866/mac; its agent is just Mozilla/5.0",
    ("Mozilla/5.0",),
)
PROXIES = Rule(
    "proxy_ahead",
    "A mail provider fetched the picture ahead of its reader, soon after the mail came.",
    ("open",),
    "https://support.google.com/mail/answer/145919: pictures come through Google's proxy; Yahoo's works alike",
    ("GoogleImageProxy", "YahooMailProxy"),
    120.0,
)
TOO_SOON = Rule(
    "too_soon", "It was fetched before anybody could have read the mail.", ("open", "click"), "observed", within_s=10.0
)
ALL_LINKS = Rule("all_links", "Every link of the mail was followed at once.", ("click",), "observed", within_s=1.0)

RULES: tuple[Rule, ...] = (METHOD, NO_AGENT, AGENTS, NETWORKS, APPLE, PROXIES, TOO_SOON, ALL_LINKS)

_NETWORKS = tuple(ipaddress.ip_network(network) for network in NETWORKS.values)


def judge(hits: Sequence[Hit], *, sent_at: datetime, links: int) -> Mapping[UUID, Rule | None]:
    """For each of a mail's hits the rule by which it is a machine's, None for a person's. `links` is how many the mail has.

    All hits of the mail are wanted, those judged before as well: what is done at once shows only side by side.
    """
    swept = _swept([hit for hit in hits if hit.kind == "click"], links)
    return {hit.id: _rule(hit, sent_at) or (ALL_LINKS if hit.id in swept else None) for hit in hits}


def _rule(hit: Hit, sent_at: datetime) -> Rule | None:
    agent = hit.agent.lower()
    after_s = (hit.at - sent_at).total_seconds()
    if hit.method in METHOD.values:
        return METHOD
    if not agent.strip():
        return NO_AGENT
    if hit.kind == "open":
        if hit.agent.strip() in APPLE.values:
            return APPLE
        if any(name.lower() in agent for name in PROXIES.values):
            # Later it is fetched because somebody opened the mail; their programs fetch pictures in no other way.
            return PROXIES if after_s < (PROXIES.within_s or 0) else None
    if any(name in agent for name in AGENTS.values):
        return AGENTS
    if hit.address is not None and _is_scanner(hit.address):
        return NETWORKS
    return TOO_SOON if after_s < (TOO_SOON.within_s or 0) else None


def _is_scanner(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in _NETWORKS)


def _swept(clicks: Sequence[Hit], links: int) -> frozenset[UUID]:
    if links < 2:
        return frozenset()
    found = set[UUID]()
    ordered = sorted(clicks, key=lambda hit: hit.at)
    for first in range(len(ordered)):
        near = [hit for hit in ordered[first:] if (hit.at - ordered[first].at).total_seconds() <= (ALL_LINKS.within_s or 0)]
        if len({hit.position for hit in near}) >= links:
            found.update(hit.id for hit in near)
    return frozenset(found)
