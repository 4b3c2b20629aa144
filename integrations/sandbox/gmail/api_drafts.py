"""users.drafts."""

from dataclasses import replace
from typing import Any

from integrations.sandbox.gmail import refusals
from integrations.sandbox.gmail.api_messages import Sender, raw_of
from integrations.sandbox.gmail.mailbox import Draft, Stored
from integrations.sandbox.gmail.operations import Ask, Handler, paged
from integrations.sandbox.gmail.payload import brief, short, shown


class DraftsApi:
    """The operations on drafts. A draft keeps its id; each version of it is another message."""

    def __init__(self, post: Sender) -> None:
        self._post = post

    def handlers(self) -> dict[str, Handler]:
        """Return them by name."""
        return {
            "drafts.create": self.create,
            "drafts.update": self.update,
            "drafts.get": self.get,
            "drafts.list": self.list_drafts,
            "drafts.send": self.send,
            "drafts.delete": self.delete,
        }

    def create(self, ask: Ask) -> dict[str, Any]:
        """Put a draft there."""
        message = _put(ask)
        draft = Draft(f"r{int(ask.mailbox.new_id(), 16) % 10**19}", message.id)
        ask.mailbox.drafts[draft.id] = draft
        return {"id": draft.id, "message": brief(message)}

    def update(self, ask: Ask) -> dict[str, Any]:
        """Replace a draft's message."""
        draft = _found(ask, ask.path["id"])
        old = ask.mailbox.get(draft.message_id)
        message = _put(ask, old.thread_id)
        ask.mailbox.remove(old)
        draft.message_id = message.id
        return {"id": draft.id, "message": brief(message)}

    def get(self, ask: Ask) -> dict[str, Any]:
        """One draft."""
        draft = _found(ask, ask.path["id"])
        return {"id": draft.id, "message": shown(ask.mailbox.get(draft.message_id), ask.query.get("format") or "full")}

    def list_drafts(self, ask: Ask) -> dict[str, Any]:
        """A page of drafts, newest first."""
        drafts = [each for each in reversed(ask.mailbox.drafts.values()) if each.message_id in ask.mailbox.messages]
        page, following = paged(drafts, ask)
        told: dict[str, Any] = {}
        if page:
            told["drafts"] = [{"id": each.id, "message": short(ask.mailbox.get(each.message_id))} for each in page]
        if following is not None:
            told["nextPageToken"] = following
        return told | {"resultSizeEstimate": len(drafts)}

    def send(self, ask: Ask) -> dict[str, Any]:
        """Send a draft, with a message that comes along in its place if there is one. The draft is gone then."""
        draft = _found(ask, str(ask.body.get("id") or ""))
        kept = ask.mailbox.get(draft.message_id)
        given = _message(ask)
        raw = raw_of(given) if given.media is not None or given.body.get("raw") else kept.raw
        thread_id = str(given.body.get("threadId") or "")
        if not thread_id and len(ask.mailbox.thread(kept.thread_id)) > 1:
            thread_id = kept.thread_id
        sent = self._post.send(ask.mailbox, raw, thread_id)
        ask.mailbox.remove(kept)
        del ask.mailbox.drafts[draft.id]
        return brief(sent)

    def delete(self, ask: Ask) -> None:
        """Delete a draft for good."""
        draft = _found(ask, ask.path["id"])
        if draft.message_id in ask.mailbox.messages:
            ask.mailbox.remove(ask.mailbox.get(draft.message_id))
        del ask.mailbox.drafts[draft.id]


def _message(ask: Ask) -> Ask:
    return replace(ask, body=ask.body.get("message") or {})


def _put(ask: Ask, usual_thread: str = "") -> Stored:
    given = _message(ask)
    thread_id = str(given.body.get("threadId") or "")
    if thread_id:
        ask.mailbox.thread(thread_id)
    return ask.mailbox.add(raw_of(given), {"DRAFT"}, thread_id=thread_id or usual_thread)


def _found(ask: Ask, draft_id: str) -> Draft:
    draft = ask.mailbox.drafts.get(draft_id)
    if draft is None or draft.message_id not in ask.mailbox.messages:
        raise refusals.not_found()
    return draft
