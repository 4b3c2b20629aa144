-- Presence: who is on the floor.

-- fragment: person_json
-- A person of the floor as clients get it; needs `members m`, `users u` and `presence s` (left joined).
json_build_object(
    'user', json_build_object('id', m.user_id, 'name', u.name, 'role', m.role),
    'state', coalesce(s.state, 'offline'), 'since', coalesce(s.since, m.created_at),
    'call', (SELECT {{call_json}} FROM calls k WHERE k.tenant_id = s.tenant_id AND k.id = s.call_id),
    'reason', s.reason, 'until', s.until)

-- name: get_person
SELECT ({{person_json}})::text AS json
FROM members m JOIN users u ON u.id = m.user_id
LEFT JOIN presence s ON s.tenant_id = m.tenant_id AND s.user_id = m.user_id
WHERE m.tenant_id = :tenant_id AND m.user_id = :person_id

-- name: hold_presence
-- The person's presence, held until the transaction ends, so that changes come one at a time. One that is missing is made
-- as it was shown before: no event says that anything changed.
INSERT INTO presence AS s (tenant_id, user_id, since)
SELECT m.tenant_id, m.user_id, m.created_at FROM members m WHERE m.tenant_id = :tenant_id AND m.user_id = :person_id
ON CONFLICT (tenant_id, user_id) DO UPDATE SET user_id = excluded.user_id
RETURNING s.state, s.call_id, s.reason, s.until, coalesce(s.until <= now(), false) AS is_over

-- name: is_connected
-- Whether any hub process holds a socket of this person.
SELECT EXISTS (SELECT FROM presence_sockets WHERE tenant_id = :tenant_id AND user_id = :person_id)

-- name: set_presence
-- A new state as of now, for good or for `lasts_s` seconds.
UPDATE presence SET state = :state, call_id = :call_id, reason = :reason, since = now(),
    until = now() + make_interval(secs => :lasts_s::double precision)
WHERE tenant_id = :tenant_id AND user_id = :person_id

-- name: extend_wrap_up
-- More time to write a call up, but no more than two hours from now; one without an end stays so.
UPDATE presence SET until = least(greatest(until, now()) + make_interval(secs => :seconds::double precision), now() + interval '2 hours')
WHERE tenant_id = :tenant_id AND user_id = :person_id AND state = 'wrap_up'

-- name: wrap_up_s
-- How long the company gives its people to write a call up; 0 for as long as they like.
SELECT coalesce((SELECT v.wrap_up_s FROM voice_settings v WHERE v.tenant_id = :tenant_id), 60)

-- name: wrap_ups_over
-- People of any company whose wrap-up is over.
SELECT tenant_id, user_id FROM wrap_ups_over(:limit)

-- name: call_state
-- The state of the call somebody is said to be on.
SELECT state FROM calls WHERE tenant_id = :tenant_id AND id = :call_id

-- name: add_socket
-- This hub process holds a socket of the person.
INSERT INTO presence_sockets (tenant_id, user_id, hub_id) VALUES (:tenant_id, :person_id, :hub_id)
ON CONFLICT DO NOTHING

-- name: remove_socket
-- This hub process holds none of the person's sockets any more.
DELETE FROM presence_sockets WHERE tenant_id = :tenant_id AND user_id = :person_id AND hub_id = :hub_id

-- name: remove_dead_sockets
-- Takes the person from hub processes whose lease has run out, and says how each of those ended.
DELETE FROM presence_sockets s
WHERE s.tenant_id = :tenant_id AND s.user_id = :person_id AND hub_standing(s.hub_id) <> 'alive'
RETURNING hub_standing(s.hub_id) AS ended

-- name: beat
-- Renews this process's lease.
SELECT hub_beat(:hub_id, :name, :lease_s) AS held

-- name: stop_hub
SELECT hub_stop(:hub_id, :grace_s)

-- name: list_stuck
SELECT tenant_id, user_id FROM presence_stuck(:silent_s, :limit)

-- name: forget_hubs
SELECT hubs_forget()
