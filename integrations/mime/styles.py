"""Which styles a message may bring: colours, letters and spaces, nothing that loads, moves or covers.

A value is taken only when it is made of plain words, numbers and colours, so there is no url(), no expression, no variable, no
escape and no way out of the attribute.
"""

from __future__ import annotations

import re
from typing import Final

_PROPERTIES: Final = frozenset(
    {
        "background-color",
        "border-collapse",
        "border-color",
        "border-radius",
        "border-spacing",
        "border-style",
        "border-width",
        "clear",
        "color",
        "direction",
        "float",
        "font",
        "font-family",
        "font-size",
        "font-style",
        "font-variant",
        "font-weight",
        "height",
        "letter-spacing",
        "line-height",
        "list-style-type",
        "max-width",
        "min-width",
        "mso-hide",
        "table-layout",
        "text-align",
        "text-decoration",
        "text-indent",
        "text-transform",
        "vertical-align",
        "white-space",
        "width",
        "word-break",
        "word-wrap",
        "overflow-wrap",
    }
    | {f"{side}{edge}" for side in ("margin", "padding", "border") for edge in ("", "-top", "-right", "-bottom", "-left")}
)
_VALUE: Final = re.compile(r"[\w\s#%.,'\"!+/-]{1,200}(?:rgba?\([\d\s.,%]{1,60}\)[\w\s#%.,!-]{0,100})?", re.ASCII)
_COLOR: Final = re.compile(r"\s*rgba?\([\d\s.,%]{1,60}\)\s*(?:!important)?\s*", re.ASCII)
_DISPLAY: Final = frozenset({"none", "block", "inline", "inline-block", "table", "table-row", "table-cell", "list-item"})
_NEGATIVE: Final = re.compile(r"(?:^|[\s,])-\s*[\d.]")
_HUGE: Final = re.compile(r"\d{5,}")


def clean_style(style: str) -> str:
    """The declarations of a style attribute that may stay, or ""."""
    if len(style) > 4000 or "\\" in style or "/*" in style:
        return ""
    kept: list[str] = []
    for declaration in style.split(";")[:60]:
        name, _, value = declaration.partition(":")
        name, value = name.strip().lower(), value.strip()
        if name == "display":
            if value.lower() in _DISPLAY:
                kept.append(f"display:{value.lower()}")
        elif name == "background":
            # Only the colour of it: everything else in there may load something.
            if _COLOR.fullmatch(value) or re.fullmatch(r"#[0-9a-fA-F]{3,8}|[a-zA-Z]{3,20}", value):
                kept.append(f"background-color:{value}")
        elif name in _PROPERTIES and (_VALUE.fullmatch(value) or _COLOR.fullmatch(value)):
            if name.startswith(("margin", "text-indent", "letter-spacing")) and _NEGATIVE.search(value):
                continue
            if not _HUGE.search(value):
                kept.append(f"{name}:{value}")
    return ";".join(kept)
