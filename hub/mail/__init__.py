"""Mail: what comes into the mailboxes and what goes out, in threads, each message once."""
