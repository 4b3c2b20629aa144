"""Sequences: steps of outreach that plan themselves, keep to hours and caps, and stop when somebody answers."""
