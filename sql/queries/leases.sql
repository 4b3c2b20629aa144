-- Leases: who is busy with a contact.

-- fragment: lease_json
-- A lease as clients get it; needs `leases l`.
json_build_object('contact_id', l.contact_id,
    'user', (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = l.user_id),
    'purpose', l.purpose, 'since', l.taken_at, 'until', l.lease_until, 'call_id', l.call_id)

-- fragment: lease_call_is_live
-- Whether a live call holds the lease without beats; needs `leases l`.
EXISTS (SELECT FROM calls k WHERE k.tenant_id = l.tenant_id AND k.id = l.call_id
        AND k.state IN ('queued', 'dialing', 'ringing', 'in_progress'))

-- name: take_lease
-- Takes or renews a lease; no row while somebody else holds it. `fresh` tells a taking from a beat.
INSERT INTO leases AS l (tenant_id, contact_id, user_id, purpose, lease_until)
SELECT :tenant_id, c.id, :holder, :purpose, clock_timestamp() + make_interval(secs => :lease_s)
FROM contacts c WHERE c.tenant_id = :tenant_id AND c.id = :contact_id AND c.deleted_at IS NULL
ON CONFLICT (tenant_id, contact_id) DO UPDATE SET
    taken_at = CASE WHEN l.user_id = excluded.user_id AND l.purpose = excluded.purpose AND (l.lease_until > clock_timestamp() OR {{lease_call_is_live}})
               THEN l.taken_at ELSE excluded.taken_at END,
    call_id = CASE WHEN l.user_id = excluded.user_id THEN l.call_id END,
    user_id = excluded.user_id, purpose = excluded.purpose, lease_until = excluded.lease_until
WHERE :force::boolean OR l.user_id = excluded.user_id OR (l.lease_until <= clock_timestamp() AND NOT {{lease_call_is_live}})
RETURNING ({{lease_json}})::text AS json, l.taken_at = now() AS fresh

-- name: tie_lease_to_call
UPDATE leases l SET call_id = :call_id
WHERE l.tenant_id = :tenant_id AND l.contact_id = :contact_id AND l.user_id = :holder
RETURNING ({{lease_json}})::text AS json

-- name: lease_of
-- Who holds it, in words for a refusal.
SELECT ({{lease_json}})::text AS json, u.name, l.purpose
FROM leases l JOIN users u ON u.id = l.user_id
WHERE l.tenant_id = :tenant_id AND l.contact_id = :contact_id

-- name: release_lease
-- Gives a lease back; one that a live call holds stays until that is over.
DELETE FROM leases l
WHERE l.tenant_id = :tenant_id AND l.contact_id = :contact_id AND l.user_id = :holder AND NOT {{lease_call_is_live}}
RETURNING ({{lease_json}})::text AS json

-- name: let_lease_lapse
-- No more beats will come; the live call alone holds it.
UPDATE leases l SET lease_until = clock_timestamp()
WHERE l.tenant_id = :tenant_id AND l.contact_id = :contact_id AND l.user_id = :holder

-- name: free_lost_lease
-- Takes away a lease that nobody holds any more; no row when somebody does after all.
DELETE FROM leases l
WHERE l.tenant_id = :tenant_id AND l.contact_id = :contact_id AND l.lease_until <= clock_timestamp() AND NOT {{lease_call_is_live}}
RETURNING ({{lease_json}})::text AS json

-- name: list_leases
-- Every lease that is held.
SELECT json_build_object('data', coalesce(json_agg({{lease_json}} ORDER BY l.taken_at, l.contact_id), '[]'::json), 'next_cursor', NULL)::text
FROM leases l
WHERE l.tenant_id = :tenant_id AND (l.lease_until > clock_timestamp() OR {{lease_call_is_live}})

-- name: lost_leases
-- Leases of any company that nobody holds any more.
SELECT tenant_id, contact_id FROM leases_lost(:limit)
