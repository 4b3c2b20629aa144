"""Reading a CSV as it comes: its encoding, its delimiter, its records. Nothing in it may crash the reader."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from charset_normalizer import from_bytes

HEAD_BYTES = 256 * 1024
# Of those so many rows are looked at: they are read beside a hub's loop, which waits for the interpreter meanwhile.
HEAD_ROWS = 50
MAX_COLUMNS = 1000
MAX_COLUMN_NAME = 100
_MAX_LINE = 1_000_000
_MAX_RECORD_LINES = 1000
_MAX_RECORD_CHARS = 500_000
_BLOCK = 1 << 20

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CODE_PAGES = [
    "cp1252",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1257",
    "cp932",
    "gb18030",
    "big5",
    "cp949",
    "mac_roman",
    "cp850",
]
_ASCII = frozenset(map(chr, range(128)))
_WESTERN = frozenset("àáâãäåæçèéêëìíîïñòóôõöøœùúûüýÿßÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØŒÙÚÛÜÝ“”‘’„‚–—…€£©®™°ºª§«»´·¡¿\xa0")
_MAGIC = (
    (b"PK\x03\x04", "an Excel workbook or a ZIP archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a compressed file"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"SQLite format 3", "a database"),
)
_MARKUP = (
    ("{", "JSON"),
    ("[", "JSON"),
    ("<!doctype", "a web page"),
    ("<html", "a web page"),
    ("<?xml", "XML"),
    ("begin:vcard", "a vCard"),
)

# line, cells, and what is wrong with it (None when it could be read).
Record = tuple[int, list[str], str | None]


class NotCsv(ValueError):
    """The file as a whole can't be read; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How the bytes of a file are to be read."""

    encoding: str
    delimiter: str


@dataclass(frozen=True, slots=True)
class Survey:
    """What a whole file is: its shape, its columns, and how many rows follow."""

    shape: Shape
    columns: tuple[str, ...]
    rows: int


def check_is_text(head: bytes) -> None:
    """Raises NotCsv when the first bytes are those of something else."""
    if not head.strip(b" \t\r\n\x00\xef\xbb\xbf\xff\xfe"):
        raise NotCsv("The file is empty.")
    for magic, what in _MAGIC:
        if head.startswith(magic):
            raise NotCsv(f"This is {what}, not a CSV. Open it in your spreadsheet and save it as CSV.")
    if _encoding_by_marks(head) is None:
        sample = head[:8192]
        odd = sum(1 for byte in sample if byte < 32 and byte not in (9, 10, 11, 12, 13, 27, 30, 31))
        if odd > len(sample) // 30:
            raise NotCsv("This is a binary file, not a CSV. Open it in your spreadsheet and save it as CSV.")


def _encoding_by_marks(head: bytes) -> str | None:
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return encoding
    sample = head[:4096]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    # Western text in UTF-16 without a mark: every other byte is zero.
    if odd > len(sample) * 0.3 and even < len(sample) * 0.05:
        return "utf-16-le"
    if even > len(sample) * 0.3 and odd < len(sample) * 0.05:
        return "utf-16-be"
    return None


def _is_utf8(data: bytes, *, final: bool) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        text = decoder.decode(data)
    except UnicodeDecodeError:
        return False
    # Half a character at the end: cut off, or a single letter of an old code page in what claims to be all of the file.
    return not decoder.getstate()[0] or not final or not text.isascii()


