"""Roles of a company's own: sets of permissions on top of a built-in role."""
