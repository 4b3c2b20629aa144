"""Background jobs as admins see them: what waits, what failed for good and why, retry and drop."""
