"""Out-of-office notices: told by the headers first (RFC 3834, Exchange's and older ones), then by the words; and the day on which
the person is back.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Final

import dateparser

from integrations.mime.headers import Headers

_TEXT_CHARS: Final = 4000
_LONGEST: Final = timedelta(days=400)

# Subjects that mail programs write, in the languages of theirs; at the very beginning of the subject.
_SUBJECT: Final = re.compile(
    r"(?:automatic reply|auto(?:matic)?[ -]?(?:reply|response)|out of (?:the )?office|ooo\b|away from (?:my|the) (?:desk|office)|"
    r"on (?:annual |parental |sick )?leave|on vacation|on holiday|"
    r"automatische antwort|autom\. antwort|abwesenheit\w*|außer haus|nicht im (?:haus|büro)"
    r"|ich bin (?:derzeit )?(?:nicht|im urlaub)|"
    r"réponse automatique|message d'absence|absence du bureau|absent(?:e)? du bureau|en congés?|"
    r"respuesta automática|fuera de (?:la )?oficina|ausencia|risposta automatica|fuori (?:sede|ufficio)|assente|"
    r"resposta automática|fora do escritório|ausência|automatisch antwoord|afwezig\w*|niet aanwezig|autosvar|frånvaro|fravær|"
    r"automaattinen vastaus|autoodpowiedź|odpowiedź automatyczna|poza biurem|nieobecność|automatická odpověď|"
    r"автоматический ответ|自動応答|不在|自动答复)",
    re.IGNORECASE,
)
_AUTOMATIC_SUBJECT: Final = re.compile(
    r"(?:automatic reply|auto(?:matic)?[ -]?(?:reply|response)|automatische antwort|autom\. antwort|réponse automatique|"
    r"respuesta automática|risposta automatica|resposta automática|automatisch antwoord|autosvar|automaattinen vastaus|"
    r"autoodpowiedź|odpowiedź automatyczna|automatická odpověď|автоматический ответ|自動応答|自动答复)",
    re.IGNORECASE,
)
_AWAY: Final = re.compile(
    r"out of (?:the )?office|out of town|away (?:from|until|on)|on (?:annual |parental |maternity |paternity |sick "
    r"|medical )?leave|"
    r"on (?:vacation|holidays?|pto)\b|(?:i am|i'm|i will be|i'll be) (?:currently )?(?:away|out|travell?ing|unavailable)|"
    r"limited access to (?:my )?e-?mail|back (?:in the office|at work)|return(?:ing)? (?:to the office|on)|"
    r"abwesend|abwesenheit|nicht im (?:haus|büro)|außer haus|im urlaub|auf urlaub|in elternzeit|wieder (?:im büro"
    r"|erreichbar|da|zurück)|"
    r"nicht erreichbar|absent|en congés?|en vacances|de retour|hors du bureau|"
    r"fuera de (?:la )?oficina|de vacaciones|ausente|de permiso|regreso|volver[ée]|fuori (?:sede|ufficio)|in ferie|assente|"
    r"fora do escritório|de férias|niet aanwezig|afwezig|op vakantie|met verlof|på semester|frånvarande|på ferie|"
    r"poza biurem|na urlopie|nieobecn|mimo kancelář|dovolen|в отпуске|отсутств|休暇|不在|休假",
    re.IGNORECASE,
)
# Words that only one who is away begins a message with; without any header they must stand in its first lines.
_OPENING: Final = re.compile(
    r"(?:\s*(?:hi|hello|dear \w+|hallo|guten tag|bonjour|hola|ciao|hej|thank(?:s| you)[^.\n]{0,80}|vielen dank[^.\n]{0,80}|"
    r"danke[^.\n]{0,80}|merci[^.\n]{0,80}|gracias[^.\n]{0,80})[ ,.!\n]*){0,3}"
    r"(?:i am|i'm|i will be|ich bin|je suis|estoy|sono|estou|ik ben|jag är|jeg er) (?:\w+ ){0,2}"
    r"(?:out of (?:the )?office|on (?:annual )?leave|on vacation|on holiday|away from the office|nicht im büro"
    r"|außer haus|im urlaub|"
    r"abwesend|absente?|en congés?|en vacances|fuera de la oficina|de vacaciones|ausente|fuori ufficio|in ferie|assente|"
    r"fora do escritório|de férias|afwezig|op vakantie|på semester|på ferie)",
    re.IGNORECASE,
)
_MONTHS: Final = (
    r"jan|feb|mar|mär|apr|may|mai|jun|jul|aug|sep|oct|okt|out|nov|dec|dez|dic|déc|fév|fev|avr|abr|ago|set|ene|gen"
    r"|mag|giu|lug|ott|"
    r"janvier|août|juin|juillet|mei|maj|maa|sty|lut|kwi|maj|cze|lip|sie|wrz|paź|lis|gru"
)
_DAYS: Final = (
    r"(?:mon|tues?|wednes|thurs?|fri|satur|sun)day|(?:mon|diens|donners|frei|sams|sonn)tag|mittwoch|sonnabend|lundi"
    r"|mardi|mercredi|"
    r"jeudi|vendredi|samedi|dimanche|lunes|martes|miércoles|jueves|viernes|sábado|domingo|lunedì|martedì|mercoledì"
    r"|giovedì|venerdì|"
    r"sabato|maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag|måndag|tisdag|onsdag|torsdag|fredag|lördag|söndag"
)
_DATE: Final = re.compile(
    rf"(?:\d{{4}}-\d{{1,2}}-\d{{1,2}}"
    rf"|\d{{1,2}}[./-]\d{{1,2}}(?:[./-](?:\d{{4}}|\d{{2}}))?\b\.?"
    rf"|\d{{1,2}}(?:st|nd|rd|th|er|\.|º|°)?(?: of| de| di| do)?\s{{1,3}}(?:{_MONTHS})[^\W\d_]{{0,9}}\.?(?:,?(?: of"
    rf"| de| del)?\s{{1,3}}\d{{4}})?"
    rf"|(?:{_MONTHS})[^\W\d_]{{0,9}}\.?\s{{1,3}}\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s{{1,3}}\d{{4}})?"
    rf"|\b(?:{_DAYS})\b)",
    re.IGNORECASE,
)
_UNTIL: Final = re.compile(
    r"(?:\b(?:till och med|until|till|til|through|thru|back (?:in the office |at work |at my desk |in )?on|back|return(?:ing"
    r"|s)?(?: to (?:the office|work))?"
    r"(?: on)?|again (?:on|from)|as of|available (?:again )?(?:on|from)|to|bis(?: zum| einschließlich| inkl\.?)?"
    r"|ab(?: dem)?|wieder am|am|"
    r"zurück am|jusqu'(?:au|à)|de retour le|retour le|au|à partir du|hasta(?: el)?|el|regreso el|al|fino al?|rientro il|dal|il|"
    r"até(?: o| a)?|em|tot(?: en met)?|t/m|terug op|vanaf|op|åter den|tilbage den|do|od|до|по)|–|—|-)"
    r"[\s:,]{1,4}(?:(?:including|the|on|am|dem|den|le|el|il|o|de)\s{1,3}){0,2}",
    re.IGNORECASE,
)
# Of several dates the ones behind these words win: they say when the absence ends.
_STRONG: Final = re.compile(
    r"until|till?\b|through|thru|back|return|bis|wieder|zurück|jusqu|retour|hasta|regreso|fino|rientro|até|tot|t/m"
    r"|terug|åter|tilbage|до|"
    r"ab\b|again|as of|vanaf",
    re.IGNORECASE,
)
_LANGUAGES: Final = ["en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "pl"]


def is_automatic(headers: Headers) -> bool:
    """Do the headers say that no person pressed Send?"""
    submitted = headers.get("auto-submitted").partition(";")[0].strip().lower()
    if submitted and submitted != "no":
        return True
    if any(headers.get(name) for name in ("x-autoreply", "x-autorespond", "x-autoresponse", "x-auto-reply", "x-autoreply-from")):
        return True
    return headers.get("precedence").strip().lower() in ("auto_reply", "auto-reply") or (
        headers.get("x-auto-response-suppress").strip().lower() in ("all", "oof")
        and bool(_AUTOMATIC_SUBJECT.match(headers.words("subject")))
    )


def is_vacation(headers: Headers) -> bool:
    """Do the headers say that it is an answer of somebody away, and not of a machine that takes tickets?"""
    submitted = headers.get("auto-submitted").lower()
    return "vacation" in submitted or "vacation" in headers.get("x-mailer").lower()


def reads_as_absence(subject: str, new_text: str, *, automatic: bool) -> bool:
    """Do the words say that somebody is away? Without a header that says so too, only the plainest ones count."""
    text = new_text[:_TEXT_CHARS]
    if automatic:
        return bool(_SUBJECT.match(subject) and not _AUTOMATIC_SUBJECT.match(subject)) or bool(_AWAY.search(text))
    if _AUTOMATIC_SUBJECT.match(subject):
        return bool(_AWAY.search(text)) or bool(_DATE.search(text))
    if _SUBJECT.match(subject) and _AWAY.search(text):
        return True
    # A person may well write "I'm on holiday from Friday, but let us talk": a question or much more text is a person.
    return bool(_OPENING.match(text)) and len(text) < 700 and "?" not in text and find_day(text, None) is not None


def reads_as_automatic(subject: str) -> bool:
    """Does the subject begin as only machines write it?"""
    return bool(_AUTOMATIC_SUBJECT.match(subject))


def find_day(text: str, written: datetime | None) -> date | None:
    """The day named as the end of the absence: the last one that is introduced by words such as "until" or "back on".

    `written` is when the message was written: days without a year are read as the next ones after it. With None any day that can
    be read will do.
    """
    looked_at = re.sub(r"\s+", " ", text[:_TEXT_CHARS])
    strong: list[date] = []
    weak: list[date] = []
    tried = 0
    for word in _UNTIL.finditer(looked_at):
        after = looked_at[word.end() : word.end() + 60]
        # A weekday before the date only says it twice.
        after = re.sub(
            rf"^(?:(?:{_DAYS})|[^\W\d_]{{2,3}}\.?)[, ]{{1,3}}(?:(?:the|den|dem|le|el|il)\s)?(?=\d|(?:{_MONTHS}))",
            "",
            after,
            flags=re.IGNORECASE,
        )
        found = _DATE.match(after)
        if found is None:
            continue
        tried += 1
        if tried > 8:
            break
        day = _day(found[0], written)
        if day is not None:
            (strong if _STRONG.match(word[0].strip()) else weak).append(day)
    days = strong or weak
    return max(days) if days else None


def _day(words: str, written: datetime | None) -> date | None:
    base = (written or datetime.now().astimezone()).replace(tzinfo=None)
    iso = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", words)
    if iso:
        return _sensible(_made(int(iso[1]), int(iso[2]), int(iso[3])), base, written)
    numbers = re.fullmatch(r"(\d{1,2})([./-])(\d{1,2})(?:[./-](\d{2,4}))?\.?", words)
    if numbers:
        return _numeric(int(numbers[1]), numbers[2], int(numbers[3]), numbers[4], base, written)
    try:
        parsed = dateparser.parse(
            words.strip(" .,"),
            languages=_LANGUAGES,
            settings={
                "RELATIVE_BASE": base,
                "PREFER_DATES_FROM": "future",
                "PARSERS": ["absolute-time"],
                "STRICT_PARSING": False,
            },
        )
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None
    return _sensible(parsed.date(), base, written) if parsed is not None else None


def _numeric(first: int, sign: str, second: int, year: str | None, base: datetime, written: datetime | None) -> date | None:
    """Day before month, as nearly everywhere; with slashes also the American order, if only that makes a sensible day."""
    full = (2000 + int(year) if len(year) == 2 else int(year)) if year else None
    orders = [(second, first), (first, second)] if sign != "/" or first > 12 else [(first, second), (second, first)]
    for month, day in orders:
        made = _made(full or base.year, month, day)
        if made is not None and full is None and made < base.date() - timedelta(days=1):
            made = _made(base.year + 1, month, day)
        sensible = _sensible(made, base, written)
        if sensible is not None:
            return sensible
    return None


def _made(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _sensible(day: date | None, base: datetime, written: datetime | None) -> date | None:
    if day is None or written is None:
        return day
    return day if timedelta(days=-1) <= day - base.date() <= _LONGEST else None
