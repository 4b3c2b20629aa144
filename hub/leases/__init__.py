"""Leases: who is busy with a contact."""
