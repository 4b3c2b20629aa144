"""What Prometheus sees of the workers."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_DELAYS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0)

ATTEMPTS = Counter(
    "ringside_job_attempts_total",
    "Attempts at jobs by how they ended: done, retried, dead, lost (lease), released (worker stopped), unrecorded.",
    ["kind", "result"],
)
SECONDS = Histogram(
    "ringside_job_seconds",
    "How long an attempt took.",
    ["kind"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0, 600.0),
)
START_DELAY = Histogram(
    "ringside_job_start_delay_seconds",
    "From when a job was due (or made, if later) to its claim, by what brought it here: hint, sweep.",
    ["via"],
    buckets=_DELAYS,
)
WAIT = Histogram(
    "ringside_job_wait_seconds",
    "From when a job was due (or made, if later) to its claim, by kind.",
    ["kind"],
    buckets=_DELAYS,
)
JOBS = Gauge("ringside_jobs", "Jobs of all companies by state.", ["state"])
OLDEST = Gauge("ringside_jobs_oldest_seconds", "Age of the oldest job in a state, since it was due.", ["state"])
RUNNING = Gauge("ringside_worker_jobs_running", "Jobs this worker works on now.")
REMINDED = Counter("ringside_jobs_reminded_total", "Jobs whose hint was lost and that the sweep enqueued again.")
QUEUE_UP = Gauge("ringside_worker_queue_up", "Whether this worker hears the queue in Redis: 1 or 0.")
QUEUE_STARTS = Counter("ringside_worker_queue_starts_total", "How often the queue's listener was started.")
LOOP_FAILURES = Counter("ringside_worker_loop_failures_total", "Rounds of a worker's own loops that failed.", ["loop"])
DUTIES = Counter("ringside_worker_duties_total", "Periodic duties by how they ended.", ["duty", "result"])
