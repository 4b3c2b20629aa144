"""The permit: whether somebody may be reached, and why."""
