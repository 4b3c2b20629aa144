"""Whether somebody asks, in their own words, not to be written to any more.

A short note that says so is taken at its word; in a long one, or below a signature's dashes, the same words are too often about
something else ("how do your customers unsubscribe?"). What is missed here still ends a sequence as an answer, and a person
reads it.
"""

from __future__ import annotations

import re
from typing import Final

# A note of more words than these is a letter.
_WORDS_AT_MOST: Final = 60
# In a longer one, a first line of so many words is still a note.
_FIRST_LINE_WORDS: Final = 12
_CHARACTERS_AT_MOST: Final = 2000

_WISHES: Final = re.compile(
    "|".join(
        (
            # English
            r"\bunsubscri(?:be|ption)\b",
            r"\bun-subscribe\b",
            r"\bremove (?:me|us|my (?:e-?mail|name|address)|this (?:e-?mail|address)) (?:from|off)\b",
            r"\b(?:please |kindly )remove (?:me|us)\b",
            r"^\W*remove(?: me)?\W*$",
            r"\btake (?:me|us|my (?:e-?mail|name|address)) off\b",
            r"\bopt(?:ing)?[ -](?:me |us )?out\b",
            r"^\W*stop\W*$",
            r"\bstop (?:e-?mailing|mailing|contacting|writing(?: to)?|messaging|spamming) (?:me|us)\b",
            r"\bstop sending (?:me|us|these|those|this)\b",
            r"\b(?:do not|don'?t|never) (?:e-?mail|contact|write(?: to)?|message) (?:me|us)(?: again| any ?more| ever)?\b",
            r"\bno more (?:e-?mails?|messages|mails)\b",
            # German
            r"\b(?:newsletter|verteiler|liste)\b.{0,40}\b(?:abmelden|austragen|streichen|nehmen|löschen|entfernen)\b",
            r"\b(?:abbestellen|abbestellung)\b",
            r"\b(?:bitte )?(?:melden|tragen|streichen|nehmen|löschen) sie (?:mich|uns)\b.{0,60}"
            r"\b(?:ab|aus|liste|verteiler|newsletter)\b",
            r"^\W*(?:bitte )?(?:mich )?(?:abmelden|austragen)\W*$",
            r"\bkeine (?:weiteren |weitere )?(?:e-?mails?|mails?|nachrichten|werbung)(?: mehr)?\b",
            r"\b(?:nicht|nie) (?:mehr|wieder) (?:kontaktieren|anschreiben|schreiben)\b",
            # French
            r"\bd[ée]s(?:abonn|inscri)\w*",
            r"\bne (?:plus|pas|me|nous)\b.{0,20}\b(?:contacte[rz]|[ée]cri(?:re|vez)|envoye[rz])\b.{0,20}",
            r"\bretire[rz][ -](?:moi|nous)\b",
            # Spanish and Portuguese
            r"\bdar(?:me|nos)? de baja\b|\bd[ée]me de baja\b",
            r"\bno (?:me|nos) (?:contacte|escrib|env[ií])\w* m[áa]s\b",
            r"\b(?:anular|cancelar) (?:la |mi |a |minha )?(?:suscripci[óo]n|inscri[çc][ãa]o|assinatura)\b",
            r"\bdescadastr\w*|\bn[ãa]o (?:me )?(?:enviem?|contatem?|escrevam?) mais\b",
            # Italian and Dutch
            r"\bdisiscriv\w*|\bcancella(?:te)?mi\b|\brimuov(?:i|ete)mi\b",
            r"\buitschrijven\b|\b(?:schrijf|meld) (?:me|mij) (?:uit|af)\b|\bafmelden\b",
        )
    ),
    re.IGNORECASE | re.MULTILINE,
)
# Said of the wish itself, they turn it round.
_OPPOSITES: Final = re.compile(
    r"\b(?:do not|don'?t|did not|didn'?t|please don'?t|never) (?:want to |mean to |wish to )?(?:unsubscribe|remove|take|opt)\b"
    r"|\b(?:nicht|keinesfalls) (?:abmelden|abbestellen|austragen)\b",
    re.IGNORECASE,
)
_SIGNATURE: Final = re.compile(r"^--\s*$", re.MULTILINE)


def asks_to_be_left_alone(text: str) -> bool:
    """Does what somebody wrote (without what they quote) say: no more mail?"""
    note = _SIGNATURE.split(text[:_CHARACTERS_AT_MOST], maxsplit=1)[0].replace("\u2019", "'").strip()
    if not note:
        return False
    if len(text) > _CHARACTERS_AT_MOST or len(note.split()) > _WORDS_AT_MOST:
        note = next(line for line in note.splitlines() if line.strip())
        if len(note.split()) > _FIRST_LINE_WORDS:
            return False
    return _WISHES.search(note) is not None and _OPPOSITES.search(note) is None
