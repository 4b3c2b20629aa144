"""Bytes into text, whatever the message says of its character set.

The label is believed when the bytes agree with it; else UTF-8 is tried, then what the bytes look like, then Windows-1252, in
which every byte has a meaning.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

from charset_normalizer import from_bytes

# Labels that say less than what is meant (WHATWG Encoding Standard, 4.2), and those that mail programs made up.
_MEANT: Final = {
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "ansi_x3.4-1968": "utf-8",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "iso-8859-9": "cp1254",
    "iso-8859-8-i": "iso-8859-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "unicode-1-1-utf-7": "utf-7",
    "tis-620": "cp874",
    "iso-8859-11": "cp874",
    "windows-874": "cp874",
    "x-mac-roman": "mac-roman",
}
# Codecs of Python's that are no character sets of mail: some are slow, some unpack, some run names through tables.
_NEVER: Final = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem", "charmap"})
_SAMPLE_BYTES: Final = 16 * 1024
_UNWANTED: Final = re.compile("[\x00\ud800-\udfff]")
_CONTROLS: Final = re.compile("[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff]+")


def tidy(text: str) -> str:
    """Take out what no database keeps: NULs and lone surrogates."""
    return _UNWANTED.sub("", text)


def one_line(text: str) -> str:
    """Make it one line without control characters, as a header's value must be."""
    return _CONTROLS.sub(" ", text).strip()


def decode(raw: bytes, label: str = "") -> tuple[str, bool]:
    """Return the text, and whether the label (with the bytes) was in order. A missing label is in order when UTF-8 is."""
    codec = _codec_of(label)
    if codec:
        try:
            return tidy(raw.decode(codec)), True
        except (UnicodeError, ValueError):
            pass
    try:
        return tidy(raw.decode("utf-8-sig")), not label
    except UnicodeDecodeError:
        pass
    # A text in which but a few bytes are wrong is still what it says to be.
    if codec and codec != "utf-8":
        guess = raw.decode(codec, errors="replace")
        if guess.count("\ufffd") * 50 < len(guess):
            return tidy(guess), False
    elif codec or raw[:3] == codecs.BOM_UTF8:
        guess = raw.decode("utf-8", errors="replace")
        if guess.count("\ufffd") * 50 < len(guess):
            return tidy(guess), False
    return tidy(_guess(raw)), False


def _guess(raw: bytes) -> str:
    if not label_like_text(raw):
        return raw.decode("cp1252", errors="replace")
    likely = from_bytes(raw[:_SAMPLE_BYTES], steps=3, chunk_size=512)
    best = likely.best()
    # Of the code pages that fit equally well the Western one is by far the most common in mail.
    codec = (
        "cp1252"
        if best is None or any(each.encoding == "cp1252" for each in likely if each.chaos <= best.chaos)
        else best.encoding
    )
    try:
        return raw.decode(codec)
    except (UnicodeError, ValueError, LookupError):
        return raw.decode("cp1252", errors="replace")


def label_like_text(raw: bytes) -> bool:
    """Are these bytes worth a guess: long enough, and not mostly control characters?"""
    sample = raw[:_SAMPLE_BYTES]
    controls = len(sample) - len(sample.translate(None, bytes([*range(9), 11, 12, *range(14, 32)])))
    return len(sample) >= 24 and controls * 20 < len(sample)


def _codec_of(label: str) -> str:
    name = label.strip().strip("\"'").lower()[:40]
    if not name:
        return ""
    name = _MEANT.get(name, name)
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError, UnicodeError):
        return ""
    if not getattr(info, "_is_text_encoding", True) or info.name.replace("-", "_") in _NEVER:
        return ""
    return info.name
