"""The job side: what must still be done gets done, once, whatever dies meanwhile."""
