-- Statements of the frame itself.

-- name: insert_job
-- A job with the change that asks for it; no row when its key is taken.
INSERT INTO jobs (tenant_id, kind, args, run_at, key, max_attempts, request_id, trace, created_by)
VALUES (:tenant_id, :kind, :args::jsonb, coalesce(:run_at, now()), :key, :max_attempts, :request_id, :trace, :user_id)
ON CONFLICT ON CONSTRAINT jobs_key_taken DO NOTHING
RETURNING id

-- name: plan_for_these_values
-- For filtered lists and long logs: what nobody has and what everybody has want different plans, and the one that Postgres
-- keeps for a prepared statement is made for neither.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true)

-- name: append_events
-- The last statement before COMMIT: numbers and logs the transaction's events.
SELECT seq, audience, frame
FROM append_events(:actor, :actor_id, :types, :audiences, :subject_kinds, :subject_ids, :data)
ORDER BY seq

-- name: append_audit
-- What is done goes into the audit log with the transaction that does it.
INSERT INTO audit_entries (tenant_id, action, actor_id, session_id, address, request_id, subject_kind, subject_id, details)
SELECT :tenant_id, x.action, :user_id, :session_id, :address, :request_id, x.kind, x.id, x.details::jsonb
FROM unnest(:actions::text[], :subject_kinds::text[], :subject_ids::uuid[], :details::text[]) AS x (action, kind, id, details)

-- name: claim_idempotency_key
-- Takes a key for a write; no row when it was used before.
INSERT INTO idempotency_keys (tenant_id, user_id, key, fingerprint)
VALUES (:tenant_id, :user_id, :key, :fingerprint)
ON CONFLICT DO NOTHING
RETURNING key

-- name: recall_idempotency_key
-- The answer given to this key before.
SELECT fingerprint, status, body FROM idempotency_keys
WHERE tenant_id = :tenant_id AND user_id = :user_id AND key = :key

-- name: keep_idempotent_answer
-- The answer to give when this key comes again.
UPDATE idempotency_keys SET status = :status, body = :body
WHERE tenant_id = :tenant_id AND user_id = :user_id AND key = :key
