-- Reps' ways of talking, their open lines, and what a company has settled about calls.

-- fragment: voice_settings_json
-- Needs `v`, one row whether or not the company has settled anything.
json_build_object(
    'show_listeners', coalesce(v.show_listeners, true), 'wrap_up_s', coalesce(v.wrap_up_s, 60), 'ring_s', coalesce(v.ring_s, 25),
    'recording', coalesce(v.recording, 'off'), 'announce_recording', coalesce(v.announce_recording, 'by_jurisdiction'),
    'announcement', coalesce(v.announcement, 'This call may be recorded.'),
    'machine_detection', coalesce(v.machine_detection, false), 'recording_keep_days', coalesce(v.recording_keep_days, 90),
    'transcribe_calls', coalesce(v.transcribe_calls, false))

-- name: get_voice_settings
SELECT ({{voice_settings_json}})::text AS json, coalesce(v.show_listeners, true) AS show_listeners, coalesce(v.ring_s, 25) AS ring_s,
    coalesce(v.machine_detection, false) AS machine_detection, coalesce(v.recording, 'off') AS recording
FROM (SELECT 1) AS one LEFT JOIN voice_settings v ON v.tenant_id = :tenant_id

-- name: put_voice_settings
INSERT INTO voice_settings AS v (tenant_id, show_listeners, wrap_up_s, ring_s, recording, announce_recording, announcement,
    machine_detection, recording_keep_days, transcribe_calls)
VALUES (:tenant_id, :show_listeners, :wrap_up_s, :ring_s, :recording, :announce_recording, :announcement,
    :machine_detection, :recording_keep_days, :transcribe_calls)
ON CONFLICT (tenant_id) DO UPDATE SET show_listeners = excluded.show_listeners, wrap_up_s = excluded.wrap_up_s,
    ring_s = excluded.ring_s, recording = excluded.recording, announce_recording = excluded.announce_recording,
    announcement = excluded.announcement, machine_detection = excluded.machine_detection,
    recording_keep_days = excluded.recording_keep_days, transcribe_calls = excluded.transcribe_calls, updated_at = now()

-- name: get_choice
SELECT c.kind, c.phone_e164 FROM line_choices c WHERE c.tenant_id = :tenant_id AND c.user_id = :person_id

-- name: put_choice
INSERT INTO line_choices (tenant_id, user_id, kind, phone_e164) VALUES (:tenant_id, :person_id, :kind, :phone)
ON CONFLICT (tenant_id, user_id) DO UPDATE SET kind = excluded.kind, phone_e164 = excluded.phone_e164, updated_at = now()

-- fragment: line_json
-- An open line as clients get it; needs `lines l`.
json_build_object('id', l.id, 'user_id', l.user_id, 'kind', l.kind, 'state', l.state, 'call_id', l.call_id,
    'since', coalesce(l.ended_at, l.opened_at, l.created_at), 'error', l.error)

-- name: insert_line
-- A line that is to be opened. The unique index refuses a second one.
INSERT INTO lines (tenant_id, user_id, kind, address, from_number) VALUES (:tenant_id, :person_id, :kind, :address, :from_number)
RETURNING id

-- name: get_line
SELECT ({{line_json}})::text AS json, l.user_id, l.state FROM lines l WHERE l.tenant_id = :tenant_id AND l.id = :id

-- name: line_of
-- The line a person has open or is opening.
SELECT l.id, l.state, l.kind, l.address, l.provider_sid, l.call_id FROM lines l
WHERE l.tenant_id = :tenant_id AND l.user_id = :person_id AND l.state <> 'ended'

-- name: lock_line
SELECT l.id, l.user_id, l.kind, l.address, l.from_number, l.state, l.provider_sid, l.call_id, l.moves, l.created_at, l.asked_at,
       l.end_asked_at, now() AS now
FROM lines l WHERE l.tenant_id = :tenant_id AND l.id = :id
FOR UPDATE

-- name: ask_line
-- The intent: from here on the provider may have been asked for this line.
UPDATE lines SET asked_at = now(), checked_at = now() WHERE tenant_id = :tenant_id AND id = :id

-- name: unask_line
UPDATE lines SET asked_at = NULL WHERE tenant_id = :tenant_id AND id = :id AND provider_sid IS NULL

-- name: adopt_line_sid
UPDATE lines SET provider_sid = :sid, checked_at = now() WHERE tenant_id = :tenant_id AND id = :id AND provider_sid IS NULL

-- name: known_line_sids
SELECT provider_sid FROM lines WHERE tenant_id = :tenant_id AND provider_sid = ANY (:sids::text[])

-- name: open_line
UPDATE lines SET state = 'open', opened_at = now(), checked_at = now() WHERE tenant_id = :tenant_id AND id = :id

-- name: end_line
UPDATE lines SET state = 'ended', ended_at = now(), error = coalesce(:error, error), call_id = NULL, checked_at = now()
WHERE tenant_id = :tenant_id AND id = :id

-- name: ask_line_to_end
UPDATE lines SET end_asked_at = coalesce(end_asked_at, now()) WHERE tenant_id = :tenant_id AND id = :id

-- name: move_line
-- Where the line is to be; a job sees to it.
UPDATE lines SET call_id = :call_id, moves = moves + 1 WHERE tenant_id = :tenant_id AND id = :id AND state <> 'ended'
RETURNING moves

-- name: hear_line
UPDATE lines SET checked_at = now() WHERE tenant_id = :tenant_id AND id = :id

-- name: touch_line
-- Takes a silent line for a check; no row when it has ended, or was heard of or taken meanwhile.
UPDATE lines SET checked_at = now()
WHERE tenant_id = :tenant_id AND id = :id AND checked_at <= now() - make_interval(secs => :silent_s) AND state <> 'ended'
RETURNING id

-- name: unheard_lines
-- Silent lines of any tenant.
SELECT tenant_id, id FROM lines_unheard(:silent_s, :limit)

-- name: legs_on_line
-- Where a line is in a call.
SELECT l.id, l.call_id FROM call_legs l
WHERE l.tenant_id = :tenant_id AND l.line_id = :line_id AND l.state IN ('asked', 'ringing', 'joined')
ORDER BY l.created_at

-- name: is_deserted
-- Whether somebody has been offline for a while.
SELECT EXISTS (SELECT FROM presence p WHERE p.tenant_id = :tenant_id AND p.user_id = :person_id AND p.state = 'offline'
    AND p.since < now() - make_interval(secs => :away_s))

-- name: line_sid
SELECT l.provider_sid FROM lines l WHERE l.tenant_id = :tenant_id AND l.id = :id AND l.state <> 'ended'
