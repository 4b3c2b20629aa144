"""What the server has of providers, behind their ports. The composition root makes it; features take it as an argument."""

from __future__ import annotations

from dataclasses import dataclass

from hub.config import Settings
from integrations.identity import Identity
from integrations.mail import GoogleClient, GoogleIdentity, Mailboxes, PushReader
from integrations.payments import PaymentEventReader, Payments
from integrations.ports import CallbackReader, Numbers, ObjectStore, SoftphoneTokens, Telephony, TwimlRenderer


@dataclass(frozen=True, slots=True)
class Providers:
    """Each is None where it is not set up.

    `callbacks` tells webhooks from forgeries and reads them, `twiml` writes the answers to those that wait for
    instructions, `tokens` makes the softphone's access tokens. Routes never call `telephony` inside a transaction;
    most leave it to a job. `google` asks people for their mailboxes, `pushes` reads what Google says of them. `identity` asks
    OpenID providers. `payments`
    collects the money, `payment_events` reads what is said of that.
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
    identity: Identity | None = None
    payments: Payments | None = None
    payment_events: PaymentEventReader | None = None


def google_client(settings: Settings) -> GoogleClient | None:
    """The OAuth client of the settings; None where there is none."""
    given = settings.google
    if given is None:
        return None
    return GoogleClient(
        client_id=given.client_id,
        client_secret=given.client_secret,
        api_url=given.api_url,
        oauth_url=given.oauth_url,
        topic=given.topic,
        push_account=given.push_account,
        push_audience=given.push_audience,
    )
