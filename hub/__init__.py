"""The Ringside server: what the product knows and does."""
