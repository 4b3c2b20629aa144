"""Who is taken for a machine, by rules that anybody can read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from hub.tracking.rules import RULES, Hit, Kind, judge
from tests.tracking.kit import PEOPLE

SENT = datetime(2026, 6, 10, 9, 0, tzinfo=UTC)
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"


def hit(
    kind: Kind, after_s: float, *, agent: str = PEOPLE, method: str = "GET", position: int = 1, address: str | None = "192.0.2.7"
) -> Hit:
    return Hit(uuid4(), kind, position if kind == "click" else None, SENT + timedelta(seconds=after_s), method, agent, address)


def rule_of(given: Hit, links: int = 1) -> str | None:
    found = judge([given], sent_at=SENT, links=links)[given.id]
    return found.id if found is not None else None


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        (hit("open", 600), None),
        (hit("click", 600), None),
        (hit("open", 9.9), "too_soon"),
        (hit("click", 3), "too_soon"),
        (hit("open", 10.1), None),
        (hit("click", 600, method="HEAD"), "method"),
        (hit("open", 600, agent=""), "no_agent"),
        (hit("open", 600, agent="Mozilla/5.0"), "apple_privacy"),
        (hit("click", 600, agent="Mozilla/5.0"), None),
        (hit("open", 60, agent=GMAIL), "proxy_ahead"),
        (hit("open", 121, agent=GMAIL), None),
        (hit("click", 600, agent="Barracuda Sentinel (EE)"), "agent"),
        (hit("click", 600, agent="Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"), "agent"),
        (hit("click", 600, agent="python-requests/2.32"), "agent"),
        (hit("click", 600, agent="Mozilla/5.0 (Linux; Android 14; CUBOT X90) AppleWebKit/537.36"), None),
        (hit("click", 600, address="67.231.157.10"), "network"),
        (hit("open", 600, address="::1"), None),
        (hit("open", 600, address=None), None),
    ],
)
def test_a_hit_is_a_persons_unless_a_rule_says_otherwise(given: Hit, rule: str | None) -> None:
    assert rule_of(given) == rule


def test_who_follows_every_link_at_once_is_a_machine() -> None:
    hits = [hit("click", 600 + n * 0.2, position=n) for n in range(1, 4)]
    assert {rule and rule.id for rule in judge(hits, sent_at=SENT, links=3).values()} == {"all_links"}


def test_who_follows_them_one_after_the_other_is_a_person() -> None:
    hits = [hit("click", 600 + n * 5, position=n) for n in range(1, 4)]
    assert set(judge(hits, sent_at=SENT, links=3).values()) == {None}


def test_the_only_link_of_a_mail_is_not_all_of_them() -> None:
    assert rule_of(hit("click", 600), links=1) is None


def test_every_rule_says_what_it_is_and_where_it_is_from() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(rule.title.endswith(".") and rule.source for rule in RULES)
