"""Contact endpoints."""

from __future__ import annotations

import re

from hub.contacts import actions, queries
from hub.contacts.models import Contact, ContactFilter, ContactIn, ContactPage, ContactPatch, Facets, SearchQuery
from hub.db import Tx
from hub.errors import Invalid
from hub.http.endpoint import Reply, Req, Routes

routes = Routes("contacts")


def _tagged(text: str, version: int, status: int = 200) -> Reply:
    return Reply(text, status, {"ETag": f'"{version}"'})


@routes.get("/contacts", query=ContactFilter, returns=ContactPage, allow="contacts:read")
async def list_contacts(tx: Tx, req: Req[ContactFilter, None]) -> Reply:
    """A page of contacts."""
    return Reply(await queries.list_contacts(tx, req.query))


@routes.post("/contacts", body=ContactIn, returns=Contact, status=201, allow="contacts:write")
async def create_contact(tx: Tx, req: Req[None, ContactIn]) -> Reply:
    """Add a contact."""
    _, text, version = await actions.create_contact(tx, req.body)
    return _tagged(text, version, 201)


@routes.get("/contacts/facets", returns=Facets, allow="contacts:read")
async def contact_facets(tx: Tx, req: Req[None, None]) -> Reply:
    """The stages, tags and owners there are to filter by."""
    return Reply(await queries.facets(tx))


@routes.get("/contacts/{id}", returns=Contact, allow="contacts:read")
async def get_contact(tx: Tx, req: Req[None, None]) -> Reply:
    """One contact, with its version as ETag."""
    found = await queries.get_contact(tx, req.id())
    if found is None:
        raise actions.missing()
    return _tagged(*found)


@routes.patch("/contacts/{id}", body=ContactPatch, returns=Contact, allow="contacts:write", errors=(412,))
async def update_contact(tx: Tx, req: Req[None, ContactPatch]) -> Reply:
    """Change some fields of a contact; If-Match guards against overwriting somebody else's change."""
    return _tagged(*await actions.update_contact(tx, req.id(), req.body, _if_match(req)))


@routes.delete("/contacts/{id}", status=204, allow="contacts:delete")
async def delete_contact(tx: Tx, req: Req[None, None]) -> Reply:
    """Delete a contact; it can be restored."""
    await actions.delete_contact(tx, req.id())
    return Reply()


@routes.post("/contacts/{id}/restore", returns=Contact, allow="contacts:write")
async def restore_contact(tx: Tx, req: Req[None, None]) -> Reply:
    """Undo the deletion of a contact."""
    return _tagged(*await actions.restore_contact(tx, req.id()))


@routes.get("/search", query=SearchQuery, returns=ContactPage, allow="contacts:read")
async def search(tx: Tx, req: Req[SearchQuery, None]) -> Reply:
    """Search as you type over names, companies, email addresses and telephone numbers."""
    return Reply(await queries.search_contacts(tx, req.query.q, req.query.limit))


def _if_match(req: Req[None, ContactPatch]) -> int | None:
    given = req.http.headers.get("If-Match", "*").strip()
    if given == "*":
        return None
    match = re.fullmatch(r'(?:W/)?"?(\d{1,9})"?', given)
    if match is None:
        raise Invalid.field("If-Match", "Send the ETag of the contact as it was given, or leave the header out.")
    return int(match.group(1))
