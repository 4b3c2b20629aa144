-- Messages to leave on answering machines.

-- fragment: drop_json
-- A message as clients get it; needs `voicemail_drops d`.
json_build_object(
    'id', d.id, 'name', d.name, 'shared', d.user_id IS NULL,
    'user', (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = d.user_id),
    'content_type', d.content_type, 'duration_ms', d.duration_ms, 'bytes', d.bytes, 'created_at', d.created_at)

-- name: insert_drop
-- A new message. The unique index refuses a second one of the same name.
INSERT INTO voicemail_drops (tenant_id, id, user_id, name, object_key, content_type, bytes, duration_ms, created_by)
VALUES (:tenant_id, :id, :owner_id, :name, :object_key, :content_type, :bytes, :duration_ms, :user_id)

-- name: get_drop
-- A message that is one's own or everybody's.
SELECT ({{drop_json}})::text AS json, d.user_id, d.name, d.object_key, d.content_type, d.bytes
FROM voicemail_drops d
WHERE d.tenant_id = :tenant_id AND d.id = :id AND d.deleted_at IS NULL AND (d.user_id IS NULL OR d.user_id = :user_id)

-- name: list_drops
-- One's own messages and everybody's, newest first.
SELECT ({{drop_json}})::text AS json, d.created_at::text AS key, d.id
FROM voicemail_drops d
WHERE d.tenant_id = :tenant_id AND d.deleted_at IS NULL AND (d.user_id IS NULL OR d.user_id = :user_id)
--? after AND (d.created_at, d.id) < (:after::timestamptz, :after_id::uuid)
ORDER BY d.created_at DESC, d.id DESC
LIMIT :limit

-- name: file_of_drop
-- Where a message's sound is, for a signed address: the provider may still be playing what was deleted meanwhile.
SELECT d.object_key, d.content_type, d.bytes FROM voicemail_drops d WHERE d.tenant_id = :tenant_id AND d.id = :id

-- name: delete_drop
UPDATE voicemail_drops SET deleted_at = now(), deleted_by = :user_id
WHERE tenant_id = :tenant_id AND id = :id AND deleted_at IS NULL

-- name: insert_call_drop
-- A call ends with one message; no row when it does already.
INSERT INTO call_drops (tenant_id, call_id, drop_id, user_id) VALUES (:tenant_id, :call_id, :drop_id, :user_id)
ON CONFLICT DO NOTHING
RETURNING call_id

-- name: release_rep
-- The call goes on without its rep, who is free for the next one; nobody was abandoned, for a machine answered.
UPDATE calls SET holds_rep = false, is_parallel = false,
    answered_by = CASE WHEN answered_by LIKE 'machine%' THEN answered_by ELSE 'machine_end_other' END
WHERE tenant_id = :tenant_id AND id = :call_id

-- name: get_call_drop
-- What a call is to end with, and the provider's ids of its legs.
SELECT c.drop_id, c.played_at, d.content_type, k.state, k.provider_sid,
       array(SELECT l.provider_sid FROM call_legs l
             WHERE l.tenant_id = k.tenant_id AND l.call_id = k.id AND l.line_id IS NULL AND l.provider_sid IS NOT NULL
             ORDER BY l.created_at, l.id) AS leg_sids
FROM call_drops c
JOIN voicemail_drops d ON d.tenant_id = c.tenant_id AND d.id = c.drop_id
JOIN calls k ON k.tenant_id = c.tenant_id AND k.id = c.call_id
WHERE c.tenant_id = :tenant_id AND c.call_id = :call_id

-- name: note_played
UPDATE call_drops SET played_at = now() WHERE tenant_id = :tenant_id AND call_id = :call_id AND played_at IS NULL

-- name: note_unplayed
UPDATE call_drops SET error = :error WHERE tenant_id = :tenant_id AND call_id = :call_id

-- name: has_disposition
SELECT EXISTS (SELECT FROM dispositions d WHERE d.tenant_id = :tenant_id AND d.value = :value AND d.archived_at IS NULL)
