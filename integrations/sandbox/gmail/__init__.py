"""A Gmail for one machine: the API of the discovery document, Google's OAuth, signed pushes, and people who answer.

    async with GmailSandbox() as sandbox:
        refresh_token = sandbox.add_mailbox("ada@example.com")

The API is at `url` (also `/batch`, `/batch/gmail/v1`, `/upload/...` and `/resumable/upload/...`), OAuth at the paths that
Google has it at: `/o/oauth2/v2/auth` (a page with a button; `?auto=1` consents at once), `/token`, `/revoke`, `/tokeninfo`,
`/v1/userinfo`, `/oauth2/v3/certs` (JWKS), `/oauth2/v1/certs` (X.509), `/.well-known/openid-configuration`.

What becomes of sent mail is decided by how the address begins, see `people.TABLE` or `GET /`: reply*, slow*, ooo*, bounce*,
complain*, unsub*, meet*, silent*. Others are silent, or with `people="hash"` answer by a hash of the address: of a hundred
10 reply, 5 are out of office, 3 bounce, 1 complains, 2 want no more mail. Addresses that have a mailbox here get the
mail there. `speed` makes the answers come sooner.

The sandbox has handles of its own, without credentials, JSON in and out:

    GET    /_sandbox/mailboxes          the mailboxes: counts, labels, history, quota units spent
    POST   /_sandbox/mailboxes          opens one, as if its owner had consented: {"address"}; the tokens
    GET    /_sandbox/messages           what was sent: ?to=, ?mailbox=, ?message_id= (either), ?after=N, ?raw=1
    POST   /_sandbox/deliver            lets mail arrive: {"address", "raw"} or {"address", "from", "subject", "text", "html",
                                        "in_reply_to", "references", "headers", "attachments"}; {"messages": [...]}
    POST   /_sandbox/send               the owner writes from Gmail's own pages: {"address", "to", "subject", "text", ...}
    POST   /_sandbox/answer             somebody answers at once: {"number"} (of what was sent), {"kind"} of the table, {"from"}
    POST   /_sandbox/seed               fills a mailbox: {"address", "count", "days"}
    POST   /_sandbox/revoke             takes back every grant of {"address"}
    POST   /_sandbox/expire             lets its access tokens run out
    POST   /_sandbox/forget_history     makes its history too old to tell
    POST   /_sandbox/keep_message_id    {"on": true}: what is sent keeps its Message-ID; otherwise it gets another
    POST   /_sandbox/people             {"mode": "hash"} or silent
    GET    /_sandbox/pushes             the pushes and what became of them; PUT {"url", "audience"} sends them elsewhere,
                                        POST {"address"} sends one for nothing
    POST   /_sandbox/faults             the next {"times"} requests for {"operation"} go wrong: {"kind"} is 400, 401, 403
                                        (with {"reason"}), 404, 429, 500, 503, hang, drop, lost or slow (by {"delay_s"})
    GET    /_sandbox/faults             the faults to come; DELETE takes them back

Operations are named as in the document, without `gmail.users.`: messages.send, history.list, getProfile, and so on; also
batch, oauth.token, oauth.revoke. `messages.*` and `*` stand for several.
"""

from integrations.sandbox.gmail.clock import SandboxClock
from integrations.sandbox.gmail.faults import Fault
from integrations.sandbox.gmail.server import GmailSandbox
from integrations.sandbox.gmail.settings import GmailSettings, PushSettings

__all__ = ["Fault", "GmailSandbox", "GmailSettings", "PushSettings", "SandboxClock"]
