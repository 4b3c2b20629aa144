"""What a column can be, and which one it is by its usual names in the exports of other systems."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hub.imports.countries import fold

# What a column can be mapped to, and how the console calls it. A column that is mapped to nothing is kept as a custom field.
FIELDS: dict[str, str] = {
    "first_name": "First name",
    "last_name": "Last name",
    "full_name": "Full name",
    "company": "Company",
    "title": "Job title",
    "email": "Email (work)",
    "email_home": "Email (home)",
    "email_other": "Email (other)",
    "email_label": "Label of the email beside it",
    "phone": "Phone (work)",
    "phone_mobile": "Phone (mobile)",
    "phone_home": "Phone (home)",
    "phone_main": "Phone (main)",
    "phone_other": "Phone (other)",
    "phone_label": "Label of the phone beside it",
    "tags": "Tags",
    "stage": "Stage",
    "owner": "Owner (email or name of a member)",
    "country": "Country (also kept as a custom field)",
    "ignore": "Leave out",
}
# What stands behind the original columns in the list of failed rows.
FAILURE_COLUMNS = ("line", "reason")
EMAILS = {"email": "work", "email_home": "home", "email_other": "other"}
PHONES = {"phone": "work", "phone_mobile": "mobile", "phone_home": "home", "phone_main": "main", "phone_other": "other"}

# Fields that only one column is guessed for: names in the order in which they win.
_SINGLE: dict[str, tuple[str, ...]] = {
    "first_name": ("first name", "firstname", "given name", "forename", "vorname", "prenom", "nombre", "voornaam", "nome"),
    "last_name": ("last name", "lastname", "surname", "family name", "nachname", "nom de famille", "apellidos", "apellido",
                  "achternaam", "cognome"),
    "full_name": ("full name", "fullname", "name", "display name", "displayname", "nom complet", "nombre completo"),
    "company": ("company", "company name", "organization", "organisation", "organization name", "organisation name",
                "organization 1 name", "account name", "associated company", "primary company", "account", "employer",
                "business name", "firm", "firma", "unternehmen", "societe", "entreprise", "empresa", "bedrijf", "azienda"),
    "title": ("job title", "jobtitle", "title", "organization 1 title", "organization title", "position", "job", "job position",
              "function", "funktion", "poste", "cargo", "berufsbezeichnung"),
    "stage": ("stage", "deal stage", "pipeline stage", "sales stage", "lead status", "lead stage", "lifecycle stage", "status"),
    "owner": ("owner", "owner email", "owner name", "deal owner", "record owner", "assigned to", "owned by", "sales rep",
              "account owner", "besitzer"),
    "tags": ("tags", "tag", "labels", "label", "categories", "group membership", "groups", "group", "segments", "schlagworter"),
    "country": ("country", "country region", "country name", "land", "pays", "pais", "mailing country", "business country region",
                "business country", "billing country", "address 1 country", "work country", "home country region", "home country",
                "other country", "country code"),
}  # fmt: skip
_RANKS = {name: (field, rank) for field, names in _SINGLE.items() for rank, name in enumerate(names)}

# Words before the name proper: "Person - Name" (Pipedrive), "Contact owner" (HubSpot), "Lead Owner" (Salesforce).
_SUBJECTS = ("person ", "contact ", "lead ", "customer ", "prospect ", "client ")

_KIND_WORDS = {
    "mobile": {"mobile", "cell", "cellphone", "cellular", "handy", "mobil", "mobiltelefon", "movil", "celular", "portable",
               "whatsapp", "iphone"},
    "home": {"home", "personal", "private", "privat"},
    "main": {"main"},
    "other": {"other", "alternate", "alternative", "car"},
}  # fmt: skip
_PHONE_WORDS = {
    "phone",
    "telephone",
    "tel",
    "telefon",
    "telefonnummer",
    "rufnummer",
    "telefono",
    "landline",
    "phones",
    "telefoon",
}
_PHONE_WORDS |= _KIND_WORDS["mobile"] - {"portable"}
# Words that may stand beside them. "Company main phone" is not among them: a switchboard that colleagues share would
# make one contact of them all.
_BESIDE = {
    "number", "numbers", "no", "nr", "nummer", "work", "business", "office", "primary", "secondary", "direct", "dial", "line",
    "value", "digits", "additional", "e164", "address", "addresses", "corporate", "adresse", "electronique", "1st", "2nd",
}  # fmt: skip
_BESIDE |= set().union(*_KIND_WORDS.values())
_LABEL_WORDS = {"label", "type"}


@dataclass(frozen=True, slots=True)
class _Name:
    words: tuple[str, ...]

    @property
    def text(self) -> str:
        return " ".join(self.words)


def _read_name(column: str) -> _Name:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", column)
    text = fold(spaced).replace("e mail", "email").replace("emailaddress", "email").replace("whats app", "whatsapp")
    return _Name(tuple(text.split()))


def label_of(words: str) -> str:
    """The label of a number or address from a column's name or a label column: work, mobile, home, main, other or fax."""
    found = set(fold(words).split())
    if "fax" in found:
        return "fax"
    for label, names in _KIND_WORDS.items():
        if found & names:
            return label
    return "work"


def label_stem(column: str) -> str:
    """What a label column and the value beside it have in common: "Phone 1" of "Phone 1 - Type" and "Phone 1 - Value"."""
    words = _read_name(column).words
    return " ".join(words[:-1] if words and words[-1] in _LABEL_WORDS | {"value"} else words)


def _address(name: _Name) -> str | None:
    words = [word for word in name.words if not word.isdigit()]
    core, last = set(words), words[-1] if words else ""
    if last in _LABEL_WORDS and len(words) == 2 and words[0] in ("email", "phone"):
        return f"{words[0]}_label"
    plain = " ".join(words)
    if plain in ("mail", "mail address", "contact number", "contact no"):
        return "email" if plain.startswith("mail") else "phone"
    if "email" in core and core <= {"email", *_BESIDE}:
        kind = label_of(name.text)
        return f"email_{kind}" if kind in ("home", "other") else "email"
    if core & _PHONE_WORDS and core <= _PHONE_WORDS | _BESIDE:
        kind = label_of(name.text)
        return "phone" if kind == "work" else f"phone_{kind}"
    return None


def guess_fields(columns: Sequence[str]) -> list[str | None]:
    """What each column holds by its name; None where it is nothing we know. A single field is guessed for one column only."""
    guessed: list[str | None] = [None] * len(columns)
    best: dict[str, tuple[int, int]] = {}
    for place, column in enumerate(columns):
        name = _read_name(column)
        plain = name.text
        for subject in _SUBJECTS:
            if plain not in _RANKS and plain.startswith(subject) and _address(name) is None:
                name = _Name(name.words[1:])
                break
        known = _RANKS.get(plain) or _RANKS.get(name.text)
        if known is None:
            guessed[place] = _address(name)
        elif known[0] not in best or known[1] < best[known[0]][0]:
            best[known[0]] = (known[1], place)
    for field, (_, place) in best.items():
        guessed[place] = field
    if tuple(columns[-2:]) == FAILURE_COLUMNS:
        # A list of failed rows that was put right and comes back.
        guessed[-2:] = ["ignore", "ignore"]
    return guessed