def _code_page(sample: bytes) -> str:
    """The likeliest of the old code pages; Windows' Western one when none is."""
    # The ASCII of names and addresses says nothing about it and would drown what does.
    telling = b"\n".join(line for line in sample.splitlines() if not line.isascii())
    found = from_bytes(telling[: 32 * 1024], cp_isolation=_CODE_PAGES, threshold=0.3, enable_fallback=False)
    best = found.best()
    if best is None:
        return "cp1252"
    if "cp1252" in best.could_be_from_charset:
        return "cp1252"
    western = next((match for match in found if "cp1252" in match.could_be_from_charset), None)
    # Old Macintosh and DOS files are rare: they have to be likelier by a margin.
    slack = 0.1 if best.encoding in ("mac_roman", "cp850") else 0.0
    if western is None or western.chaos > best.chaos or western.coherence < best.coherence - slack:
        return best.encoding
    # A few names can be read in many ways. Without a letter that only others use they are Western.
    return "cp1252" if set(str(western)) - _ASCII <= _WESTERN else best.encoding


def encoding_of_head(head: bytes, *, final: bool = False) -> str:
    """The encoding of a file by its beginning, which may end in the middle of a character."""
    return _encoding_by_marks(head) or ("utf-8" if _is_utf8(head, final=final) else _code_page(head))


def encoding_of(stream: BinaryIO) -> str:
    """The encoding of a whole file: UTF-8 only if all of it is."""
    stream.seek(0)
    head = stream.read(_BLOCK)
    marked = _encoding_by_marks(head)
    if marked:
        return marked
    decoder = codecs.getincrementaldecoder("utf-8")()
    block, decoded = head, 0
    try:
        while block:
            decoder.decode(block)
            decoded += len(block)
            block = stream.read(_BLOCK)
        decoder.decode(b"", True)
    except UnicodeDecodeError as exc:
        stream.seek(max(0, decoded + exc.start - 16 * 1024))
        return _code_page(stream.read(32 * 1024) + head[: 32 * 1024])
    return "utf-8"


def delimiter_of(text: str) -> str:
    """The delimiter that cuts the first lines into the same number of cells, and into the most of them; a comma if none does."""
    best, chosen = 0.0, ","
    lines = text[: 64 * 1024].splitlines(keepends=True)
    if lines and lines[0].lower().startswith("sep=") and len(lines[0].strip()) == 5:
        return lines[0].strip()[4]
    for delimiter in (",", ";", "\t", "|"):
        widths: list[int] = []
        try:
            for cells in csv.reader(lines, delimiter=delimiter):
                if cells:
                    widths.append(len(cells))
                if len(widths) == 50:
                    break
        except csv.Error:
            pass
        if not widths or widths[0] < 2:
            continue
        score = sum(1 for width in widths if width == widths[0]) / len(widths) + min(widths[0], 40) / 1000
        if score > best:
            best, chosen = score, delimiter
    return chosen


class _Runaway(Exception):
    pass


class _Lines:
    """The physical lines, remembering those of the record under way so that they can be given back."""

    def __init__(self, text: io.TextIOBase) -> None:
        self._read = text.readline
        self._back: list[str] = []
        self.taken: list[str] = []
        self.number = 0
        self._chars = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._back.pop() if self._back else self._read(_MAX_LINE)
        if not line:
            raise StopIteration
        self.number += 1
        self.taken.append(line)
        self._chars += len(line)
        if self._chars > _MAX_RECORD_CHARS or len(self.taken) > _MAX_RECORD_LINES:
            while not line.endswith(("\n", "\r")) and line:
                line = self._read(_MAX_LINE)
            raise _Runaway
        return line

    def next_record(self) -> int:
        self.taken = []
        self._chars = 0
        return self.number + 1

    def keep_only_the_first(self) -> str:
        first, rest = self.taken[0], self.taken[1:]
        self._back.extend(reversed(rest))
        self.number -= len(rest)
        return first


def _why(error: Exception, lines: int) -> str:
    said = str(error)
    if "field larger than" in said and lines == 1:
        return f"A field of this row has more than {csv.field_size_limit():,} characters."
    if isinstance(error, _Runaway) and lines == 1:
        return f"This line has more than {_MAX_RECORD_CHARS:,} characters."
    if isinstance(error, _Runaway) or "unexpected end" in said or "field larger than" in said:
        return "A quotation mark is opened in this row and never closed."
    return 'The quotation marks of this row are wrong: inside a quoted field each " must be written as "".'


