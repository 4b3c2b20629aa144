"""Mailboxes at any provider, by IMAP and SMTP: the `Mailbox` port on aioimaplib and aiosmtplib."""

from integrations.imap.client import ImapMailbox
from integrations.imap.servers import MailServers

__all__ = ["ImapMailbox", "MailServers"]
