"""What `ringside up` says when it is ready: one JSON line for programs, a short table for people."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from hub.listening import url_host
from hub.seed import Login


def machine_line(
    env: Mapping[str, str], logins: Sequence[Login], sandbox: Mapping[str, str], owner: str, admin: str, data: Path
) -> dict[str, Any]:
    """Everything a program needs to talk to this Ringside."""
    tenants = {str(login.tenant_id): login.tenant for login in logins}
    return {
        "url": env["RINGSIDE_PUBLIC_URL"],
        "tenants": [{"name": name, "id": tenant_id} for tenant_id, name in tenants.items()],
        "logins": [
            {"email": login.email, "password": login.password, "role": login.role, "tenant": login.tenant} for login in logins
        ],
        "database_url": env["DATABASE_URL"],
        "redis_url": env["REDIS_URL"],
        "metrics_url": f"http://{url_host(env['RINGSIDE_HOST'])}:{env['RINGSIDE_METRICS_PORT']}/metrics",
        "sandbox": dict(sandbox),
        "database_owner_url": owner or None,
        "database_admin_url": admin or None,
        "data": str(data),
    }


def print_table(state: Mapping[str, Any], seconds: float) -> None:
    """The address, the logins and the places, on standard output."""
    console = Console(highlight=False)
    places = Table.grid(padding=(0, 2))
    places.add_row("[bold]Console[/]", f"[bold green]{state['url']}[/]")
    places.add_row("Data", state["data"])
    places.add_row("Logs", f"{state['data']}/logs")
    places.add_row("Metrics", state["metrics_url"])
    if "outbox" in state:
        places.add_row("Letters", state["outbox"])
    for name, url in state["sandbox"].items():
        places.add_row(f"{name.title()} sandbox", url)
    console.print()
    console.print(places, soft_wrap=True)
    if state["logins"]:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for title in ("Company", "Role", "Email", "Password"):
            table.add_column(title, no_wrap=True)
        for login in state["logins"]:
            table.add_row(login["tenant"], login["role"], login["email"], login["password"])
        console.print(table)
    console.print(f"Ready in {seconds:.1f} s. Ctrl-C stops everything.")
