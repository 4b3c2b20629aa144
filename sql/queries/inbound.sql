-- Calls that come in.

-- name: one_at_a_time
-- Incoming calls of a company choose whom to ring one after the other, so that two never ring the same person.
SELECT pg_advisory_xact_lock(7246012, uuid_hash(:tenant_id))

-- name: contact_of_number
-- Whose number it is: of several the one with whom something happened last, else the newest.
SELECT c.id FROM contact_phones p JOIN contacts c ON c.tenant_id = p.tenant_id AND c.id = p.contact_id
WHERE p.tenant_id = :tenant_id AND p.e164 = :e164 AND c.deleted_at IS NULL
ORDER BY (SELECT max(a.at) FROM activities a WHERE a.tenant_id = c.tenant_id AND a.contact_id = c.id) DESC NULLS LAST,
    c.created_at DESC
LIMIT 1

-- name: unknown_caller
-- The contact that stands for everybody who hides their number.
SELECT c.id FROM contacts c
WHERE c.tenant_id = :tenant_id AND c.deleted_at IS NULL AND c.name_lc = 'unknown caller'
  AND NOT EXISTS (SELECT FROM contact_phones p WHERE p.tenant_id = c.tenant_id AND p.contact_id = c.id)
ORDER BY c.name_lc, c.id LIMIT 1

-- name: get_route
-- Who answers a number, with `assigned` resolved.
SELECT n.id AS number_id, n.e164, n.label, n.time_zone, r.hours::text AS hours, coalesce(r.ring_s, 20) AS ring_s,
    coalesce(r.voicemail, true) AS voicemail, coalesce(r.greeting, '') AS greeting,
    coalesce(r.closed_greeting, '') AS closed_greeting,
    CASE WHEN coalesce(r.kind, 'assigned') <> 'assigned' THEN r.kind
         WHEN n.user_id IS NOT NULL THEN 'rep' WHEN n.team_id IS NOT NULL THEN 'team_at_once' ELSE 'voicemail' END AS kind,
    CASE WHEN coalesce(r.kind, 'assigned') <> 'assigned' THEN r.user_id ELSE n.user_id END AS user_id,
    CASE WHEN coalesce(r.kind, 'assigned') <> 'assigned' THEN r.team_id ELSE n.team_id END AS team_id,
    (SELECT t.name FROM tenants t WHERE t.tenant_id = n.tenant_id) AS company
FROM numbers n LEFT JOIN number_routes r ON r.tenant_id = n.tenant_id AND r.number_id = n.id
WHERE n.tenant_id = :tenant_id AND n.id = :number_id AND n.state IN ('active', 'releasing', 'buying')

-- name: company_name
SELECT name FROM tenants WHERE tenant_id = :tenant_id

-- name: last_rep
-- Who last called or wrote to this contact, for a call back to a number that is everybody's; else the contact's owner.
SELECT coalesce(
    (SELECT k.user_id FROM calls k WHERE k.tenant_id = :tenant_id AND k.contact_id = :contact_id AND k.direction = 'outbound'
     ORDER BY k.created_at DESC, k.id DESC LIMIT 1),
    (SELECT m.user_id FROM messages m WHERE m.tenant_id = :tenant_id AND m.contact_id = :contact_id AND m.user_id IS NOT NULL
     ORDER BY m.created_at DESC, m.id DESC LIMIT 1),
    (SELECT c.owner_id FROM contacts c WHERE c.tenant_id = :tenant_id AND c.id = :contact_id))

-- name: free_people
-- Who can be rung: there, in no call or wrap-up, in no dialing session, not being rung, and not rung for this call before.
SELECT m.user_id, l.kind, l.phone_e164
FROM members m
JOIN presence s ON s.tenant_id = m.tenant_id AND s.user_id = m.user_id AND s.state = 'online'
LEFT JOIN team_members tm ON tm.tenant_id = m.tenant_id AND tm.user_id = m.user_id AND tm.team_id = :of_team
LEFT JOIN line_choices l ON l.tenant_id = m.tenant_id AND l.user_id = m.user_id
WHERE m.tenant_id = :tenant_id AND m.status = 'active'
  AND (m.user_id = :of_user::uuid OR tm.user_id IS NOT NULL)
  AND NOT EXISTS (SELECT FROM inbound_rings r WHERE r.tenant_id = m.tenant_id AND r.call_id = :call_id AND r.user_id = m.user_id)
  AND NOT EXISTS (SELECT FROM inbound_rings r
                  WHERE r.tenant_id = m.tenant_id AND r.user_id = m.user_id AND r.result IS NULL AND r.until > now())
  AND NOT EXISTS (SELECT FROM lines x WHERE x.tenant_id = m.tenant_id AND x.user_id = m.user_id AND x.state <> 'ended')
  AND NOT EXISTS (SELECT FROM calls k WHERE k.tenant_id = m.tenant_id AND k.user_id = m.user_id AND k.holds_rep
                  AND k.state IN ('queued', 'dialing', 'ringing', 'in_progress'))
