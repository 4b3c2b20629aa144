-- Webhooks that go out: endpoints, the deliveries to them, and who is busy with one.

-- fragment: endpoint_json
-- An endpoint as clients get it; needs `outgoing_endpoints o`.
json_build_object('id', o.id, 'url', o.url, 'description', o.description, 'types', o.types, 'state', o.state, 'reason', o.reason,
    'user', (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = o.user_id),
    'missed', o.missed,
    'waiting', (SELECT count(*) FROM (SELECT FROM outgoing_deliveries d
        WHERE d.tenant_id = o.tenant_id AND d.endpoint_id = o.id AND d.state = 'waiting' LIMIT 1000) AS w),
    'next_at', CASE WHEN o.state = 'active' THEN o.due_at END, 'accepted_at', o.accepted_at, 'refused_at', o.refused_at,
    'rotating_until', CASE WHEN o.before_until > now() THEN o.before_until END,
    'created_at', o.created_at, 'updated_at', o.updated_at)

-- fragment: delivery_json
-- A delivery as clients get it; needs `outgoing_deliveries d`.
json_build_object('id', d.id, 'kind', d.kind, 'event_id', d.event_id, 'type', d.event_type, 'event_at', d.event_at,
    'state', d.state, 'attempts', d.attempts, 'next_at', CASE WHEN d.state = 'waiting' THEN d.next_at END, 'tried_at', d.tried_at,
    'took_ms', d.took_ms, 'status', d.status, 'words', d.words, 'created_at', d.created_at)

-- fragment: visible_event
-- What whoever acts may see of the log, and is not for one person alone; needs `events e`.
(e.audience = ANY (:rooms::text[]) OR (e.audience LIKE 'seen:%' AND audience_is_mine(e.audience)))

-- name: list_endpoints
-- All of a company's endpoints, the oldest first; there are a few at the most.
SELECT json_build_object('data', coalesce(json_agg({{endpoint_json}} ORDER BY o.created_at, o.id), '[]'::json), 'next_cursor', NULL)::text
FROM outgoing_endpoints o WHERE o.tenant_id = :tenant_id

-- name: get_endpoint
SELECT ({{endpoint_json}})::text AS json, o.state, o.sealed, o.url FROM outgoing_endpoints o
WHERE o.tenant_id = :tenant_id AND o.id = :id

-- name: lock_endpoint
SELECT o.state, o.sealed, o.url FROM outgoing_endpoints o WHERE o.tenant_id = :tenant_id AND o.id = :id FOR NO KEY UPDATE

-- name: count_endpoints
SELECT count(*) FROM outgoing_endpoints o WHERE o.tenant_id = :tenant_id

-- name: insert_endpoint
-- A new endpoint; what happened before it was made is not sent.
INSERT INTO outgoing_endpoints (tenant_id, id, user_id, url, description, types, sealed, position)
SELECT :tenant_id, :id, :user_id, :url, :description, :types::text[], :sealed, c.seq
FROM tenant_counters c WHERE c.tenant_id = :tenant_id

-- name: update_endpoint
UPDATE outgoing_endpoints SET updated_at = now()
--? set_url , url = :set_url, user_id = :user_id
--? set_description , description = :set_description
--? has_types , types = :set_types::text[]
WHERE tenant_id = :tenant_id AND id = :id

-- name: move_endpoint
-- Stops an endpoint, and says why.
UPDATE outgoing_endpoints SET state = :state, reason = :reason, updated_at = now()
WHERE tenant_id = :tenant_id AND id = :id AND (state <> :state OR reason <> :reason)
RETURNING id

-- name: resume_endpoint
-- Goes on where it stood, in the name of whoever says so; what waits is tried at once.
UPDATE outgoing_endpoints SET state = 'active', reason = '', user_id = :user_id, updated_at = now(), asked_at = NULL, due_at = now()
WHERE tenant_id = :tenant_id AND id = :id AND state <> 'active'
RETURNING id

-- name: wake_rested
-- Those that stood still for want of a plan go on.
UPDATE outgoing_endpoints SET state = 'active', reason = '', updated_at = now(), asked_at = NULL, due_at = now()
WHERE tenant_id = :tenant_id AND state = 'paused' AND reason = :reason
RETURNING id, url

