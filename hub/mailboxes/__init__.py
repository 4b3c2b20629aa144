"""Mailboxes: connecting them, taking their mail in, saying honestly how far behind they are, and who may see what."""
