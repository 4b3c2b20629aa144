"""Signing in elsewhere: a company's own OpenID provider, and Google."""
