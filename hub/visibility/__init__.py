"""Visibility: whether members see everybody's contacts, or only their teams', or only their own."""
