"""Notification endpoints: everybody reads their own."""

from __future__ import annotations

from hub.db import Tx
from hub.http.endpoint import Reply, Req, Routes
from hub.http.paging import page, read_cursor
from hub.notifications import actions
from hub.notifications.models import (
    Notification,
    NotificationFilter,
    NotificationPage,
    NotificationSettings,
    NotificationSettingsIn,
    ReadAll,
)
from hub.sqlfiles import load_sql

routes = Routes("notifications")
_SQL = load_sql("notifications")


@routes.get("/notifications", query=NotificationFilter, returns=NotificationPage)
async def list_notifications(tx: Tx, req: Req[NotificationFilter, None]) -> Reply:
    """One's own notifications, newest first, and how many are unread."""
    after = read_cursor(req.query.cursor, "-created_at")
    rows = await tx.fetch(
        _SQL["list_notifications"],
        limit=req.query.limit + 1,
        unread=req.query.unread,
        after=after.moment() if after else None,
        after_id=after.id if after else None,
    )
    unread = await tx.fetchval(_SQL["count_unread"])
    return Reply(page(rows, req.query.limit, "-created_at")[:-1] + f',"unread":{unread}}}')


@routes.post("/notifications/{id}/read", returns=Notification)
async def read_notification(tx: Tx, req: Req[None, None]) -> Reply:
    """One of one's own is read."""
    return Reply(await actions.read_notification(tx, req.id()))


@routes.post("/notifications/read", returns=ReadAll)
async def read_all(tx: Tx, req: Req[None, None]) -> Reply:
    """All of one's own are read."""
    return Reply({"read": await actions.read_all(tx)})


@routes.get("/notifications/settings", returns=NotificationSettings)
async def get_notification_settings(tx: Tx, req: Req[None, None]) -> Reply:
    """Where one wants to be told what, and one's quiet hours."""
    return Reply(await actions.read_settings(tx))


@routes.put("/notifications/settings", body=NotificationSettingsIn, returns=NotificationSettings)
async def put_notification_settings(tx: Tx, req: Req[None, NotificationSettingsIn]) -> Reply:
    """Set where one wants to be told what, and one's quiet hours; what is not named stays."""
    return Reply(await actions.change_settings(tx, req.body))
