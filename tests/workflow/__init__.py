"""What follows a call."""
