"""What an OpenID sandbox can be told when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

DEMO_CLIENT_ID: Final = "ringside-demo"
DEMO_CLIENT_SECRET: Final = "sandbox: no secret at all"  # noqa: S105


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """How a sandbox behaves. Port 0 takes a free one. `secret_in_body` is how clients have to say who they are."""

    host: str = "127.0.0.1"
    port: int = 0
    client_id: str = DEMO_CLIENT_ID
    client_secret: str = field(default=DEMO_CLIENT_SECRET, repr=False)
    secret_in_body: bool = False
    code_s: float = 60.0