-- name: try_again_at_once
-- What waits is due now.
UPDATE outgoing_deliveries SET next_at = now()
WHERE tenant_id = :tenant_id AND endpoint_id = :id AND state = 'waiting'
RETURNING id

-- name: retry_what_failed_last
-- The delivery for whose sake an endpoint stopped is tried once more, before any other.
UPDATE outgoing_deliveries d SET state = 'waiting', next_at = now(), attempts = :attempts
FROM (SELECT x.id FROM outgoing_deliveries x
      WHERE x.tenant_id = :tenant_id AND x.endpoint_id = :id AND x.state = 'failed' AND x.kind <> 'test'
        AND x.tried_at = (SELECT o.refused_at FROM outgoing_endpoints o WHERE o.tenant_id = :tenant_id AND o.id = :id)
      ORDER BY x.created_at DESC LIMIT 1) AS last
WHERE d.tenant_id = :tenant_id AND d.id = last.id
RETURNING d.id

-- name: delete_endpoint
DELETE FROM outgoing_endpoints WHERE tenant_id = :tenant_id AND id = :id RETURNING url

-- name: rotate_secret
-- The secret before signs as well for a while.
UPDATE outgoing_endpoints
SET sealed_before = sealed, before_until = now() + make_interval(hours => :hours), sealed = :sealed, updated_at = now()
WHERE tenant_id = :tenant_id AND id = :id

-- name: reseal
-- The secrets sealed with the present key, unless somebody changed them meanwhile.
UPDATE outgoing_endpoints SET sealed = :sealed, sealed_before = :sealed_before
WHERE tenant_id = :tenant_id AND id = :id AND sealed = :was

-- name: to_reseal
-- Endpoints of any company with a secret to be sealed anew or forgotten.
SELECT tenant_id, id FROM outgoing_to_reseal(:prefix, :after, :limit)

-- name: forget_secret_before
-- The secret before, once it does not sign any more.
UPDATE outgoing_endpoints SET sealed_before = NULL, before_until = NULL
WHERE tenant_id = :tenant_id AND id = :id AND before_until <= now()

-- name: sealed_secrets
SELECT sealed, sealed_before FROM outgoing_endpoints WHERE tenant_id = :tenant_id AND id = :id FOR NO KEY UPDATE

-- name: list_deliveries
-- A page of what was sent to an endpoint, the newest first.
SELECT ({{delivery_json}})::text AS json, d.created_at AS key, d.id
FROM outgoing_deliveries d
WHERE d.tenant_id = :tenant_id AND d.endpoint_id = :endpoint_id
--? state AND d.state = :state
--? after_key AND (d.created_at, d.id) < (:after_key::timestamptz, :after_id::uuid)
ORDER BY d.created_at DESC, d.id DESC
LIMIT :limit

-- name: get_delivery
-- A delivery with what was answered, and what is sent, as far as the log has it and who asks may see it.
SELECT ({{delivery_json}})::text AS json, d.endpoint_id, d.kind, d.event_id, d.event_seq, d.event_at, d.event_type, d.answer, e.frame
FROM outgoing_deliveries d
LEFT JOIN events e ON e.tenant_id = d.tenant_id AND e.seq = d.event_seq AND e.at = d.event_at AND {{visible_event}}
WHERE d.tenant_id = :tenant_id AND d.id = :id

-- name: insert_replay
-- Sends again what was sent before.
INSERT INTO outgoing_deliveries (tenant_id, endpoint_id, kind, event_id, event_seq, event_at, event_type)
SELECT d.tenant_id, d.endpoint_id, 'replay', d.event_id, d.event_seq, d.event_at, d.event_type
FROM outgoing_deliveries d
WHERE d.tenant_id = :tenant_id AND d.id = :id
RETURNING id

-- name: count_span
-- How many events of a span an endpoint would be sent.
SELECT count(*) FROM (
    SELECT FROM events e JOIN outgoing_endpoints o ON o.tenant_id = e.tenant_id AND o.id = :endpoint_id
    WHERE e.tenant_id = :tenant_id AND e.at >= :from_at::timestamptz AND e.at < :until_at::timestamptz
      AND e.seq <= o.position AND e.seq > (SELECT c.log_from FROM tenant_counters c WHERE c.tenant_id = :tenant_id)
      AND (o.types IS NULL OR e.type = ANY (o.types)) AND e.type <> ALL (:never::text[]) AND {{visible_event}}
    LIMIT :limit) AS x

