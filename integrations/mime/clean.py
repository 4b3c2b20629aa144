"""HTML made safe to show, with its text and its fold.

nh3 (html5ever's parser behind an allow list) takes out everything that acts; what it leaves is well formed and is then walked
once: image addresses are put where no browser fetches them, the text is written down, and the place is found where the
quotation begins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from html.parser import HTMLParser
from typing import Final

import nh3

from integrations.mime.charsets import tidy
from integrations.mime.limits import MAX_HTML_CHARS, MAX_HTML_DEPTH, MAX_HTML_TAGS
from integrations.mime.markup import APART, ATTRIBUTES, BLOCKS, GONE, QUOTE_CLASSES, QUOTE_IDS, TAGS, UNCOUNTED, VOID
from integrations.mime.quotes import find_quote
from integrations.mime.styles import clean_style

_LINK: Final = re.compile(r"\s*(?:https?://|mailto:|tel:)", re.IGNORECASE)
_REMOTE: Final = re.compile(r"\s*(?:https?:)?//", re.IGNORECASE)
_IMAGE_DATA: Final = re.compile(r"\s*data:image/(?:png|gif|jpe?g|webp|bmp);base64,[A-Za-z0-9+/=\s]*", re.IGNORECASE)
_SMALL: Final = re.compile(r"[\w%#.,\- ]{0,60}")
_OUTLOOK_BORDER: Final = re.compile(r"border-top:\s*solid #(?:E1E1E1|B5C4DF) 1(?:\.0)?pt", re.IGNORECASE)
_TAG: Final = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})")
_SPACES: Final = re.compile(r"[ \t\r\n\f\u00a0\u200b\u200c\u200d\ufeff\u00ad\u034f]+")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Clean HTML, its plain text, and both divided where the quotation begins."""

    html: str
    text: str
    has_remote_images: bool
    new_html: str
    quoted_html: str
    new_text: str
    quoted_text: str
    problems: tuple[str, ...] = ()


def clean_html(html: str) -> Cleaned:
    """Make HTML from anybody safe to show. Bounded in time; what is too much is shown as its words alone, or cut."""
    problems: list[str] = []
    if len(html) > MAX_HTML_CHARS:
        html = html[:MAX_HTML_CHARS]
        problems.append("the HTML is too long, the end was left out")
    if not _is_walkable(html):
        problems.append("the HTML has too many tags or nests them too deeply, only its words are shown")
        html = escape(re.sub(r"<[^<>]{0,2000}>", " ", html)).replace("\n", "<br>")
    walk = _Walk()
    walk.feed(_sanitized(html))
    walk.close()
    return walk.finish(problems)


def _is_walkable(html: str) -> bool:
    depth = 0
    for tags, tag in enumerate(_TAG.finditer(html)):
        if tag[2].lower() not in UNCOUNTED:
            depth = max(0, depth - 1) if tag[1] else depth + 1
        if tags > MAX_HTML_TAGS or depth > MAX_HTML_DEPTH:
            return False
    return True


def _sanitized(html: str) -> str:
    return nh3.clean(
        tidy(html),
        tags=set(TAGS),
        clean_content_tags=set(GONE),
        attributes=ATTRIBUTES,
        attribute_filter=_filter,
        strip_comments=True,
        link_rel="noopener noreferrer nofollow",
        url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
    )


def _filter(tag: str, name: str, value: str) -> str | None:
    if name == "style":
        return clean_style(value) or None
    if name == "href":
        return value.strip() if _LINK.match(value) else None
    if name == "src":
        return (
            value.strip()
            if _REMOTE.match(value) or value.lstrip()[:4].lower() == "cid:" or _IMAGE_DATA.fullmatch(value)
            else None
        )
    if name == "class":
        return next((each for each in value.split()[:20] if each in QUOTE_CLASSES), None)
    if name == "id":
        return next((each for each in QUOTE_IDS if value.startswith(each) or value.endswith("_" + each)), None)
    if name in ("alt", "title"):
        return value[:500]
    return value if _SMALL.fullmatch(value) else None


# An open element: how it was opened, its name, whether it began a quotation, and what it stands in.
_Open = tuple[str, str, bool, "object"]


