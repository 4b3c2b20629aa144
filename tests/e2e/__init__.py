"""The story in real browsers, against everything that `ringside up` starts."""
