"""On whose behalf something happens: the tenant, and the member or the system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

Role = Literal["owner", "admin", "manager", "rep", "system"]

ROLES: tuple[Role, ...] = ("owner", "admin", "manager", "rep")
MANAGERS: frozenset[Role] = frozenset({"owner", "admin", "manager"})
ADMINS: frozenset[Role] = frozenset({"owner", "admin"})


@dataclass(frozen=True, slots=True)
class Who:
    """The acting member of a tenant, taken from a verified token or a job row, never from a request body."""

    tenant_id: UUID
    user_id: UUID | None
    role: Role
    session_id: UUID | None = None
    name: str = ""
    request_id: str = ""
    address: str = ""
    """Where the request comes from, for the audit log; empty where nobody asked."""
    permissions: frozenset[str] | None = None
    """What the token allows; None where it is the role that says so (hub.permissions.permissions_of)."""

    @classmethod
    def system(cls, tenant_id: UUID, request_id: str = "") -> Who:
        """The system itself acting for a tenant: workers, webhooks, sweeps."""
        return cls(tenant_id=tenant_id, user_id=None, role="system", request_id=request_id)

    @property
    def is_manager(self) -> bool:
        """Whether managers' events and actions are open to this member."""
        return self.role in MANAGERS
