"""Meetings: invitations that came by mail, and those that are sent by mail. They stand on the contact; there is no calendar."""
