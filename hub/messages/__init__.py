"""Text messages: sent once, at a time that is allowed, followed to the contact's phone; answers, and STOP."""
