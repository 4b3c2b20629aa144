-- Recordings of calls and what was said in them.

-- fragment: recording_json
-- A recording as clients get it; needs `recordings r`. Only a search has an excerpt.
json_build_object(
    'id', r.id, 'call_id', r.call_id,
    'contact', (SELECT json_build_object('id', n.id, 'name', coalesce(nullif(trim(n.first_name || ' ' || n.last_name), ''),
        nullif(n.company, ''), (SELECT CASE k.direction WHEN 'inbound' THEN k.from_number ELSE k.to_number END
        FROM calls k WHERE k.tenant_id = r.tenant_id AND k.id = r.call_id)))
        FROM contacts n WHERE n.tenant_id = r.tenant_id AND n.id = r.contact_id),
    'user', (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = r.user_id),
    'kind', r.kind, 'state', r.state, 'wanted', r.wanted, 'created_at', r.created_at, 'started_at', r.started_at,
    'duration_s', r.duration_s, 'channels', r.channels, 'bytes', r.bytes, 'rule', r.rule, 'places', r.places,
    'announced_at', r.announced_at, 'error', r.error, 'keep_until', r.keep_until,
    'deleted', CASE WHEN r.deleted_at IS NOT NULL THEN json_build_object('at', r.deleted_at, 'reason', r.delete_reason,
        'by', (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = r.deleted_by)) END,
    'has_transcript', EXISTS (SELECT FROM transcripts t WHERE t.tenant_id = r.tenant_id AND t.recording_id = r.id),
    'excerpt', NULL)

-- name: insert_recording
-- A call that is to be recorded. The unique index refuses a second recording at the same time.
INSERT INTO recordings (tenant_id, call_id, contact_id, user_id, rule, places)
SELECT k.tenant_id, k.id, k.contact_id, k.user_id, :rule, :places
FROM calls k WHERE k.tenant_id = :tenant_id AND k.id = :call_id
ON CONFLICT (tenant_id, call_id) WHERE state IN ('starting', 'recording', 'paused') DO NOTHING
RETURNING id

-- name: insert_voicemail
-- What somebody said who reached nobody; it is at the provider already.
INSERT INTO recordings (tenant_id, call_id, contact_id, user_id, kind, state, wanted, provider_sid, started_at, duration_s, asked_at)
SELECT k.tenant_id, k.id, k.contact_id, k.user_id, 'voicemail', 'fetching', 'off', :sid, now(), :duration_s, now()
FROM calls k WHERE k.tenant_id = :tenant_id AND k.id = :call_id
ON CONFLICT ON CONSTRAINT recordings_sid_taken DO NOTHING
RETURNING id

-- name: recording_of_sid
SELECT r.id FROM recordings r WHERE r.tenant_id = :tenant_id AND r.provider_sid = :sid

-- name: get_recording
-- A recording with what its reader needs; `may_hear` for whose call it is or was, for managers, and for messages to everybody.
SELECT ({{recording_json}})::text AS json, r.call_id, r.state, r.object_key, r.bytes,
       (SELECT t.text FROM transcripts t WHERE t.tenant_id = r.tenant_id AND t.recording_id = r.id) AS transcript,
       :sees_all::boolean OR r.kind = 'voicemail' OR r.user_id IS NOT DISTINCT FROM :user_id OR EXISTS (
           SELECT FROM calls k WHERE k.tenant_id = r.tenant_id AND k.id = r.call_id AND k.user_id = :user_id) AS may_hear
FROM recordings r WHERE r.tenant_id = :tenant_id AND r.id = :id

-- name: list_recordings
-- A page of recordings, newest first. What was never begun is none.
SELECT ({{recording_json}})::text AS json, r.created_at::text AS key, r.id
FROM recordings r
WHERE r.tenant_id = :tenant_id AND r.state <> 'deleted' AND r.provider_sid IS NOT NULL
--? of_user    AND r.user_id = :of_user
--? contact_id AND r.contact_id = :contact_id
--? after      AND (r.created_at, r.id) < (:after::timestamptz, :after_id::uuid)
ORDER BY r.created_at DESC, r.id DESC
LIMIT :limit

-- name: search_recordings
-- A page of the recordings in which something was said, newest first, with the words around it. OFFSET 0 has each text looked
-- up by itself: a hash join over all that was ever said looks cheaper to the planner than it is.
SELECT (jsonb_set(({{recording_json}})::jsonb, '{excerpt}', to_jsonb(ts_headline('simple', t.text, transcript_query(:query),
    'StartSel=«, StopSel=», MaxFragments=2, MaxWords=18, MinWords=8, FragmentDelimiter=" … "'))))::text AS json,
    r.created_at::text AS key, r.id
