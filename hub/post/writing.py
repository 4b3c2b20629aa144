"""From a template and its values to a letter: subject, text, and HTML made from the text by one layout.

A template is `templates/<name>.txt.liquid`: a line `Subject: ...`, an empty line, the text. Paragraphs stand apart, lists have
dashes, a line `[Words]({{ link }})` is a button, and what follows a line `--` is small print. `<name>.html.liquid` beside it
replaces the HTML's body.

Values come from people, and letters go to people who do not know them yet: a company's name must not become a second message.
So every value is one short line, and only those called `link`, or ending in `_link`, lead anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

from liquid import BoundTemplate

from hub.templates.language import Language, missing, parse

_FOLDER = Path(__file__).resolve().parent / "templates"
_LONGEST_VALUE = 300
_LONGEST_SUBJECT = 200
_PLAIN, _HTML = Language(html=False), Language(html=True)
_BREAKS = re.compile(r"[\s\x00-\x1f\x7f\u2028\u2029]+")
# What mail programs make a link of by themselves.
_LINKISH = re.compile(r"(:(?=//)|\bwww(?=\.))", re.IGNORECASE)
_BUTTON = re.compile(r"\[([^\[\]\n]{1,400})\]\((https?://[^\s()]+)\)")
_MANY_LINES = re.compile(r"\n{3,}")


class UnwritableLetter(Exception):
    """A template is not there, or a value that it needs was not given: a fault of the caller, not of anybody's input."""


@dataclass(frozen=True, slots=True)
class Written:
    """A letter's parts."""

    subject: str
    text: str
    html: str


def write(template: str, values: Mapping[str, Any]) -> Written:
    """Fill in a template. Raises UnwritableLetter for one that is not there, or when a value is missing."""
    tame = {name: _tame(name, value) for name, value in values.items()}
    source = _fill(template, "txt", tame)
    first, _, rest = source.partition("\n")
    if not first.startswith("Subject:"):
        raise UnwritableLetter(f"{template}.txt.liquid should begin with a line `Subject: ...`")
    subject = _BREAKS.sub(" ", first.removeprefix("Subject:")).strip()[:_LONGEST_SUBJECT]
    body = _MANY_LINES.sub("\n\n", rest).strip()
    made = _fill(template, "html", tame) if _has(template, "html") else _body(body)
    return Written(subject, _BUTTON.sub(r"\1:\n\2", body) + "\n", _page(subject, made))


def _tame(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _tame(str(key), each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_tame(name, each) for each in value]
    if value is None or isinstance(value, bool | int):
        return value
    text = str(value)
    if name == "link" or name.endswith("_link"):
        if not text.startswith(("https://", "http://")) or re.search(r"[\s()<>\"]", text):
            raise UnwritableLetter(f"{name} is no address to lead to")
        return text
    # Square brackets are ours: they make buttons.
    text = _LINKISH.sub(r"\1 ", _BREAKS.sub(" ", text)).strip().replace("[", "(").replace("]", ")")
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


def _has(template: str, kind: str) -> bool:
    return (_FOLDER / f"{template}.{kind}.liquid").is_file()


def _fill(template: str, kind: str, values: Mapping[str, Any]) -> str:
    named: list[str] = []
    token = missing.set(named)
    try:
        filled: str = _read(template, kind).render(**values)
    finally:
        missing.reset(token)
    if named:
        raise UnwritableLetter(f"{template}.{kind}.liquid needs {', '.join(dict.fromkeys(named))}")
    return filled


@lru_cache(maxsize=64)
def _read(template: str, kind: str) -> BoundTemplate:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,59}", template):
        raise UnwritableLetter(f"{template!r} is no name of a letter")
    try:
        source = (_FOLDER / f"{template}.{kind}.liquid").read_text(encoding="utf-8")
    except OSError:
        raise UnwritableLetter(f"there is no letter called {template}") from None
    return parse(_HTML if kind == "html" else _PLAIN, source)


def _body(text: str) -> str:
    main, _, small = f"{text}\n".partition("\n--\n")
    made = "".join(_block(block) for block in main.strip().split("\n\n") if block.strip())
    return made + (f'<p style="{_SMALL}">{_inline(small.strip())}</p>' if small.strip() else "")


def _block(block: str) -> str:
    lines = block.strip().split("\n")
    button = _BUTTON.fullmatch(lines[0].strip())
    if button and len(lines) == 1:
        return f'<p style="margin:28px 0"><a href="{escape(button[2])}" style="{_LOOK}">{escape(button[1])}</a></p>'
    if all(line.startswith("- ") for line in lines):
        items = "".join(f'<li style="margin:6px 0">{_inline(line[2:])}</li>' for line in lines)
        return f'<ul style="margin:16px 0;padding-left:22px">{items}</ul>'
    return f'<p style="margin:16px 0">{_inline(block.strip())}</p>'


def _inline(text: str) -> str:
    shown = escape(text)
    shown = _BUTTON.sub(lambda found: f'<a href="{found[2]}" style="color:inherit">{found[1]}</a>', shown)
    return shown.replace("\n", "<br>")


_SMALL = "margin:28px 0 0;padding-top:16px;border-top:1px solid #dfe3e8;color:#5c6670;font-size:13px"
_LOOK = (
    "display:inline-block;padding:11px 20px;border-radius:6px;background:#0b6e7f;color:#ffffff;font-weight:600;"
    "text-decoration:none"
)


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<meta name="color-scheme" content="light dark"><title>{escape(title)}</title></head>'
        '<body style="margin:0;padding:24px 12px;background:#f4f5f7">'
        '<div style="max-width:520px;margin:0 auto;padding:28px 28px 32px;border-radius:10px;background:#ffffff;color:#1a1d21;'
        'font:16px/1.55 -apple-system,Segoe UI,Roboto,Helvetica,Arial,sans-serif">'
        '<p style="margin:0 0 20px;font-weight:700;letter-spacing:-.01em">Ringside</p>'
        f"{body}</div></body></html>"
    )
