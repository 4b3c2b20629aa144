-- The job ledger as workers move through it and as admins see it.

-- fragment: job_json
-- A job as the API and the events show it.
json_build_object('id', j.id, 'kind', j.kind, 'state', j.state, 'args', j.args, 'attempts', j.attempts - j.pardoned,
    'max_attempts', j.max_attempts, 'run_at', j.run_at, 'last_error', j.last_error, 'created_at', j.created_at,
    'finished_at', j.finished_at)::text

-- fragment: held
-- The fence: this very attempt, by this very worker, still holds the job.
j.tenant_id = :tenant_id AND j.id = :job_id AND j.state = 'running' AND j.attempts = :attempt AND j.leased_by = :worker

-- name: claim_jobs
-- Takes those jobs that are due, or whose lease ran out; no row for one that is not to be had.
SELECT id, kind, args, attempts, tries, max_attempts, request_id, trace, created_by, created_at, waited_s
FROM claim_jobs(:tenant_id, :job_ids, :worker, :leases, :default_lease_s)

-- name: finish_job
-- Done; no row when the lease was lost.
UPDATE jobs j SET state = 'done', lease_until = NULL, last_error = NULL, finished_at = now()
WHERE {{held}}
RETURNING j.id

-- name: extend_job
-- A longer lease; no row when it was lost.
UPDATE jobs j SET lease_until = now() + make_interval(secs => :lease_s)
WHERE {{held}}
RETURNING j.id

-- name: retry_job_later
-- Back to the queue after a failure that may pass.
UPDATE jobs j
SET state = 'ready', lease_until = NULL, last_error = :error, max_attempts = :max_attempts,
    run_at = clock_timestamp() + make_interval(secs => :delay_s)
WHERE {{held}}
RETURNING j.run_at

-- name: release_job
-- Back to the queue, at once or for so many seconds, and this attempt does not count.
UPDATE jobs j SET state = 'ready', lease_until = NULL, pardoned = j.pardoned + 1,
    run_at = clock_timestamp() + make_interval(secs => :delay_s::double precision)
WHERE {{held}}
RETURNING j.run_at

-- name: bury_job
-- A dead letter, with the reason.
UPDATE jobs j
SET state = 'dead', lease_until = NULL, last_error = :error, max_attempts = :max_attempts, finished_at = now(),
    pardoned = j.pardoned + :pardon
WHERE {{held}}
RETURNING {{job_json}} AS json

-- name: jobs_due
-- Jobs of any tenant that nobody holds and that are overdue by this much, or whose lease ran out.
SELECT tenant_id, id, attempts FROM jobs_due(:overdue_s, :limit)

-- name: jobs_census
-- Jobs by state, and the age of the oldest of each.
SELECT state, jobs, oldest_s FROM jobs_census()

-- name: list_jobs
-- A company's jobs, newest first.
SELECT {{job_json}} AS json, j.created_at::text AS key, j.id
FROM jobs j
WHERE j.tenant_id = :tenant_id
--? state  AND j.state = :state
--? kind  AND j.kind = :kind
--? after_id  AND (j.created_at, j.id) < (:after_at, :after_id)
ORDER BY j.created_at DESC, j.id DESC
LIMIT :limit

-- name: lock_job
-- A job's kind and state, held until the transaction ends.
SELECT j.kind, j.state FROM jobs j WHERE j.tenant_id = :tenant_id AND j.id = :job_id FOR UPDATE

-- name: retry_dead_job
-- A dead letter gets all its attempts again.
UPDATE jobs j SET state = 'ready', run_at = now(), finished_at = NULL, pardoned = j.attempts
WHERE j.tenant_id = :tenant_id AND j.id = :job_id
RETURNING {{job_json}} AS json

-- name: drop_job
-- Given up by an admin.
UPDATE jobs j SET state = 'dropped', finished_at = now()
WHERE j.tenant_id = :tenant_id AND j.id = :job_id
RETURNING {{job_json}} AS json

-- name: try_duty_lock
-- Whether this process may do the duty now; held until the transaction ends.
SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 7246004)) AS got

-- name: ensure_event_partitions
-- The event log's weeks ahead.
SELECT ensure_event_partitions(8)

-- name: drop_old_events
-- The event log's weeks that nobody resumes from any more.
SELECT drop_old_events(interval '14 days')

-- name: jobs_forget
-- Finished jobs of more than a week ago.
SELECT jobs_forget(interval '7 days')

-- name: idempotency_forget
-- Answers kept for repeated writes.
SELECT idempotency_forget(interval '24 hours')

-- name: webhook_deliveries_forget
-- Webhooks that no provider sends again.
SELECT webhook_deliveries_forget(interval '7 days')

-- name: auth_sweep
-- Dead sessions and withdrawals that every process has seen.
SELECT auth_sweep(interval '24 hours')

-- name: account_sweep
-- What was begun at people's accounts and nobody can finish any more.
SELECT account_sweep()