FROM search_transcripts(:query, :of_user, :contact_id, :after::timestamptz, :after_id::uuid, :limit) AS f
JOIN recordings r ON r.tenant_id = :tenant_id AND r.id = f.recording_id
CROSS JOIN LATERAL (SELECT x.text FROM transcripts x WHERE x.tenant_id = :tenant_id AND x.recording_id = f.recording_id OFFSET 0) AS t
ORDER BY r.created_at DESC, r.id DESC

-- name: recordings_of_call
-- A call's recordings, oldest first.
SELECT coalesce(json_agg({{recording_json}} ORDER BY r.created_at, r.id), '[]'::json)::text
FROM recordings r WHERE r.tenant_id = :tenant_id AND r.call_id = :call_id

-- name: call_rules
-- The company's settings and both ends of a call.
SELECT k.id, k.user_id, k.recording_state, coalesce(v.transcribe_calls, false) AS transcribe_calls, coalesce(v.recording, 'off') AS recording,
       coalesce(v.announce_recording, 'by_jurisdiction') AS announce_recording,
       coalesce(v.announcement, 'This call may be recorded.') AS announcement,
       CASE k.direction WHEN 'inbound' THEN k.from_number ELSE k.to_number END AS contact_number,
       CASE k.direction WHEN 'inbound' THEN k.to_number ELSE k.from_number END AS own_number
FROM calls k LEFT JOIN voice_settings v ON v.tenant_id = k.tenant_id
WHERE k.tenant_id = :tenant_id AND k.id = :call_id

-- name: lock_call_of
-- The call of a recording, held until the transaction ends. Whoever locks both locks the call first.
SELECT k.id FROM calls k
WHERE k.tenant_id = :tenant_id AND k.id = (SELECT r.call_id FROM recordings r WHERE r.tenant_id = :tenant_id AND r.id = :id)
FOR UPDATE

-- name: lock_recording
-- A recording with its call, held until the transaction ends, so that one step is taken at a time.
SELECT r.id, r.call_id, r.kind, r.state, r.wanted, r.provider_sid, r.rule, r.announcement, r.announced_at, r.asked_at,
       r.started_at, r.duration_s, r.object_key, r.bytes, r.provider_gone_at, r.object_gone_at, r.deleted_at, r.checked_at, r.spoken_sid, r.spoken_error,
       k.provider_sid AS call_sid, k.conference_sid, k.state AS call_state, k.answered_at, k.ended_at, now() AS now
FROM recordings r JOIN calls k ON k.tenant_id = r.tenant_id AND k.id = r.call_id
WHERE r.tenant_id = :tenant_id AND r.id = :id
FOR UPDATE OF r

-- name: recording_under_way
-- The recording of a call that is not over.
SELECT r.id FROM recordings r
WHERE r.tenant_id = :tenant_id AND r.call_id = :call_id AND r.state IN ('starting', 'recording', 'paused')

-- name: want
UPDATE recordings SET wanted = :wanted WHERE tenant_id = :tenant_id AND id = :id

-- name: note_announced
UPDATE recordings SET announced_at = coalesce(announced_at, now()), announcement = :announcement
WHERE tenant_id = :tenant_id AND id = :id

-- name: ask_recording
-- The intent: from here on the provider may record.
UPDATE recordings SET asked_at = now(), checked_at = now() WHERE tenant_id = :tenant_id AND id = :id

-- name: unask_recording
UPDATE recordings SET asked_at = NULL WHERE tenant_id = :tenant_id AND id = :id AND provider_sid IS NULL

-- name: adopt_recording
-- The provider's id of a recording that was asked for.
UPDATE recordings SET provider_sid = :sid, state = CASE state WHEN 'starting' THEN 'recording' ELSE state END,
    started_at = coalesce(started_at, now()), error = NULL, checked_at = now()
WHERE tenant_id = :tenant_id AND id = :id AND provider_sid IS NULL

-- name: move_recording
UPDATE recordings SET state = :state, error = :error, checked_at = now() WHERE tenant_id = :tenant_id AND id = :id

-- name: end_recording
-- The provider has the whole of it.
UPDATE recordings SET state = 'fetching', error = NULL, duration_s = coalesce(:duration_s, duration_s),
    channels = coalesce(:channels, channels), checked_at = now()
WHERE tenant_id = :tenant_id AND id = :id

