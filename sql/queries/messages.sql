-- Text messages.

-- fragment: message_json
-- A message as clients get it; needs `messages g`.
json_build_object(
    'id', g.id, 'contact_id', g.contact_id, 'number_id', g.number_id, 'direction', g.direction, 'to', g.to_number,
    'from', g.from_number, 'body', g.body, 'media', g.media, 'state', g.state, 'error', g.error, 'send_at', g.send_at,
    'held_for', g.held_for, 'automatic', g.automatic, 'created_at', g.created_at,
    'user', (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = g.user_id),
    'contact_name', coalesce((SELECT coalesce(nullif(trim(n.first_name || ' ' || n.last_name), ''), nullif(n.company, ''))
        FROM contacts n WHERE n.tenant_id = g.tenant_id AND n.id = g.contact_id),
        CASE g.direction WHEN 'inbound' THEN g.from_number ELSE g.to_number END))

-- fragment: thread_json
-- The messages with one contact as clients get them in a list; needs `message_threads h`.
json_build_object(
    'contact', (SELECT json_build_object('id', n.id, 'name', coalesce(nullif(trim(n.first_name || ' ' || n.last_name), ''),
            nullif(n.company, ''), (SELECT p.e164 FROM contact_phones p
                WHERE p.tenant_id = n.tenant_id AND p.contact_id = n.id ORDER BY p.position LIMIT 1), ''))
        FROM contacts n WHERE n.tenant_id = h.tenant_id AND n.id = h.contact_id),
    'last', (SELECT {{message_json}} FROM messages g WHERE g.tenant_id = h.tenant_id AND g.id = h.last_id),
    'unread', h.unread, 'last_at', h.last_at)

-- name: list_messages
-- A page of the messages with a contact, newest first.
SELECT ({{message_json}})::text AS json, g.created_at::text AS key, g.id
FROM messages g
WHERE g.tenant_id = :tenant_id AND g.contact_id = :contact_id
--? after AND (g.created_at, g.id) < (:after::timestamptz, :after_id::uuid)
ORDER BY g.created_at DESC, g.id DESC
LIMIT :limit

-- name: list_threads
-- A page of conversations, the one with the newest message first.
SELECT ({{thread_json}})::text AS json, h.last_at::text AS key, h.contact_id AS id
FROM message_threads h
WHERE h.tenant_id = :tenant_id
--? unread AND h.unread > 0
--? after  AND (h.last_at, h.contact_id) < (:after::timestamptz, :after_id::uuid)
ORDER BY h.last_at DESC, h.contact_id DESC
LIMIT :limit

-- name: get_message
SELECT ({{message_json}})::text FROM messages g WHERE g.tenant_id = :tenant_id AND g.id = :id

-- name: get_thread
SELECT ({{thread_json}})::text FROM message_threads h WHERE h.tenant_id = :tenant_id AND h.contact_id = :contact_id

-- name: lock_message
-- The message, held until the transaction ends, so that states move one at a time.
SELECT g.id, g.contact_id, g.number_id, g.direction, g.to_number, g.from_number, g.body, g.state, g.automatic, g.provider_sid,
    g.user_id, g.permit_id, g.send_at, g.asked_at, g.created_at, now() AS now
FROM messages g WHERE g.tenant_id = :tenant_id AND g.id = :id
FOR UPDATE

-- name: insert_message
INSERT INTO messages (tenant_id, contact_id, number_id, direction, to_number, from_number, body, state, automatic, user_id,
    permit_id, send_at, held_for)
VALUES (:tenant_id, :contact_id, :number_id, 'outbound', :to_number, :from_number, :body, :state, :automatic, :sender_id,
    :permit_id, :send_at, :held_for)
RETURNING id

-- name: insert_received
-- Once for each of the provider's ids.
INSERT INTO messages (tenant_id, contact_id, number_id, direction, to_number, from_number, body, media, state, provider_sid)
VALUES (:tenant_id, :contact_id, :number_id, 'inbound', :to_number, :from_number, :body, :media::jsonb, 'received', :sid)
ON CONFLICT ON CONSTRAINT messages_sid_taken DO NOTHING
RETURNING id

-- name: is_received
-- Whether this message is here already.
SELECT id FROM messages WHERE tenant_id = :tenant_id AND provider_sid = :sid

-- name: touch_thread
-- The conversation has a new message.
INSERT INTO message_threads AS h (tenant_id, contact_id, last_id, last_at, unread)
SELECT g.tenant_id, g.contact_id, g.id, g.created_at, :unread FROM messages g WHERE g.tenant_id = :tenant_id AND g.id = :id
ON CONFLICT (tenant_id, contact_id) DO UPDATE
    SET last_id = excluded.last_id, last_at = excluded.last_at, unread = h.unread + excluded.unread