class _Walk(HTMLParser):
    """Walks over what nh3 left; there is no script, no comment and no broken tag in it any more."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.chunks: list[str] = []
        self.has_remote = False
        # Each line of text: its words, where its first chunk is, what was open there, and whether it is quoted.
        self.lines: list[tuple[str, int, _Open | None, bool]] = []
        self._open: _Open | None = None
        self._words: list[str] = []
        self._line_at = 0
        self._line_open: _Open | None = None
        self._line_quoted = False
        self._quotes = self._pre = 0
        self._marks: list[tuple[int, _Open | None, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        heads = self._is_head(tag, values)
        marks = heads or self._is_mark(tag, values)
        values.pop("class", None)
        values.pop("id", None)
        if tag in BLOCKS or tag == "br" or marks:
            self._end_line(before=tag == "br")
        if marks and not self._quotes:
            self._marks.append((len(self.chunks), self._open, len(self.lines)))
        if tag == "img":
            self._image(values)
        if tag == "a":
            values["target"] = "_blank"
        written = "".join(f' {name}="{escape(value)}"' for name, value in values.items())
        opened = f"<{tag}{written}>"
        self.chunks.append(opened)
        if tag in VOID:
            if tag == "br":
                self._line_at, self._line_open = len(self.chunks), self._open
            return
        self._open = (opened, tag, marks and not heads, self._open)
        self._quotes += marks
        self._pre += tag == "pre"
        if tag == "li":
            self._words.append("- ")
        elif tag in ("td", "th"):
            self._words.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if self._open is None or self._open[1] != tag:
            return
        if tag in BLOCKS:
            self._end_line(before=False)
        self.chunks.append(f"</{tag}>")
        self._quotes -= self._open[2]
        self._pre -= tag == "pre"
        self._open = self._open[3]  # type: ignore[assignment]  # the type can't name itself
        if tag in BLOCKS:
            self._line_at, self._line_open = len(self.chunks), self._open
            if tag in APART:
                self.lines.append(("", self._line_at, self._line_open, self._quotes > 0))

    def handle_data(self, data: str) -> None:
        if self._pre:
            first, *more = data.split("\n")
            self._say(first)
            for line in more:
                self._end_line(before=True)
                self._say(line)
        else:
            self._say(_SPACES.sub(" ", data))
        self.chunks.append(escape(data, quote=False))

    def finish(self, problems: list[str]) -> Cleaned:
        """Close what is open and divide."""
        self._end_line(before=False)
        while self._open is not None:
            self.chunks.append(f"</{self._open[1]}>")
            self._open = self._open[3]  # type: ignore[assignment]
        html = "".join(self.chunks)
        texts = [line[0] for line in self.lines]
        text = _joined(texts)
        split = self._split(texts)
        if split is None:
            return Cleaned(html, text, self.has_remote, html, "", text, "", tuple(problems))
        at, opened, line = split
        quoted_lines = [entry[3] for entry in self.lines[line:]]
        if any(quoted_lines):
            last = len(quoted_lines) - 1 - quoted_lines[::-1].index(True)
            if any(words for words in texts[line + last + 1 :]) or not _is_run(quoted_lines, texts[line:], last):
                # An answer between or below what is quoted: nothing can be folded without hiding it.
                said = texts[:line] + [words for words, quoted in zip(texts[line:], quoted_lines, strict=True) if not quoted]
                was = [words for words, quoted in zip(texts[line:], quoted_lines, strict=True) if quoted]
                return Cleaned(html, text, self.has_remote, html, "", _joined(said), _joined(was), tuple(problems))
        new_text, quoted_text = _joined(texts[:line]), _joined(texts[line:])
        if not new_text:
            return Cleaned(html, text, self.has_remote, html, "", "", quoted_text, tuple(problems))
        around: list[_Open] = []
        while opened is not None:
            around.append(opened)
            opened = opened[3]  # type: ignore[assignment]
        new_html = "".join(self.chunks[:at]) + "".join(f"</{each[1]}>" for each in around)
        quoted_html = "".join(each[0] for each in reversed(around)) + "".join(self.chunks[at:])
        return Cleaned(html, text, self.has_remote, new_html, quoted_html, new_text, quoted_text, tuple(problems))

    def _split(self, texts: list[str]) -> tuple[int, _Open | None, int] | None:
        line = find_quote(texts)
        found = list(self._marks[:1])
        if line is not None:
            found.append((self.lines[line][1], self.lines[line][2], line))
        return min(found, key=lambda each: each[0]) if found else None

    def _is_head(self, tag: str, values: dict[str, str]) -> bool:
        """Does everything that follows belong to the quotation?"""
        return bool(values.get("id")) or (tag == "div" and bool(_OUTLOOK_BORDER.search(values.get("style", ""))))

    def _is_mark(self, tag: str, values: dict[str, str]) -> bool:
        return bool(values.get("class")) or (tag == "blockquote" and values.get("type", "").lower() == "cite")

    def _image(self, values: dict[str, str]) -> None:
        source = values.pop("src", "")
        if source[:4].lower() == "cid:":
            values["data-cid"] = source[4:].strip("<> ")
        elif _REMOTE.match(source):
            self.has_remote = True
            values["data-remote-src"] = f"https:{source}" if source.startswith("//") else source
        elif source:
            values["src"] = source
        if values.get("alt"):
            self._say(f" {_SPACES.sub(' ', values['alt'])} ")

    def _say(self, words: str) -> None:
        if words:
            if not self._words:
                self._line_quoted = self._quotes > 0
            self._words.append(words)

    def _end_line(self, *, before: bool) -> None:
        words = "".join(self._words)
        words = words.rstrip() if self._pre else _SPACES.sub(" ", words).strip()
        if words or before:
            self.lines.append((words, self._line_at, self._line_open, self._line_quoted if words else self._quotes > 0))
        self._words = []
        self._line_at, self._line_open = len(self.chunks), self._open


def _is_run(quoted: list[bool], texts: list[str], last: int) -> bool:
    """Is there nothing but quoted words from the first quoted line to the last, blank lines apart?"""
    first = quoted.index(True)
    return all(quoted[at] or not texts[at] for at in range(first, last))


def _joined(lines: list[str]) -> str:
    out: list[str] = []
    for line in lines:
        if line or (out and out[-1]):
            out.append(line)
    return "\n".join(out).strip()


def text_as_html(text: str) -> str:
    """Plain words as HTML."""
    return f'<div style="white-space:pre-wrap">{escape(text, quote=False)}</div>'
