"""Gmail on the real `google-api-python-client`: the mailbox port, Google's consent, and its pushes."""

from integrations.gmail.client import GmailMailbox
from integrations.gmail.google import Google
from integrations.gmail.oauth import SCOPES, GoogleOAuth
from integrations.gmail.push import GooglePushes

__all__ = ["SCOPES", "GmailMailbox", "Google", "GoogleOAuth", "GooglePushes"]