-- name: read_thread
UPDATE message_threads SET unread = 0, read_at = now()
WHERE tenant_id = :tenant_id AND contact_id = :contact_id AND unread > 0

-- name: last_sender
-- The number of ours that the last message with this contact went through, so that the conversation stays in one place.
SELECT n.id, n.e164
FROM (SELECT g.number_id FROM messages g WHERE g.tenant_id = :tenant_id AND g.contact_id = :contact_id AND NOT g.automatic
      ORDER BY g.created_at DESC, g.id DESC LIMIT 1) AS last
JOIN numbers n ON n.tenant_id = :tenant_id AND n.id = last.number_id
WHERE n.state = 'active' AND n.sms

-- name: last_writer
-- Who wrote to this contact last.
SELECT g.user_id FROM messages g
WHERE g.tenant_id = :tenant_id AND g.contact_id = :contact_id AND g.user_id IS NOT NULL
ORDER BY g.created_at DESC, g.id DESC LIMIT 1

-- name: whom_to_tell
-- Whose number was written to, and whose contact it is.
SELECT c.owner_id, n.user_id, n.team_id FROM contacts c
LEFT JOIN numbers n ON n.tenant_id = c.tenant_id AND n.id = :number_id
WHERE c.tenant_id = :tenant_id AND c.id = :contact_id

-- name: team_to_tell
SELECT tm.user_id FROM team_members tm JOIN members m ON m.tenant_id = tm.tenant_id AND m.user_id = tm.user_id
WHERE tm.tenant_id = :tenant_id AND tm.team_id = :of_team AND m.status = 'active'
ORDER BY tm.position, tm.user_id LIMIT 50

-- name: ask_message
-- The intent: from here on the provider may have been asked.
UPDATE messages SET asked_at = now(), changed_at = now() WHERE tenant_id = :tenant_id AND id = :id

-- name: unask_message
-- The provider was certainly not asked, or certainly does not have it.
UPDATE messages SET asked_at = NULL, changed_at = now() WHERE tenant_id = :tenant_id AND id = :id AND provider_sid IS NULL

-- name: adopt_sid
UPDATE messages SET provider_sid = :sid WHERE tenant_id = :tenant_id AND id = :id AND provider_sid IS NULL

-- name: known_sids
SELECT provider_sid FROM messages WHERE tenant_id = :tenant_id AND provider_sid = ANY (:sids::text[])

-- name: move_message
-- The one statement that moves a message; hub.messages.states decides whether it may.
UPDATE messages SET state = :state, error = coalesce(:error, error), error_code = coalesce(:error_code, error_code),
    changed_at = now()
WHERE tenant_id = :tenant_id AND id = :id

-- name: hold_message
-- It waits (longer) for a time at which it may be sent.
UPDATE messages SET state = 'scheduled', send_at = :send_at, held_for = :held_for, changed_at = now()
WHERE tenant_id = :tenant_id AND id = :id

-- name: permit_message
UPDATE messages SET permit_id = :permit_id WHERE tenant_id = :tenant_id AND id = :id

-- name: touch_message
-- Takes a silent message for a check; no row when it is settled, or was heard of or taken meanwhile.
UPDATE messages SET changed_at = now()
WHERE tenant_id = :tenant_id AND id = :id AND changed_at <= now() - make_interval(secs => :silent_s)
  AND state IN ('queued', 'sending')
RETURNING id

-- name: unheard
-- Silent messages of any tenant.
SELECT tenant_id, id FROM messages_unheard(:silent_s, :limit)

-- name: waiting_to
-- Messages to a number that are still to be sent.
SELECT g.id FROM messages g
WHERE g.tenant_id = :tenant_id AND g.to_number = :e164 AND g.state IN ('scheduled', 'queued') AND g.asked_at IS NULL
  AND NOT g.automatic
ORDER BY g.id

-- name: stop
-- No row when they had said so before.
INSERT INTO message_stops (tenant_id, e164) VALUES (:tenant_id, :e164) ON CONFLICT DO NOTHING RETURNING e164

-- name: start
DELETE FROM message_stops WHERE tenant_id = :tenant_id AND e164 = :e164 RETURNING e164

-- name: company_name
SELECT name FROM tenants WHERE tenant_id = :tenant_id

-- name: digits_of
SELECT e164 FROM numbers WHERE tenant_id = :tenant_id AND id = :number_id
