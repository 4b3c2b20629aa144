"""Made-up customers for where the sample data is not at hand. Their numbers are set aside for fiction (555-01xx)."""

from __future__ import annotations

import csv
from pathlib import Path

_FIRST = ("Amara", "Bruno", "Celia", "Dario", "Elif", "Farid", "Gemma", "Hakon", "Ilse", "Javier", "Noor", "Priya")
_LAST = ("Abebe", "Brandt", "Conti", "Dufour", "Eklund", "Ferreira", "Galvan", "Hoshino", "Jansen", "Lindahl", "Moreau", "Osei")
_TRADE = ("Bakery", "Hotels", "Roasters", "Catering", "Foods", "Logistics", "Studios", "Markets", "Clinics", "Brewing")
_TITLES = ("Owner", "Head of Purchasing", "Office Manager", "Operations Lead", "Buyer", "Managing Director")
_STAGES = ("lead", "contacted", "qualified", "won")
_AREAS = ("206", "312")


def write_customers(path: Path, count: int = 144) -> Path:
    """Write up to 144 customers, all of different names, as a CRM exports them; the path."""
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["First Name", "Last Name", "Company", "Job Title", "Phone", "Email", "Stage", "Tags"])
        for number in range(count):
            first, last = _FIRST[number % 12], _LAST[(number + number // 12) % 12]
            company = f"{_LAST[(number * 5 + number // 12 + 3) % 12]} {_TRADE[number % len(_TRADE)]}"
            phone = f"+1 {_AREAS[number // 100]} 555 {100 + number % 100:04}"
            title, stage = _TITLES[number % len(_TITLES)], _STAGES[number * 7 % 11 % len(_STAGES)]
            tag = "trade fair" if number % 3 else "referral"
            rows.writerow([first, last, company, title, phone, f"{first}.{last}@example.com".lower(), stage, tag])
    return path
