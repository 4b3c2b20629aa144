"""Webhooks that go out: a company's events, sent to other systems in the order of its log (standardwebhooks.com)."""
