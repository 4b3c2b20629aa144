"""The company itself: its name and time zone, who owns it, and how one leaves it."""
