-- The live log as its readers read it.

-- name: tenant_heads
-- Where the logs of these tenants stand.
SELECT tenant_id, epoch, seq FROM tenant_heads(:tenants)

-- name: read_events
-- The events after a place, oldest first, whoever may see them.
SELECT seq, audience, frame, extract(epoch FROM at)::double precision AS at
FROM events
WHERE tenant_id = :tenant_id AND seq > :after
ORDER BY seq
LIMIT :limit

-- name: read_visible_events
-- A page of what one member may see (one event more than asked for when others follow), with where the log stands and
-- whether it still holds what follows the place asked about, all of one snapshot.
SELECT c.epoch, c.seq AS head,
       coalesce(:after::bigint >= c.seq
           OR EXISTS (SELECT FROM events e WHERE e.tenant_id = :tenant_id AND e.seq = :after::bigint + 1), true) AS reaches,
       v.frames, v.last_seq
FROM tenant_counters c
CROSS JOIN LATERAL (
    SELECT array_agg(p.frame ORDER BY p.seq) AS frames, max(p.seq) FILTER (WHERE p.place = :limit) AS last_seq
    FROM (SELECT e.seq, e.frame, row_number() OVER (ORDER BY e.seq) AS place
          FROM events e
          WHERE e.tenant_id = :tenant_id AND e.seq > coalesce(:after::bigint, 0) AND e.audience = ANY (:rooms::text[])
          ORDER BY e.seq
          LIMIT :limit::int + 1) AS p) AS v
WHERE c.tenant_id = :tenant_id

-- name: access_changes
-- Access withdrawn since a moment, and what time it is there.
SELECT id, at, kind, tenant_id, user_id, session_id FROM access_changes_since(:since)

-- name: database_time
-- The clock that access_changes are dated by.
SELECT clock_timestamp() AS now

-- name: member_standing
-- A member's role and status as they are now.
SELECT role, status FROM members WHERE tenant_id = :tenant_id AND user_id = :member_id