ORDER BY tm.position NULLS LAST, m.created_at, m.user_id
LIMIT :limit

-- name: add_ring
INSERT INTO inbound_rings (tenant_id, call_id, user_id, address, until)
VALUES (:tenant_id, :call_id, :person_id, :address, now() + make_interval(secs => :ring_s))
ON CONFLICT DO NOTHING

-- name: rings_of_call
-- Whom this call rings now.
SELECT user_id, address FROM inbound_rings
WHERE tenant_id = :tenant_id AND call_id = :call_id AND result IS NULL
ORDER BY rung_at, user_id

-- name: answer_of_call
-- Whether somebody has taken the call, and whether their leg is in its conference.
SELECT user_id, result FROM inbound_rings
WHERE tenant_id = :tenant_id AND call_id = :call_id AND result IN ('answered', 'joined')
LIMIT 1

-- name: ring_at
-- The person who is rung at this address; whoever answers late counts, too.
SELECT user_id, result FROM inbound_rings
WHERE tenant_id = :tenant_id AND call_id = :call_id AND address = :address
ORDER BY rung_at DESC LIMIT 1

-- name: end_ring
UPDATE inbound_rings SET result = :result WHERE tenant_id = :tenant_id AND call_id = :call_id AND user_id = :person_id

-- name: end_rings
-- Nobody is rung for this call any more; who was.
UPDATE inbound_rings SET result = :result
WHERE tenant_id = :tenant_id AND call_id = :call_id AND result IS NULL
RETURNING user_id

-- name: call_facts
-- What is said of a call that came in.
SELECT k.id, k.contact_id, k.user_id, k.state, k.from_number_id AS number_id, k.from_number, k.to_number, k.provider_sid, k.created_at,
    (SELECT coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''), nullif(c.company, ''), k.from_number)
     FROM contacts c WHERE c.tenant_id = k.tenant_id AND c.id = k.contact_id) AS contact_name,
    (SELECT c.owner_id FROM contacts c WHERE c.tenant_id = k.tenant_id AND c.id = k.contact_id) AS owner_id
FROM calls k WHERE k.tenant_id = :tenant_id AND k.id = :id AND k.direction = 'inbound'

-- name: call_of_sid
SELECT id FROM calls WHERE tenant_id = :tenant_id AND provider_sid = :sid

-- name: note_missed
-- Once for a call; no row when it was noted before.
INSERT INTO voicemails (tenant_id, call_id) VALUES (:tenant_id, :call_id) ON CONFLICT DO NOTHING RETURNING call_id

-- name: note_voicemail
INSERT INTO voicemails (tenant_id, call_id, recording_sid, duration_s) VALUES (:tenant_id, :call_id, :sid, :duration_s)
ON CONFLICT (tenant_id, call_id) DO UPDATE
    SET recording_sid = excluded.recording_sid, duration_s = coalesce(excluded.duration_s, voicemails.duration_s)

-- name: recording_of_sid
SELECT id FROM recordings WHERE tenant_id = :tenant_id AND provider_sid = :sid

-- name: people_to_tell
-- Who should know of a missed call: the team that was rung.
SELECT tm.user_id FROM team_members tm JOIN members m ON m.tenant_id = tm.tenant_id AND m.user_id = tm.user_id
WHERE tm.tenant_id = :tenant_id AND tm.team_id = :of_team AND m.status = 'active'
ORDER BY tm.position, tm.user_id LIMIT 50

-- name: companies_of_shared
-- Whom a call or message to the installation's own number is for: who called or wrote from it to that number last.
SELECT tenant_id, last_at FROM shared_number_companies(:shared, :other)
