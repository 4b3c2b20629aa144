"""What a Gmail sandbox can be told when it starts."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from integrations.sandbox.gmail.clock import SandboxClock

DEMO_CLIENT_ID: Final = "ringside-demo.apps.googleusercontent.com"
DEMO_CLIENT_SECRET: Final = "GOCSPX-sandbox"  # noqa: S105
DEMO_TOPIC: Final = "projects/ringside-demo/topics/mail"
DEMO_PUSH_ACCOUNT: Final = "mail-push@ringside-demo.iam.gserviceaccount.com"

People = Literal["hash", "silent"]


@dataclass(frozen=True, slots=True)
class PushSettings:
    """Where pushes go and whom they come from. No URL: mailboxes can be watched, but nobody is told.

    An empty `audience` is the URL. Every `twice_every`th push comes twice (0: none does), and a push that is not answered
    with success comes again, after `retry_s` at first. Within `gather_s` of a push the changes wait for the next one.
    """

    url: str = ""
    topic: str = DEMO_TOPIC
    account: str = DEMO_PUSH_ACCOUNT
    audience: str = ""
    twice_every: int = 5
    retry_s: float = 0.5
    gather_s: float = 0.1


@dataclass(frozen=True, slots=True)
class GmailSettings:
    """How a sandbox behaves. Port 0 takes a free one.

    `people` is what addresses without a telling name do: answer by a hash of theirs, or be silent. `keep_message_id`
    says whether a sent message keeps the Message-ID it came with; Gmail is known to do either. `quota_per_minute` is in
    quota units for a mailbox (None: no quota). `mailboxes` are there from the start; one that opens with
    consent has `seed` messages of the last months in it. `state` is a file in
    which the mail outlasts the sandbox.
    """

    host: str = "127.0.0.1"
    port: int = 0
    client_id: str = DEMO_CLIENT_ID
    client_secret: str = field(default=DEMO_CLIENT_SECRET, repr=False)
    clock: SandboxClock = field(default_factory=SandboxClock)
    people: People = "silent"
    keep_message_id: bool = False
    push: PushSettings = PushSettings()
    quota_per_minute: int | None = None
    access_token_s: int = 3599
    mailboxes: tuple[str, ...] = ()
    seed: int = 0
    state: Path | None = None
