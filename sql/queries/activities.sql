-- The timeline.

-- fragment: activity_actor_json
-- Who did it; needs `activities a`.
(SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = a.actor_id)

-- fragment: activity_json
-- An activity as clients get it; needs `activities a`.
json_build_object(
    'id', a.id, 'contact_id', a.contact_id, 'kind', a.kind, 'at', a.at,
    'actor', {{activity_actor_json}},
    'body', a.body,
    'call', (SELECT {{call_json}} FROM calls k WHERE k.tenant_id = a.tenant_id AND k.id = a.call_id),
    'message', (SELECT {{message_json}} FROM messages g WHERE g.tenant_id = a.tenant_id AND g.id = a.message_id),
    'mail', (SELECT json_build_object('id', m.id, 'thread_id', m.thread_id, 'direction', m.direction, 'kind', m.kind,
            'subject', m.subject, 'snippet', m.snippet)
        FROM mail_messages m WHERE m.tenant_id = a.tenant_id AND m.id = a.mail_message_id),
    'meeting', (SELECT {{meeting_json}} FROM meetings m WHERE m.tenant_id = a.tenant_id AND m.id = a.meeting_id))

-- name: list_activities
-- A page of the tenant's or one contact's timeline, newest first. Of a contact that is gone there is none.
SELECT ({{activity_json}})::text AS json, a.at::text AS key, a.id
FROM activities a
WHERE a.tenant_id = :tenant_id
    AND (a.meeting_id IS NULL OR EXISTS (
        SELECT FROM meetings m WHERE m.tenant_id = a.tenant_id AND m.id = a.meeting_id AND {{meeting_is_seen}}))
    AND (a.mail_message_id IS NULL OR EXISTS (
        SELECT FROM mail_messages m JOIN mail_threads t ON t.tenant_id = m.tenant_id AND t.id = m.thread_id
        JOIN mailboxes b ON b.tenant_id = t.tenant_id AND b.id = t.mailbox_id
        WHERE m.tenant_id = a.tenant_id AND m.id = a.mail_message_id AND {{mail_thread_is_open}}))
--? contact_id AND a.contact_id = :contact_id AND EXISTS (
--? contact_id     SELECT FROM contacts c WHERE c.tenant_id = :tenant_id AND c.id = :contact_id AND c.deleted_at IS NULL)
--? after      AND (a.at, a.id) < (:after::timestamptz, :after_id::uuid)
ORDER BY a.at DESC, a.id DESC
LIMIT :limit

-- name: insert_activity
-- On the timeline of a contact that is known to be there.
INSERT INTO activities AS a (tenant_id, contact_id, kind, actor_id, call_id, message_id, meeting_id, mail_message_id, body, at)
SELECT :tenant_id::uuid, :contact_id::uuid, :kind::text, coalesce(:actor_id::uuid, :user_id::uuid), :call_id::uuid, :message_id::uuid,
       :meeting_id::uuid, :mail_message_id::uuid, :body::text, coalesce(:at::timestamptz, now())
RETURNING a.id, ({{activity_json}})::text AS json

-- name: insert_note
-- By whoever acts, on a contact that may not be there: then there is no row. A note has no call, message, mail or meeting; a plan
-- that would look for them costs Postgres more than all the rest.
INSERT INTO activities AS a (tenant_id, contact_id, kind, actor_id, body)
SELECT c.tenant_id, c.id, 'note', :user_id::uuid, :body::text
FROM contacts c WHERE c.tenant_id = :tenant_id AND c.id = :contact_id AND c.deleted_at IS NULL
RETURNING a.id, json_build_object(
    'id', a.id, 'contact_id', a.contact_id, 'kind', a.kind, 'at', a.at, 'actor', {{activity_actor_json}}, 'body', a.body,
    'call', NULL, 'message', NULL, 'mail', NULL, 'meeting', NULL)::text AS json
