"""The audit log: who did what to which, when and from where."""
