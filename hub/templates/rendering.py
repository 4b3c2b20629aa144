"""Templates become mail: pure functions, the same for the preview, the simulation and what is really sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from liquid import BoundTemplate
from liquid.exceptions import LiquidError

from hub.company.days import zone_named
from hub.errors import Invalid
from hub.templates.language import Fields, Language, missing, parse, wall
from hub.templates.plain import clean, text_of

# What facts_for gives: contact, sender, company (hub.templates.language.Fields) and unsubscribe_url.
Facts = Mapping[str, Any]

# Stands in rendered mail where the address to unsubscribe at belongs, which only the send itself has (hub.tracking.sending).
UNSUBSCRIBE_URL = "https://unsubscribe.invalid/"

_NAMES = {
    "contact.first_name": "first name",
    "contact.last_name": "last name",
    "contact.name": "name",
    "contact.email": "email address",
    "contact.phone": "telephone number",
    "contact.company": "company",
    "contact.title": "title",
    "contact.stage": "stage",
}
_BREAKS = re.compile(r"[\s\x00-\x1f\x7f]+")
_SUBJECT, _HTML = Language(html=False), Language(html=True)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail's subject (one line), its clean HTML and its plain text."""

    subject: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Something about a template that would stop a send: the variable (or what the writer typed) and what is wrong, in words."""

    variable: str
    message: str


class TemplateProblem(Invalid):
    """A template can't be read, or does what it may not. The message says what and in which part."""

    def __init__(self, part: str, message: str) -> None:
        super().__init__(
            f"The {'subject' if part == 'subject' else 'text'} of this template can't be used: {message}.",
            code="template_unreadable",
            details={"fields": [{"field": part, "message": message}]},
        )
        self.part = part


class MissingValue(Invalid):
    """A variable has no value and no default. `variable` is its name; the message says what can be done."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message, code="missing_value", details={"variable": problem.variable})
        self.variable = problem.variable


def render(subject: str, html: str, facts: Facts) -> Rendered:
    """Fill in a mail for one contact.

    Raises MissingValue for the first variable that has neither a value nor a default: the send stops, the reader never sees a
    gap. Raises TemplateProblem for what can't be read.
    """
    rendered, problems = preview(subject, html, facts)
    if problems:
        raise MissingValue(problems[0])
    return rendered


def preview(subject: str, html: str, facts: Facts) -> tuple[Rendered, list[Problem]]:
    """Like `render`, with gaps where values are missing, and what is missing. Raises TemplateProblem."""
    named: list[str] = []
    company = facts.get("company")
    token = missing.set(named)
    clock = wall.set(zone_named(company.zone if isinstance(company, Fields) else "UTC"))
    try:
        line = _BREAKS.sub(" ", _fill("subject", subject, facts)).strip()
        body = clean(_fill("html", html, facts))
    finally:
        missing.reset(token)
        wall.reset(clock)
    return Rendered(line, body, text_of(body)), [_problem(name, facts) for name in dict.fromkeys(named)]


def check(subject: str, html: str) -> None:
    """Raises TemplateProblem when a template can't be read; what depends on the contact shows later."""
    for part, source in (("subject", subject), ("html", html)):
        _parsed(part, source)


def _fill(part: str, source: str, facts: Facts) -> str:
    try:
        filled: str = _parsed(part, source).render(**facts)
    except LiquidError as exc:
        raise TemplateProblem(part, _said(exc)) from None
    except (ValueError, TypeError, ArithmeticError, RecursionError) as exc:
        raise TemplateProblem(part, f"it can't be worked out ({type(exc).__name__})") from None
    return filled


def _parsed(part: str, source: str) -> BoundTemplate:
    try:
        return _read(part == "html", source)
    except LiquidError as exc:
        raise TemplateProblem(part, _said(exc)) from None
    except (ValueError, TypeError, RecursionError) as exc:
        raise TemplateProblem(part, f"it can't be read ({type(exc).__name__})") from None


@lru_cache(maxsize=512)
def _read(html: bool, source: str) -> BoundTemplate:
    return parse(_HTML if html else _SUBJECT, source)


def _said(exc: LiquidError) -> str:
    where = exc.context()
    line = f" in line {where[0]}" if where is not None else ""
    return str(exc.message or type(exc).__name__).rstrip(".")[:300] + line


def _problem(variable: str, facts: Facts) -> Problem:
    root = variable.split(".", 1)[0]
    if root not in facts:
        return Problem(variable, f"There is no variable called {variable}.")
    if "." not in variable:
        return Problem(variable, f"{variable} is several things at once. Say which, such as {variable}.name.")
    what = _NAMES.get(variable)
    who = {"contact": "This contact", "sender": "The sender", "company": "Your company"}.get(root, root)
    missed = f"{who} has no {what}" if what else f"{who} has no value for {variable.split('.', 1)[1]}"
    return Problem(variable, f'{missed}. Fill it in, or give the template a default: {{{{ {variable} | default: "…" }}}}.')
