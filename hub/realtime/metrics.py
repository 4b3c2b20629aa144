"""What Prometheus sees of the live floor."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

SOCKETS = Gauge("ringside_sockets", "Live sockets of this process.")
FEEDS = Gauge("ringside_feeds", "Tenants with a live socket here.")
FEED_BEHIND = Gauge("ringside_feed_behind_events", "Events in the logs that this process had not fanned out at its last tick.")
FEED_LAG = Histogram(
    "ringside_feed_lag_seconds",
    "From an event's commit to its fan-out here.",
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
)
TO_SOCKETS = Histogram(
    "ringside_event_to_socket_seconds",
    "From an event's commit until it was written to the last socket here that follows the log live.",
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
)
EVENTS = Counter("ringside_events_fanned_out_total", "Events fanned out by this process, by how they were learnt of.", ["via"])
FRAMES = Counter("ringside_frames_written_total", "Event frames written to sockets.")
WRITES = Counter("ringside_socket_writes_total", "Writes to sockets; one may carry many frames.")
HINTS = Counter(
    "ringside_hints_received_total", "Hints that came from Redis, by what they turned out to be.", ["kind"]
)  # next, duplicate, gap, own, malformed
CATCH_UPS = Counter("ringside_catch_ups_total", "Sockets that caught up from the log, by why.", ["why"])  # resumed, slow
RESYNCS = Counter("ringside_resyncs_total", "Sockets told to fetch state again, by why.", ["reason"])
BYES = Counter("ringside_byes_total", "Sockets sent away, by why.", ["reason"])
REFUSED = Counter("ringside_sockets_refused_total", "Connections that were refused, by why.", ["reason"])
SUBSCRIBED = Gauge("ringside_redis_subscribed", "Whether this process hears hints: 1 or 0.")
TICK_FAILURES = Counter("ringside_tick_failures_total", "Ticks that could not do their work, by task.", ["task"])
