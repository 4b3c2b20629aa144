"""What happens by the clock: wrap-ups end, due tasks are told of, managers are warned."""

from __future__ import annotations

from hub.floor.actions import forget_old_alerts, watch
from hub.notifications.actions import forget_old
from hub.presence.actions import end_wrap_ups
from hub.tasks.actions import tell_of_due_tasks
from workers.cron import duty
from workers.job import Deps


@duty(every_s=1.0)
async def end_overdue_wrap_ups(deps: Deps) -> None:
    """Free those whose time to write a call up is over."""
    await end_wrap_ups(deps.db)


@duty(every_s=2.0)
async def announce_due_tasks(deps: Deps) -> None:
    """Tell people of what has become due."""
    await tell_of_due_tasks(deps.db)


@duty(every_s=5.0)
async def watch_the_floor(deps: Deps) -> None:
    """Raise and clear alerts."""
    await watch(deps.db)


@duty(every_s=3600.0)
async def forget_old_notifications(deps: Deps) -> None:
    """Delete what was told long ago."""
    await forget_old(deps.db)
    await forget_old_alerts(deps.db)
