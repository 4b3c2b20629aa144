"""Who has to know that a call is recorded, by where its two ends are. The stricter end counts.

Under federal law the consent of one party is enough (18 U.S.C. section 2511(2)(d)), but these states want that of everybody
in the call. Where courts or two statutes disagree the state is listed: telling somebody too much costs two seconds. Whoever
calls across a border falls under both laws (Kearney v. Salomon Smith Barney, 39 Cal. 4th 95 (2006)). Outside the United
States, and where an end can't be told, everybody is told too: so want the GDPR (articles 6 and 13), PIPEDA and their like.

This is what the product does, not legal advice; a company can have every call announced by a setting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hub.numbers.areas import area_of

Rule = Literal["one_party", "all_party"]
Announce = Literal["never", "by_jurisdiction", "always"]

# State -> the statute that wants everybody's consent to the recording of a telephone call.
ALL_PARTY_STATES: dict[str, str] = {
    "CA": "Cal. Penal Code sections 632 and 632.7",
    "CT": "Conn. Gen. Stat. section 52-570d",
    "DE": "Del. Code tit. 11, section 1335(a)(4)",
    "FL": "Fla. Stat. section 934.03(2)(d)",
    "IL": "720 Ill. Comp. Stat. 5/14-2",
    "MA": "Mass. Gen. Laws ch. 272, section 99",
    "MD": "Md. Code, Cts. & Jud. Proc. section 10-402(c)(3)",
    "MI": "Mich. Comp. Laws section 750.539c",
    "MT": "Mont. Code section 45-8-213(1)(c)",
    "NH": "N.H. Rev. Stat. section 570-A:2",
    "NV": "Nev. Rev. Stat. section 200.620",
    "PA": "18 Pa. Cons. Stat. sections 5703 and 5704(4)",
    "WA": "Wash. Rev. Code section 9.73.030",
}


@dataclass(frozen=True, slots=True)
class Consent:
    """What a recording needs. `places` are the ends (US-CA, DE, or ? where it can't be told), the contact's first."""

    rule: Rule
    places: tuple[str, ...]
    must_announce: bool
    explanation: str


def consent_for(contact_number: str, own_number: str, setting: Announce) -> Consent:
    """Whether the contact has to be told, and why; `setting` is the company's."""
    contact, own = _place(contact_number), _place(own_number)
    reasons = [reason for place in dict.fromkeys((contact, own)) if (reason := _why_all(place))]
    rule: Rule = "all_party" if reasons else "one_party"
    law = " ".join(reasons) or f"One party's consent is enough in {contact}{'' if own == contact else ' and ' + own}."
    if setting == "always":
        return Consent(rule, (contact, own), True, f"{law} The company has every recorded call announced.")
    if setting == "never":
        return Consent(rule, (contact, own), False, f"{law} The company has recordings not announced: ask for consent yourself.")
    return Consent(rule, (contact, own), rule == "all_party", law)


def _place(number: str) -> str:
    country, region, _ = area_of(number)
    if country != "US":
        return country or "?"
    return f"US-{region}" if region else "?"


def _why_all(place: str) -> str | None:
    if place == "?":
        return "Where one end of the call is can't be told from its number, so the recording is announced."
    if not place.startswith("US-"):
        return f"Outside the United States ({place}) everybody in the call is told."
    law = ALL_PARTY_STATES.get(place[3:])
    return f"{place} wants everybody's consent ({law})." if law else None
