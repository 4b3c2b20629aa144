"""What HTML in mail is made of: what may stay, what goes with all that is in it, what marks a quotation."""

from __future__ import annotations

from typing import Final

# fmt: off
TAGS: Final = frozenset(
    {
        "a", "abbr", "acronym", "address", "article", "aside", "b", "bdi", "bdo", "big", "blockquote", "br",
        "caption", "center", "cite", "code", "col", "colgroup", "dd", "del", "details", "dfn", "div", "dl", "dt",
        "em", "figcaption", "figure", "font", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup", "hr",
        "i", "img", "ins", "kbd", "li", "main", "mark", "nav", "ol", "p", "pre", "q", "rp", "rt", "ruby", "s", "samp",
        "section", "small", "span", "strike", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot",
        "th", "thead", "time", "tr", "tt", "u", "ul", "var", "wbr",
    }
)
# Not even their words are kept.
GONE: Final = frozenset(
    {
        "head", "iframe", "math", "object", "script", "select", "style", "svg", "template", "textarea", "title",
    }
)
BLOCKS: Final = frozenset(
    {
        "address", "article", "aside", "blockquote", "center", "dd", "details", "div", "dl", "dt", "figcaption",
        "figure", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre",
        "section", "summary", "table", "tr", "ul",
    }
)
# Below these is a blank line in the text.
APART: Final = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "pre"})
VOID: Final = frozenset({"br", "hr", "img", "col", "wbr"})
# These end by themselves when the next of them begins.
UNCOUNTED: Final = frozenset(
    {
        "area", "base", "br", "col", "dd", "dt", "hr", "img", "input", "li", "link", "meta", "option", "p", "source",
        "td", "th", "tr", "wbr",
    }
)
# What mail programs mark a quotation with.
QUOTE_CLASSES: Final = frozenset(
    {
        "OutlookMessageHeader", "gmail_extra", "gmail_quote", "gmail_quote_container", "moz-cite-prefix",
        "protonmail_quote", "ringside_quote", "tutanota_quote", "yahoo_quoted", "zmail_extra",
    }
)
# What stands above a quotation that then goes on to the end.
QUOTE_IDS: Final = frozenset(
    {
        "OLK_SRC_BODY_SECTION", "appendonsend", "divRplyFwdMsg", "mail-editor-reference-message-container",
    }
)
# fmt: on
_EVERYWHERE: Final = (
    "style",
    "dir",
    "lang",
    "title",
    "align",
    "valign",
    "bgcolor",
    "color",
    "width",
    "height",
    "class",
    "id",
)
ATTRIBUTES: Final[dict[str, set[str]]] = {
    "*": set(_EVERYWHERE),
    "a": {"href"},
    "img": {"src", "alt", "border", "hspace", "vspace"},
    "blockquote": {"type"},
    "font": {"face", "size"},
    "table": {"border", "cellpadding", "cellspacing"},
    "td": {"colspan", "rowspan", "nowrap"},
    "th": {"colspan", "rowspan", "nowrap"},
    "ol": {"start", "type"},
    "ul": {"type"},
    "col": {"span"},
}
