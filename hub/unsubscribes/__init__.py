"""Unsubscribing: by one click, on a page, or by a reply."""
