"""The load test itself: that it works, not how fast anything is."""
