"""HTML of a mail: what may stand in one that we send, and its text for readers who want none."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

import nh3


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TAGS = nh3.ALLOWED_TAGS | {"font", "u", "s", "center"}
_ANYWHERE = {"style", "class", "align", "valign", "dir", "lang", "title", "width", "height", "bgcolor"}
_ATTRIBUTES = {
    "*": _ANYWHERE,
    "a": {"href", "name", "target"},
    "img": {"src", "alt", "border"},
    "font": {"color", "face", "size"},
    "table": {"border", "cellpadding", "cellspacing"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "ol": {"start", "type"},
}
_STYLES = _words(
    "background background-color border border-bottom border-collapse border-color border-left border-radius border-right"
    " border-spacing border-style border-top border-width color direction display font font-family font-size font-style"
    " font-variant font-weight height letter-spacing line-height list-style list-style-type margin margin-bottom margin-left"
    " margin-right margin-top max-height max-width min-height min-width padding padding-bottom padding-left padding-right"
    " padding-top table-layout text-align text-decoration text-indent text-transform vertical-align white-space width"
    " word-break word-wrap overflow-wrap"
)
_SCHEMES = {"http", "https", "mailto", "tel", "cid"}

_BLOCKS = _words(
    "address article blockquote center div dl dt dd figure footer h1 h2 h3 h4 h5 h6 header hr ol p pre section table tr ul"
)
_APART = _words("p h1 h2 h3 h4 h5 h6 blockquote ul ol table pre")
_SPACE = re.compile(r"[ \t\r\n\f\u00a0]+")
_MANY_LINES = re.compile(r"\n{3,}")


def clean(html: str, *, rewrite: Callable[[str, str, str], str] | None = None) -> str:
    """What of this HTML may stand in a mail: no scripts, forms, frames or style sheets, no styles that lay things over others.

    `rewrite` is given each tag, attribute and value that stays, and returns the value to write.
    """
    return nh3.clean(
        html,
        tags=set(_TAGS),
        attributes=_ATTRIBUTES,
        attribute_filter=rewrite,
        filter_style_properties=set(_STYLES),
        url_schemes=_SCHEMES,
        link_rel=None,
        strip_comments=True,
    )


def text_of(html: str) -> str:
    """The text of clean HTML: paragraphs apart, list items with dashes, links with where they lead behind them."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (line.strip() for line in "".join(reader.pieces).split("\n"))
    return _MANY_LINES.sub("\n\n", "\n".join(lines)).strip() + "\n"


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.pieces.append("\n")
        elif tag == "li":
            self.pieces.append("\n- ")
        elif tag in ("td", "th"):
            self.pieces.append(" ")
        elif tag in _BLOCKS:
            self.pieces.append("\n\n" if tag in _APART else "\n")
        elif tag == "img":
            self.pieces.append(dict(attrs).get("alt") or "")
        elif tag == "a":
            self._links.append((dict(attrs).get("href") or "", len(self.pieces)))

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.pieces.append("\n\n" if tag in _APART else "\n")
        elif tag == "a" and self._links:
            address, began = self._links.pop()
            shown = "".join(self.pieces[began:]).strip()
            address = address.removeprefix("mailto:").removeprefix("tel:")
            if address and address != shown:
                self.pieces.append(f" ({address})" if shown else address)

    def handle_data(self, data: str) -> None:
        text = _SPACE.sub(" ", data)
        # After a break the source's own line ends and indentation are nothing.
        if self.pieces and self.pieces[-1].endswith("\n"):
            text = text.lstrip(" ")
        if text:
            self.pieces.append(text)
