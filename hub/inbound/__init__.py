"""Calls that come in: who is rung, who takes them, and what becomes of those that nobody takes."""
