"""The language that templates are written in: Liquid, narrowed to what a mail needs and to what cannot run away.

Templates are written by members and rendered by everybody's workers: there are no includes, loops and texts are bounded, and no
filter is there by which a few words could become gigabytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime, tzinfo
from typing import Any

from liquid import BoundTemplate, Environment, Markup, RenderContext
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.exceptions import FilterArgumentError, LiquidSyntaxError
from liquid.expression import Expression
from liquid.undefined import Undefined

MAX_TEXT = 400_000


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TAGS = _words("# assign break capture case comment content continue echo for if illegal output unless")
# Not among them: what multiplies texts or numbers (join, replace, times), what lifts the escaping (safe, base64_decode).
_FILTERS = _words(
    "append capitalize default downcase escape first last lstrip minus newline_to_br plus prepend remove remove_first round"
    " rstrip size slice squish strip strip_html strip_newlines truncate truncatewords upcase url_encode"
)
_DATE_FORMAT = re.compile(r"(?:[^%\x00-\x1f]|%-?[A-Za-z%]){0,80}", re.ASCII)

# What had no value while a template was rendered, in order.
missing: ContextVar[list[str]] = ContextVar("missing")
# By whose clock `now` and `today` are said.
wall: ContextVar[tzinfo] = ContextVar("wall", default=UTC)


class Missing(Undefined):
    """A variable without a value. It may be asked about and given a default; written out, it is noted as missing."""

    __slots__ = ()

    def __str__(self) -> str:
        said = self.hint or self.name
        missing.get().append(said.removesuffix(" is undefined").strip("'"))
        return ""

    def __html__(self) -> str:
        return str(self)


class Fields(dict[str, Any]):
    """The values of a thing, such as a contact's. It has none of its own: `{{ contact }}` means some field of it.

    `zone` is the time zone of a company, by whose clock a mail says what day it is.
    """

    __slots__ = ("name", "zone")

    def __init__(self, name: str, values: dict[str, Any]) -> None:
        super().__init__(values)
        self.name = name
        self.zone = "UTC"

    def __missing__(self, key: str) -> Missing:
        # Liquid would count what is there, or take the first of it, for a field of which nothing is known.
        if key in ("size", "first", "last"):
            return Missing(f"{self.name}.{key}")
        raise KeyError(key)

    def __str__(self) -> str:
        missing.get().append(self.name)
        return ""

    def __html__(self) -> str:
        return str(self)


class Language(Environment):
    """Liquid, narrowed."""

    loop_iteration_limit = 500
    local_namespace_limit = 64_000
    output_stream_limit = MAX_TEXT
    block_nesting_limit = 12
    context_depth_limit = 12

    def __init__(self, *, html: bool) -> None:
        super().__init__(undefined=Missing, autoescape=html)
        self.tags = {name: tag for name, tag in self.tags.items() if name in _TAGS}
        made = self.filters
        self.filters = {name: _bounded(made[name]) for name in _FILTERS}
        self.filters["date"] = _dated(made["date"])


def _bounded(made: Callable[..., Any]) -> Callable[..., Any]:
    def within_bounds(*args: Any, **kwargs: Any) -> Any:
        given = made(*args, **kwargs)
        if isinstance(given, str) and len(given) > MAX_TEXT:
            raise FilterArgumentError("the text becomes too long", token=None)
        return given

    # What a filter wants to be told is written on the function.
    within_bounds.__dict__.update(made.__dict__)
    return within_bounds


def _dated(made: Callable[..., Any]) -> Callable[..., Any]:
    def date(value: object, pattern: object = "%d %B %Y", **kwargs: Any) -> Any:
        # strftime makes what a width asks for, be it a gigabyte.
        if not isinstance(pattern, str) or not _DATE_FORMAT.fullmatch(pattern):
            raise FilterArgumentError("the date's format should be like '%d %B %Y'", token=None)
        if isinstance(value, str) and value in ("now", "today"):
            # The library would ask the machine's clock, in the machine's zone.
            value = datetime.now(wall.get())
        # The library's would take it for an empty text.
        return value if isinstance(value, Undefined) else made(value, pattern, **kwargs)

    date.__dict__.update(made.__dict__)
    return date


def parse(language: Language, source: str) -> BoundTemplate:
    """Read a template. Raises LiquidSyntaxError, also for ranges, which are short to write and endless to look through."""
    template = language.from_string(source)
    context = RenderContext(template)
    nodes, expressions = list(template.nodes), list[Expression]()
    while nodes:
        node = nodes.pop()
        nodes.extend(node.children(context, include_partials=False))
        expressions.extend(node.expressions())
    while expressions:
        expression = expressions.pop()
        if isinstance(expression, RangeLiteral):
            raise LiquidSyntaxError("a range such as (1..5) can't be used here", token=expression.token)
        expressions.extend(expression.children())
    return template


def trusted(html: str) -> str:
    """HTML that is put in as it is, such as a signature that was cleaned."""
    return Markup(html)
