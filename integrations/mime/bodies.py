"""Which parts are the body, and which are files (RFC 2046, 5.1).

Of alternatives the last that can be shown is taken; what is mixed is shown one below the other; what says that it is an
attachment, or has a name and is no text, is a file. A message within the message is a file too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from integrations.mime.charsets import decode
from integrations.mime.clean import Cleaned, clean_html, text_as_html
from integrations.mime.limits import MAX_HTML_CHARS, MAX_TEXT_CHARS
from integrations.mime.quotes import fold_text, unflow
from integrations.mime.structure import Part, Structure
from integrations.mime.values import Attachment, Folded

# A character takes at most four bytes.
_TEXT_BYTES: Final = 4 * MAX_TEXT_CHARS
_REPORTS: Final = frozenset({"message/delivery-status", "message/disposition-notification", "message/feedback-report"})
_SUFFIXES: Final = {
    "message/rfc822": ".eml",
    "application/pdf": ".pdf",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "text/html": ".html",
    "text/plain": ".txt",
}


@dataclass(frozen=True, slots=True)
class Body:
    """What is read of a message, and the files with it."""

    text: str
    html: str
    has_remote_images: bool
    folded: Folded
    attachments: tuple[Attachment, ...]


@dataclass(slots=True)
class _Piece:
    text: str | None = None
    html: str | None = None


class BodyReader:
    """Reads the body of one message. `problems` collects what was wrong."""

    def __init__(self, structure: Structure) -> None:
        self.problems: list[str] = []
        self._leaves = structure.leaves()
        self._root = structure.root
        self._budget = MAX_TEXT_CHARS
        self._html_budget = MAX_HTML_CHARS
        self._shown: set[int] = set()

    def read(self) -> Body:
        """Read it."""
        pieces = list(self._pieces(self._root))
        text, html, folded, remote = self._put_together(pieces)
        return Body(text, html, remote, folded, tuple(self._attachments(html)))

    def _pieces(self, part: Part) -> Iterable[_Piece]:
        if not part.is_multipart:
            piece = self._leaf(part)
            if piece is not None:
                yield piece
        elif part.content_type == "multipart/alternative":
            yield self._alternative(part)
        elif part.content_type in ("multipart/signed", "multipart/related", "multipart/report"):
            # The first is what the others belong to; of a related set it may be another, but then it is still the first text.
            for child in part.children:
                found = list(self._pieces(child))
                if found:
                    yield from found
                    return
        else:
            for child in part.children:
                yield from self._pieces(child)

    def _alternative(self, part: Part) -> _Piece:
        best = _Piece()
        for child in part.children:
            found = list(self._pieces(child))
            if not found:
                continue
            joined = found[0] if len(found) == 1 else self._joined(found)
            if joined.text is not None and joined.text.strip():
                best.text = joined.text
            if joined.html is not None and joined.html.strip():
                best.html = joined.html
        return best

    def _joined(self, pieces: list[_Piece]) -> _Piece:
        texts = [piece.text for piece in pieces if piece.text is not None]
        if all(piece.html is None for piece in pieces):
            return _Piece("\n\n".join(texts), None)
        shown = [piece.html if piece.html is not None else text_as_html(piece.text or "") for piece in pieces]
        return _Piece("\n\n".join(texts) if len(texts) == len(pieces) else None, "\n".join(shown))

    def _leaf(self, part: Part) -> _Piece | None:
        if part.content_type not in ("text/plain", "text/html", "text/enriched") or self._is_file(part):
            return None
        self._shown.add(id(part))
        text, in_order = decode(part.content()[:_TEXT_BYTES], part.parameters.get("charset", ""))
        if not in_order:
            self.problems.append("the character set is not the one that is named")
        if part.content_type == "text/html":
            return _Piece(None, self._take_html(text))
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        if part.parameters.get("format", "").lower() == "flowed":
            text = unflow(text, delete_space=part.parameters.get("delsp", "").lower() == "yes")
        return _Piece(self._take_text(text), None)

    def _is_file(self, part: Part) -> bool:
        if part.disposition == "attachment":
            return True
        # A text with a name is a file, unless it is all there is.
        return bool(part.filename) and part is not self._root

    def _take_text(self, text: str) -> str:
        if len(text) > self._budget:
            self.problems.append("the text is too long, the end was left out")
            text = text[: self._budget]
        self._budget -= len(text)
        return text

    def _take_html(self, html: str) -> str:
        if len(html) > self._html_budget:
            self.problems.append("the HTML is too long, the end was left out")
            html = html[: self._html_budget]
        self._html_budget -= len(html)
        return html

    def _put_together(self, pieces: list[_Piece]) -> tuple[str, str, Folded, bool]:
        if all(piece.html is None for piece in pieces):
            text = "\n\n".join(piece.text for piece in pieces if piece.text).strip("\n")
            new, quoted = fold_text(text)
            return text, "", Folded(new, quoted, "", ""), False
        cleaned = [self._cleaned(piece) for piece in pieces]
        texts = [piece.text if piece.text is not None else each.text for piece, each in zip(pieces, cleaned, strict=True)]
        html = "\n".join(each.html for each in cleaned)
        remote = any(each.has_remote_images for each in cleaned)
        # A footer below the first quotation belongs to what is folded.
        at = next((at for at, each in enumerate(cleaned) if each.quoted_html), len(cleaned) - 1)
        folded = Folded(
            new_text="\n\n".join(each.new_text for each in cleaned[: at + 1] if each.new_text),
            quoted_text="\n\n".join(each.quoted_text for each in cleaned if each.quoted_text),
            new_html="\n".join(each.new_html for each in cleaned[: at + 1]),
            quoted_html="\n".join([cleaned[at].quoted_html, *(each.html for each in cleaned[at + 1 :])]) if cleaned else "",
        )
        return "\n\n".join(texts).strip("\n"), html, folded, remote

    def _cleaned(self, piece: _Piece) -> Cleaned:
        if piece.html is not None:
            cleaned = clean_html(piece.html)
            self.problems.extend(cleaned.problems)
            return cleaned
        text = piece.text or ""
        new, quoted = fold_text(text)
        html = text_as_html(text)
        return Cleaned(html, text, False, html, "", new, quoted)

    def _attachments(self, html: str) -> Iterable[Attachment]:
        for index, part in enumerate(self._leaves):
            if id(part) in self._shown or self._is_other_view(part):
                continue
            content_id = part.content_id
            yield Attachment(
                index=index,
                filename=part.filename or _name_of(part, index),
                content_type=part.content_type,
                size=part.size(),
                content_id=content_id,
                is_inline=bool(content_id) and f'data-cid="{content_id}"' in html,
            )

    def _is_other_view(self, part: Part) -> bool:
        """Is it a part without a name that only machines read: a report's status, an empty one, a meeting that is a file too?"""
        if part.filename:
            return False
        if part.content_type == "text/calendar" and any(leaf.filename.lower().endswith(".ics") for leaf in self._leaves):
            return True
        return part.content_type in _REPORTS or not part.body.strip()


def _name_of(part: Part, index: int) -> str:
    if part.content_type == "message/rfc822" and part.children:
        subject = part.children[0].headers.words("subject")
        safe = "".join(sign if sign.isalnum() or sign in " -_" else "_" for sign in subject)[:80].strip()
        if safe:
            return f"{safe}.eml"
    if part.content_type == "text/calendar":
        return "invite.ics"
    return f"part-{index + 1}{_SUFFIXES.get(part.content_type, '.bin')}"