def records(stream: BinaryIO, shape: Shape) -> Generator[Record]:
    """The records of a CSV with the lines they begin on, the header among them; blank lines are left out.

    A row that can't be read comes with the reason in words, and the reading goes on in the next line. What is not valid in the
    encoding is read as U+FFFD.
    """
    text = io.TextIOWrapper(stream, encoding=shape.encoding, errors="replace", newline="")
    try:
        yield from _records(_Lines(text), shape.delimiter)
    finally:
        text.detach()


def _records(lines: _Lines, delimiter: str) -> Generator[Record]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = lines.next_record()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _Runaway) as exc:
            count = len(lines.taken)
            raw = lines.keep_only_the_first().rstrip("\r\n")[:10_000]
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            yield line, [raw], _why(exc, count)
            continue
        if (
            cells
            and any(cells)
            and not (line == 1 and len(lines.taken[0].strip()) == 5 and lines.taken[0].lower().startswith("sep="))
        ):
            yield line, cells, None


def header(cells: list[str]) -> tuple[str, ...]:
    """The columns' names, each once: nameless ones are called by their place, repeated ones numbered.

    Raises NotCsv for more columns than are taken.
    """
    if len(cells) > MAX_COLUMNS:
        raise NotCsv(f"The first line names {len(cells):,} columns; at most {MAX_COLUMNS:,} are taken.")
    names: list[str] = []
    seen: set[str] = set()
    for place, cell in enumerate(cells, 1):
        plain = " ".join(cell.replace("\x00", "").split())[: MAX_COLUMN_NAME - 20] or f"Column {place}"
        name, copy = plain, 2
        while name.lower() in seen:
            name, copy = f"{plain} ({copy})", copy + 1
        seen.add(name.lower())
        names.append(name)
    return tuple(names)


def read_head(head: bytes, *, final: bool = False) -> tuple[Shape, tuple[str, ...], list[Record]]:
    """What the beginning of a file shows: its shape, its columns, and its first rows, at most HEAD_ROWS.

    Raises NotCsv when it is no CSV, or has no header.
    """
    check_is_text(head)
    encoding = encoding_of_head(head, final=final)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head, final)
    first = text.lstrip("\ufeff \t\r\n")[:20].lower()
    for mark, what in _MARKUP:
        if first.startswith(mark):
            raise NotCsv(f"This looks like {what}, not a CSV. Export the contacts as CSV.")
    shape = Shape(encoding, delimiter_of(text.lstrip("\ufeff")))
    with closing(records(io.BytesIO(head), shape)) as coming:
        rows = list(islice(coming, 1 + HEAD_ROWS))
    return shape, _header_of(rows), rows[1:]


def _header_of(rows: list[Record]) -> tuple[str, ...]:
    if not rows:
        raise NotCsv("The file is empty.")
    _, cells, problem = rows[0]
    if problem:
        raise NotCsv(f"The first line should name the columns, but it can't be read: {problem}")
    return header(cells)


def survey(stream: BinaryIO, most_rows: int) -> Survey:
    """Read a whole file once to learn its shape, its columns and its number of rows.

    Raises NotCsv when it is no CSV, has no rows, or more than `most_rows`.
    """
    encoding = encoding_of(stream)
    stream.seek(0)
    head = stream.read(HEAD_BYTES)
    check_is_text(head)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head)
    shape = Shape(encoding, delimiter_of(text.lstrip("\ufeff")))
    stream.seek(0)
    rows = records(stream, shape)
    try:
        columns = _header_of([row for row in [next(rows, None)] if row])
        count = 0
        for _ in rows:
            count += 1
            if count > most_rows:
                raise NotCsv(f"The file has more than {most_rows:,} rows. Split it and import the parts one after the other.")
    finally:
        rows.close()
    if not count:
        raise NotCsv("The file has a header but no rows.")
    return Survey(shape, columns, count)