-- name: replay_span
-- Sends the events of a span again, in their order.
INSERT INTO outgoing_deliveries (tenant_id, endpoint_id, kind, event_id, event_seq, event_at, event_type)
SELECT e.tenant_id, o.id, 'replay', e.id, e.seq, e.at, e.type
FROM events e JOIN outgoing_endpoints o ON o.tenant_id = e.tenant_id AND o.id = :endpoint_id
WHERE e.tenant_id = :tenant_id AND e.at >= :from_at::timestamptz AND e.at < :until_at::timestamptz
  AND e.seq <= o.position AND e.seq > (SELECT c.log_from FROM tenant_counters c WHERE c.tenant_id = :tenant_id)
  AND (o.types IS NULL OR e.type = ANY (o.types)) AND e.type <> ALL (:never::text[]) AND {{visible_event}}
ORDER BY e.seq
LIMIT :limit
RETURNING id

-- name: insert_test
INSERT INTO outgoing_deliveries (tenant_id, endpoint_id, kind, event_id, event_at, event_type)
VALUES (:tenant_id, :endpoint_id, 'test', :event_id, now(), :type)
RETURNING id

-- name: delivery_json
SELECT ({{delivery_json}})::text FROM outgoing_deliveries d WHERE d.tenant_id = :tenant_id AND d.id = :id

-- name: wake
-- There is something to send.
UPDATE outgoing_endpoints SET due_at = coalesce(due_at, now()), asked_at = NULL WHERE tenant_id = :tenant_id AND id = :id

-- name: maker_of
SELECT user_id FROM outgoing_endpoints WHERE tenant_id = :tenant_id AND id = :id

-- name: due
-- Endpoints of any company with something to send.
SELECT tenant_id, id FROM outgoing_due(:limit)

-- name: companies
-- Companies that have an endpoint which is sent to.
SELECT tenant_id FROM outgoing_companies()

-- name: due_at_once
-- A company's endpoints that nobody sends to just now, and that the log has something new for; marked as asked for.
UPDATE outgoing_endpoints e SET asked_at = now()
FROM (SELECT o.tenant_id, o.id FROM outgoing_endpoints o
      WHERE o.tenant_id = :tenant_id AND o.state = 'active' AND o.due_at IS NULL AND o.lease_until <= now()
        AND (o.asked_at IS NULL OR o.asked_at < now() - interval '30 seconds')
        AND EXISTS (SELECT FROM events x WHERE x.tenant_id = o.tenant_id AND x.seq > o.position
                      AND (o.types IS NULL OR x.type = ANY (o.types)) AND x.type <> ALL (:never::text[]))
      ORDER BY o.id FOR UPDATE OF o SKIP LOCKED) AS due
WHERE e.tenant_id = due.tenant_id AND e.id = due.id
RETURNING e.id

-- name: take_lease
-- The lease on an endpoint, if nobody holds it, with all it takes to send.
UPDATE outgoing_endpoints o SET fence = o.fence + 1, lease_until = now() + make_interval(secs => :lease_s), asked_at = NULL
WHERE o.tenant_id = :tenant_id AND o.id = :id AND o.lease_until <= now()
RETURNING o.fence, o.user_id, o.url, o.state, o.types, o.position, o.sealed,
    CASE WHEN o.before_until > now() THEN o.sealed_before END AS sealed_before

-- name: hold_lease
-- Holds it longer; no row when somebody else has it meanwhile. Its state may have changed, and where it sends to.
UPDATE outgoing_endpoints SET lease_until = now() + make_interval(secs => :lease_s)
WHERE tenant_id = :tenant_id AND id = :id AND fence = :fence
RETURNING state, url, sealed

-- name: release_lease
-- Lets go of it, and says when it is to be looked at again: when the first that waits is due, or when the log moves.
UPDATE outgoing_endpoints o SET lease_until = now(), asked_at = NULL,
    due_at = (SELECT d.next_at FROM outgoing_deliveries d
              WHERE d.tenant_id = o.tenant_id AND d.endpoint_id = o.id AND d.state = 'waiting' AND d.kind <> 'test'
              ORDER BY d.place LIMIT 1)
WHERE o.tenant_id = :tenant_id AND o.id = :id AND o.fence = :fence

