"""A person's own account: password, second factors, passkeys, sessions. It belongs to no company."""
