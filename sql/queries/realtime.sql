-- The live log as its readers read it.

-- name: tenant_heads
-- Where the logs of these tenants stand.
SELECT tenant_id, epoch, seq FROM tenant_heads(:tenants)

-- name: read_events
-- The events after a place, oldest first, whoever may see them; none when the log has begun anew since. Always a row.
SELECT e.seq, e.audience, e.frame, e.at, c.log_from > :after AS is_over
FROM tenant_counters c
LEFT JOIN LATERAL (
    SELECT x.seq, x.audience, x.frame, extract(epoch FROM x.at)::double precision AS at
    FROM events x
    WHERE x.tenant_id = :tenant_id AND x.seq > :after AND c.log_from <= :after
    ORDER BY x.seq
    LIMIT :limit) AS e ON true
WHERE c.tenant_id = :tenant_id
ORDER BY e.seq

-- name: sights
-- Whose things each member sees, where that is not everybody's.
SELECT user_id, people FROM sights()

-- name: read_visible_events
-- A page of what one member may see (one event more than asked for when others follow), with where the log stands and
-- whether it still holds what follows the place asked about, all of one snapshot.
SELECT c.epoch, c.seq AS head,
       coalesce(:after::bigint >= c.seq OR (:after::bigint >= c.log_from
           AND EXISTS (SELECT FROM events e WHERE e.tenant_id = :tenant_id AND e.seq = :after::bigint + 1)), true) AS reaches,
       v.frames, v.last_seq
FROM tenant_counters c
CROSS JOIN LATERAL (
    SELECT array_agg(p.frame ORDER BY p.seq) AS frames, max(p.seq) FILTER (WHERE p.place = :limit) AS last_seq
    -- Numbered once they are few: numbers over the whole log let it be read and sorted whole.
    FROM (SELECT few.seq, few.frame, row_number() OVER (ORDER BY few.seq) AS place
          FROM (SELECT e.seq, e.frame
                FROM events e
                WHERE e.tenant_id = :tenant_id AND e.seq > coalesce(:after::bigint, 0) AND e.seq > c.log_from
                  AND (e.audience = ANY (:rooms::text[]) OR (e.audience LIKE 'seen:%' AND audience_is_mine(e.audience)))
                ORDER BY e.seq
                LIMIT :limit::int + 1) AS few) AS p) AS v
WHERE c.tenant_id = :tenant_id

-- name: access_changes
-- Access withdrawn since a moment, and what time it is there.
SELECT id, at, kind, tenant_id, user_id, session_id FROM access_changes_since(:since)

-- name: database_time
-- The clock that access_changes are dated by.
SELECT clock_timestamp() AS now

-- name: members_standing
-- The roles of some members, what those allow where they are the company's own, their status and the company's plan as they
-- are now.
SELECT m.user_id, m.role, m.status, r.name AS role_name, r.permissions,
    (SELECT a.plan FROM billing_accounts a WHERE a.tenant_id = m.tenant_id AND a.is_billed) AS plan
FROM members m LEFT JOIN roles r ON r.tenant_id = m.tenant_id AND r.id = m.role_id
WHERE m.tenant_id = :tenant_id AND m.user_id = ANY (:member_ids::uuid[])
