"""The browsers that one's pushes come to."""

from __future__ import annotations

from hub.config import Settings
from hub.db import Tx
from hub.http.endpoint import Reply, Req, Routes
from hub.notifications import devices
from hub.notifications.models import Device, DeviceIn, Devices


def push_routes(settings: Settings) -> Routes:
    """The endpoints, bound to these settings."""
    routes = Routes("notifications")

    @routes.get("/push/devices", returns=Devices)
    async def list_push_devices(tx: Tx, req: Req[None, None]) -> Reply:
        """One's own devices, and the key that a browser subscribes with."""
        return Reply(await devices.list_devices(tx))

    @routes.post("/push/devices", body=DeviceIn, returns=Device, status=201)
    async def add_push_device(tx: Tx, req: Req[None, DeviceIn]) -> Reply:
        """Have one's pushes come to this browser as long as the sign-in lasts; one that is known is entered anew."""
        return Reply(await devices.add_device(tx, req.body, allow_private=settings.private_push_hosts), 201)

    @routes.delete("/push/devices/{id}", status=204)
    async def remove_push_device(tx: Tx, req: Req[None, None]) -> Reply:
        """Take one of one's own devices away."""
        await devices.remove_device(tx, req.id())
        return Reply(status=204)

    @routes.post("/push/devices/{id}/test", status=204)
    async def try_push_device(tx: Tx, req: Req[None, None]) -> Reply:
        """Push something to one of one's own devices, to see whether it arrives."""
        await devices.try_device(tx, req.id())
        return Reply(status=204)

    return routes
