"""Where the quoted part of a message begins.

quotequail knows the lines with which mail programs introduce a quotation; to these come the wrapped ones, more languages, the
header block of Outlook, and the answer written between or below the quoted lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import quotequail

_LINES: Final = 2000
_LINE_CHARS: Final = 300
_WROTE: Final = re.compile(
    r"\b(?:wrote|writes|schrieb|geschrieben|a écrit|ecrit|escribió|escribio|ha scritto|escreveu|schreef|geschreven|skrev|"
    r"kirjoitti|napisał|napisała|napsal|napísal|написал|написала|пише|пишет|írta|a scris|yazdı|έγραψε)\b",
    re.IGNORECASE,
)
_MAYBE: Final = re.compile(
    r"wrote|schrieb|écrit|escribi|написал|skrev|escreveu|schreef|geschreven|\d{4}/\d|_{20}|message|nachricht|e-mail|mensaje|bericht|"
    r"meddelande|сообщение",
    re.IGNORECASE,
)
_CANDIDATES: Final = 100
_LOOKS_DATED: Final = re.compile(r"\d|@")
_FROM: Final = re.compile(r"\*?(?:from|von|de|da|van|från|fra|od|от|lähettäjä|expéditeur)\s?:\*?\s", re.IGNORECASE)
_ALSO: Final = re.compile(
    r"\*?(?:sent|date|to|subject|cc|gesendet|datum|an|betreff|envoyé|à|objet|enviado|enviado el|fecha|para|asunto|data|inviato|a|"
    r"oggetto|assunto|verzonden|aan|onderwerp|skickat|till|ämne|sendt|til|emne|wysłano|do|temat|дата|кому|тема)\s?:\*?\s",
    re.IGNORECASE,
)
_DIVIDER: Final = re.compile(
    r"\s*(?:-{3,}|_{3,})\s*(?:original message|original appointment|forwarded message|ursprüngliche nachricht|"
    r"weitergeleitete nachricht|message d'origine|message transféré|mensaje original|mensaje reenviado|messaggio originale|"
    r"mensagem original|oorspronkelijk bericht|ursprungligt meddelande|original besked)\s*(?:-{3,}|_{3,})\s*",
    re.IGNORECASE,
)


def find_quote(lines: Sequence[str]) -> int | None:
    """The number of the line with which a quotation begins, its introduction included; None where there is none."""
    cut = [line[:_LINE_CHARS].strip() for line in lines[:_LINES]]
    known = _known_introduction(cut)
    for at, line in enumerate(cut[:known]):
        if line and (line.startswith(">") or _DIVIDER.fullmatch(line) or _introduces(cut, at) or _heads(cut, at)):
            return at
    return known


def _known_introduction(lines: Sequence[str]) -> int | None:
    """The first line that quotequail takes for an introduction. It tries some sixty expressions on each line, so it is asked
    only about those with one of its words in them, and the line before, as an introduction may be wrapped once."""
    candidates = [at for at, line in enumerate(lines) if _MAYBE.search(line)][:_CANDIDATES]
    for at in candidates:
        start = max(0, at - 1)
        parts = quotequail.quote("\n".join(lines[start : at + 1]), limit=3, quote_intro_line=True)
        if len(parts) > 1:
            return start + (parts[0][1].count("\n") + 1 if parts[0][1] else 0)
    return None


def _introduces(lines: Sequence[str], at: int) -> bool:
    if not _LOOKS_DATED.search(lines[at]):
        return False
    joined = lines[at]
    for ahead in range(3):
        if ahead:
            if at + ahead >= len(lines) or not lines[at + ahead]:
                return False
            joined = f"{joined} {lines[at + ahead]}"
        if joined.endswith((":", ": >")) and len(joined) <= 2 * _LINE_CHARS:
            # "I wrote 3 things:" is no introduction: the verb stands in the last words or the line has an address.
            return bool(_WROTE.search(joined)) and ("@" in joined or len(re.findall(r"\d+", joined)) >= 2)
    return False


def _heads(lines: Sequence[str], at: int) -> bool:
    if not _FROM.match(lines[at] + " "):
        return False
    return sum(bool(_ALSO.match(line + " ")) for line in lines[at + 1 : at + 7]) >= 2


def fold_text(text: str) -> tuple[str, str]:
    """Divide a plain body: what was written now, and what is quoted.

    Words between or below lines with ">" count as written now.
    """
    lines = text.split("\n")
    start = find_quote(lines)
    if start is None:
        return text.strip(), ""
    rest = lines[start:]
    marked = [line.lstrip().startswith(">") for line in rest]
    below = _below(rest, marked)
    if below is None:
        return "\n".join(lines[:start]).strip(), "\n".join(rest).strip()
    new = lines[:start] + [rest[at] for at in below]
    quoted = [line for at, line in enumerate(rest) if at not in set(below)]
    return "\n".join(new).strip(), "\n".join(quoted).strip()


def _below(rest: Sequence[str], marked: Sequence[bool]) -> list[int] | None:
    """The lines after a marked one that are not marked, when there are words in them."""
    if not any(marked):
        return None
    first = marked.index(True)
    # Without a mark on the line that follows the introduction, marks further down are an older quotation.
    if any(rest[at].strip() for at in range(min(first, 8)) if at > 3) or first > 8:
        return None
    below = [at for at in range(first, len(rest)) if not marked[at]]
    return below if any(rest[at].strip() for at in below) else None


def unflow(text: str, *, delete_space: bool) -> str:
    """Join the lines that format=flowed has cut (RFC 3676)."""
    out: list[list[str]] = []
    open_depth: int | None = None
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        content = line[depth:].removeprefix(" ")
        flows = content.endswith(" ") and content != "-- "
        if open_depth != depth or not out:
            out.append([">" * depth + " " if depth else ""])
        out[-1].append(content[:-1] if flows and delete_space else content)
        open_depth = depth if flows else None
    return "\n".join("".join(paragraph) for paragraph in out)
