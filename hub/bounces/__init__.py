"""Mail that came back, and mail that somebody complained about."""
