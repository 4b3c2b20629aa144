"""Letters that Ringside itself sends: invitations, resets, notices. What reps write to contacts is hub/mail."""
