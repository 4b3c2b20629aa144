"""What the server has of providers, behind their ports. The composition root makes it; features take it as an argument."""

from __future__ import annotations

from dataclasses import dataclass

from integrations.mail import GoogleIdentity, Mailboxes, PushReader
from integrations.ports import CallbackReader, Numbers, ObjectStore, SoftphoneTokens, Telephony, TwimlRenderer


@dataclass(frozen=True, slots=True)
class Providers:
    """Each is None where it is not set up.

    `callbacks` tells webhooks from forgeries and reads them, `twiml` writes the answers to those that wait for
    instructions, `tokens` makes the softphone's access tokens. Routes never call `telephony` inside a transaction;
    most leave it to a job. `google` asks people for their mailboxes, `pushes` reads what Google says of them.
    """

    callbacks: CallbackReader | None = None
    twiml: TwimlRenderer | None = None
    tokens: SoftphoneTokens | None = None
    objects: ObjectStore | None = None
    numbers: Numbers | None = None
    telephony: Telephony | None = None
    google: GoogleIdentity | None = None
    pushes: PushReader | None = None
    mailboxes: Mailboxes | None = None