-- name: look_at_log
-- Where the log stands, and the first place after this one that it still has.
SELECT c.seq AS head, c.log_from,
    (SELECT e.seq FROM events e WHERE e.tenant_id = :tenant_id AND e.seq > greatest(:after, c.log_from) ORDER BY e.seq LIMIT 1) AS first
FROM tenant_counters c WHERE c.tenant_id = :tenant_id

-- name: take_from_log
-- Makes the deliveries of a stretch of the log.
INSERT INTO outgoing_deliveries (tenant_id, endpoint_id, kind, event_id, event_seq, event_at, event_type)
SELECT e.tenant_id, :endpoint_id, 'event', e.id, e.seq, e.at, e.type
FROM events e
WHERE e.tenant_id = :tenant_id AND e.seq > :after AND e.seq <= :upto
  AND (:types::text[] IS NULL OR e.type = ANY (:types::text[])) AND e.type <> ALL (:never::text[]) AND {{visible_event}}
ORDER BY e.seq

-- name: advance
UPDATE outgoing_endpoints SET position = :position, missed = missed + :missed
WHERE tenant_id = :tenant_id AND id = :id AND fence = :fence
RETURNING id

-- name: next_deliveries
-- What is to be sent next, in its order; without a frame what the log does not have any more, or its maker may not see any more.
SELECT d.id, d.kind, d.event_id, d.event_at, d.event_type, d.attempts, d.next_at <= now() AS is_due, e.frame
FROM (SELECT x.* FROM outgoing_deliveries x
      WHERE x.tenant_id = :tenant_id AND x.endpoint_id = :endpoint_id AND x.state = 'waiting' AND x.kind <> 'test'
      ORDER BY x.place LIMIT :limit) AS d
LEFT JOIN events e ON e.tenant_id = d.tenant_id AND e.seq = d.event_seq AND e.at = d.event_at AND {{visible_event}}
ORDER BY d.place

-- name: next_tests
SELECT d.id, d.kind, d.event_id, d.event_at, d.event_type, d.attempts, true AS is_due, NULL::text AS frame
FROM outgoing_deliveries d
WHERE d.tenant_id = :tenant_id AND d.endpoint_id = :endpoint_id AND d.state = 'waiting' AND d.kind = 'test'
ORDER BY d.place LIMIT 10

-- name: settle
-- What came of an attempt.
UPDATE outgoing_deliveries
SET state = :state, attempts = attempts + 1, next_at = now() + make_interval(secs => :pause_s), tried_at = now(), took_ms = :took_ms,
    status = :status, words = :words, answer = :answer
WHERE tenant_id = :tenant_id AND id = :id AND state = 'waiting'
RETURNING id

-- name: note_accepted
UPDATE outgoing_endpoints SET accepted_at = now() WHERE tenant_id = :tenant_id AND id = :id

-- name: note_refused
UPDATE outgoing_endpoints SET refused_at = now() WHERE tenant_id = :tenant_id AND id = :id

-- name: note_gone
-- What can't be sent any more.
UPDATE outgoing_deliveries SET state = 'gone', words = :words WHERE tenant_id = :tenant_id AND id = :id AND state = 'waiting'

-- name: erase_answers
-- Empties answers to events that were erased or that the log has no more, and those with one of these words; page by page, with the
-- last delivery of the page.
WITH page AS (
    SELECT d.id, d.kind, d.event_seq, d.event_at, d.answer FROM outgoing_deliveries d
    WHERE d.tenant_id = :tenant_id AND d.id > :after ORDER BY d.id LIMIT :limit
), emptied AS (
    UPDATE outgoing_deliveries d SET answer = ''
    FROM page p LEFT JOIN events e ON e.tenant_id = :tenant_id AND e.seq = p.event_seq AND e.at = p.event_at AND e.type <> 'record.erased'
    WHERE d.tenant_id = :tenant_id AND d.id = p.id AND p.answer <> '' AND (
        p.kind <> 'test' AND e.seq IS NULL
        OR EXISTS (SELECT FROM unnest(:words::text[]) AS w (word) WHERE strpos(lower(p.answer), lower(w.word)) > 0))
)
SELECT p.id FROM page p ORDER BY p.id DESC LIMIT 1

-- name: forget_deliveries
SELECT outgoing_forget(make_interval(days => :days), :limit) AS deleted

-- name: forget_jobs
SELECT outgoing_jobs_forget()