-- name: store_recording
-- It is in our own store now, for as long as the company keeps such things.
UPDATE recordings r SET state = 'stored', error = NULL, object_key = :key, bytes = :bytes, stored_at = now(), checked_at = now(),
    duration_s = coalesce(r.duration_s, :duration_s), channels = coalesce(r.channels, :channels),
    keep_until = r.created_at + make_interval(days => coalesce(
        (SELECT v.recording_keep_days FROM voice_settings v WHERE v.tenant_id = r.tenant_id), 90))
WHERE r.tenant_id = :tenant_id AND r.id = :id

-- name: delete_recording
UPDATE recordings SET state = 'deleted', deleted_at = now(), deleted_by = :user_id, delete_reason = :reason, keep_until = NULL
WHERE tenant_id = :tenant_id AND id = :id

-- name: set_spoken
-- The transcription under way, or none.
UPDATE recordings SET spoken_sid = :sid, spoken_error = :error WHERE tenant_id = :tenant_id AND id = :id

-- name: add_piece
INSERT INTO spoken_pieces (tenant_id, recording_id, sid, sequence, speaker, text)
VALUES (:tenant_id, :id, :sid, :sequence, :speaker, :text)
ON CONFLICT DO NOTHING

-- name: spoken_text
-- Everything that was said, a line for each piece.
SELECT string_agg(CASE p.speaker WHEN 'leg' THEN 'Contact: ' WHEN 'others' THEN 'Us: ' ELSE '' END || p.text, E'\n'
                  ORDER BY b.began_at, p.sid, p.sequence)
FROM spoken_pieces p
JOIN (SELECT q.sid, min(q.heard_at) AS began_at FROM spoken_pieces q
      WHERE q.tenant_id = :tenant_id AND q.recording_id = :id GROUP BY q.sid) AS b ON b.sid = p.sid
WHERE p.tenant_id = :tenant_id AND p.recording_id = :id

-- name: forget_pieces
DELETE FROM spoken_pieces WHERE tenant_id = :tenant_id AND recording_id = :id

-- name: forget_transcript
DELETE FROM transcripts WHERE tenant_id = :tenant_id AND recording_id = :id

-- name: note_gone
-- What is certainly not there any more.
UPDATE recordings SET provider_gone_at = CASE WHEN :provider THEN coalesce(provider_gone_at, now()) ELSE provider_gone_at END,
    object_gone_at = CASE WHEN :object THEN coalesce(object_gone_at, now()) ELSE object_gone_at END
WHERE tenant_id = :tenant_id AND id = :id

-- name: keep_transcript
-- What was said; said again it replaces what was kept.
INSERT INTO transcripts (tenant_id, recording_id, user_id, contact_id, at, text, words)
SELECT r.tenant_id, r.id, r.user_id, r.contact_id, r.created_at, :text, to_tsvector('simple', search_fold(:text))
FROM recordings r WHERE r.tenant_id = :tenant_id AND r.id = :id AND r.state <> 'deleted'
ON CONFLICT (tenant_id, recording_id) DO UPDATE SET text = excluded.text, words = excluded.words
RETURNING recording_id

-- name: set_call_recording
-- What the call shows of its recording.
UPDATE calls SET recording_state = :state WHERE tenant_id = :tenant_id AND id = :call_id AND recording_state <> :state

-- name: note_listened
-- Once for each sitting: a player asks for its file in many parts.
INSERT INTO call_audit (tenant_id, call_id, actor_id, action, detail)
SELECT :tenant_id, :call_id, :listener, 'recording.listened', jsonb_build_object('recording_id', :id::uuid)
WHERE NOT EXISTS (
    SELECT FROM call_audit a WHERE a.tenant_id = :tenant_id AND a.call_id = :call_id AND a.actor_id = :listener
      AND a.action = 'recording.listened' AND a.at > now() - interval '10 minutes'
      AND a.detail ->> 'recording_id' = :id::uuid::text)

-- name: role_of
-- What somebody may do now; no row for who is no member any more.
SELECT m.role FROM members m WHERE m.tenant_id = :tenant_id AND m.user_id = :person_id AND m.status = 'active'

-- name: expired
-- Recordings of any tenant whose time is over.
SELECT tenant_id, id FROM recordings_expired(:limit)

-- name: unheard
-- Recordings of any tenant that nothing was heard of although their call is over.
SELECT tenant_id, id FROM recordings_unheard(:silent_s, :limit)

-- name: touch_recording
UPDATE recordings SET checked_at = now()
WHERE tenant_id = :tenant_id AND id = :id AND checked_at <= now() - make_interval(secs => :silent_s)
  AND state IN ('starting', 'recording', 'paused', 'fetching')
RETURNING id
