"""The admin's view of jobs."""
