-- Mail: threads and messages, and who may see them.

-- fragment: mail_box_is_open
-- Whether who asks may see a mailbox's mail; needs `mailboxes b`.
(b.user_id = :user_id::uuid OR b.visibility = 'everyone' OR (b.visibility = 'team' AND EXISTS (
    SELECT FROM team_members tm WHERE tm.tenant_id = b.tenant_id AND tm.team_id = b.team_id AND tm.user_id = :user_id::uuid)))

-- fragment: mail_thread_is_open
-- Whether who asks may see a thread; needs `mailboxes b` and `mail_threads t`. What is private is its mailbox's owner's alone.
({{mail_box_is_open}} AND (NOT t.private OR b.user_id = :user_id::uuid))

-- fragment: mail_contact_json
-- The contact with the id `n.id`.
json_build_object('id', n.id, 'name', coalesce(nullif(trim(n.first_name || ' ' || n.last_name), ''), nullif(n.company, ''),
    (SELECT e.address FROM contact_emails e WHERE e.tenant_id = n.tenant_id AND e.contact_id = n.id ORDER BY e.position LIMIT 1), ''))

-- fragment: mail_thread_json
-- A thread as clients get it in a list; needs `mail_threads t`.
json_build_object(
    'id', t.id, 'mailbox', (SELECT json_build_object('id', x.id, 'address', x.address) FROM mailboxes x
        WHERE x.tenant_id = t.tenant_id AND x.id = t.mailbox_id),
    'subject', t.subject, 'snippet', t.snippet, 'last_at', t.last_at, 'last_direction', t.last_direction, 'messages', t.messages,
    'unread', t.unread, 'state', t.state, 'private', t.private,
    'assignee', (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = t.assignee_id),
    'snoozed_until', t.snoozed_until,
    'contact', (SELECT {{mail_contact_json}} FROM contacts n WHERE n.tenant_id = t.tenant_id AND n.id = t.contact_id),
    'participants', t.participants,
    'claimed_by', (SELECT json_build_object('id', u.id, 'name', u.name, 'until', w.until) FROM (
            SELECT l.user_id, l.lease_until AS until FROM leases l
            WHERE l.tenant_id = t.tenant_id AND l.contact_id = t.contact_id AND l.purpose = 'email' AND l.lease_until > clock_timestamp()
            UNION ALL SELECT t.writer_id, t.writing_until WHERE t.writing_until > clock_timestamp()) AS w
        JOIN users u ON u.id = w.user_id LIMIT 1))

-- fragment: mail_attachments_json
-- The files of a message; needs `mail_messages m`.
coalesce((SELECT json_agg(json_build_object('index', f.index, 'filename', f.filename, 'content_type', f.content_type,
        'size', f.size, 'content_id', f.content_id) ORDER BY f.index)
    FROM mail_attachments f WHERE f.tenant_id = m.tenant_id AND f.message_id = m.id), '[]'::json)

-- fragment: mail_message_json
-- A message as clients get it in its thread; needs `mail_messages m`.
json_build_object(
    'id', m.id, 'thread_id', m.thread_id, 'direction', m.direction,
    'from', json_build_object('name', m.from_name, 'address', m.from_address),
    'to', coalesce(m.recipients -> 'to', '[]'), 'cc', coalesce(m.recipients -> 'cc', '[]'), 'subject', m.subject,
    'sent_at', m.sent_at, 'received_at', m.received_at, 'snippet', m.snippet, 'new_text', m.new_text, 'html', m.new_html,
    'quoted_html', m.quoted_html, 'kind', m.kind, 'attachments', {{mail_attachments_json}}, 'read', m.is_read,
    'private', m.private, 'has_remote_images', m.has_remote_images, 'has_original', m.object_key IS NOT NULL,
    'send', (SELECT json_build_object('id', s.id, 'source', s.source, 'state', s.state,
            'user', (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = s.user_id))
        FROM mail_sends s WHERE s.tenant_id = m.tenant_id AND s.id = m.send_id),
    'opens', coalesce((SELECT k.open_count FROM tracked_sends k WHERE k.tenant_id = m.tenant_id AND k.send_id = m.send_id), 0),
    'clicks', coalesce((SELECT k.click_count FROM tracked_sends k WHERE k.tenant_id = m.tenant_id AND k.send_id = m.send_id), 0))

-- name: list_threads
-- A page of the threads that who asks may see, the one with the newest message first; each mailbox gives its first few.
SELECT ({{mail_thread_json}})::text AS json, t.last_at::text AS key, t.id
FROM (
    SELECT x.id FROM mailboxes b CROSS JOIN LATERAL (
        SELECT t.id, t.last_at FROM mail_threads t
        WHERE t.tenant_id = :tenant_id AND t.mailbox_id = b.id AND t.messages > 0 AND (NOT t.private OR b.user_id = :user_id::uuid)
--? inbox      AND t.state = 'open' AND t.last_inbound_at IS NOT NULL
--? mine       AND t.state = 'open' AND t.assignee_id = :user_id::uuid
--? unassigned AND t.state = 'open' AND t.last_inbound_at IS NOT NULL AND t.assignee_id IS NULL
--? snoozed    AND t.state = 'snoozed'
--? done       AND t.state = 'done'
--? sent       AND t.last_outbound_at IS NOT NULL
--? unread     AND t.unread > 0
--? after      AND (t.last_at, t.id) < (:after::timestamptz, :after_id::uuid)
        ORDER BY t.last_at DESC, t.id DESC LIMIT :limit) AS x
    WHERE b.tenant_id = :tenant_id AND {{mail_box_is_open}}
--? mailbox_id AND b.id = :mailbox_id
    ORDER BY x.last_at DESC, x.id DESC LIMIT :limit) AS first
JOIN mail_threads t ON t.tenant_id = :tenant_id AND t.id = first.id
ORDER BY t.last_at DESC, t.id DESC

-- name: list_threads_of_contact
-- A page of the threads with a contact that who asks may see, the one with the newest message first.
SELECT ({{mail_thread_json}})::text AS json, t.last_at::text AS key, t.id
FROM (
    SELECT t.id FROM mail_threads t JOIN mailboxes b ON b.tenant_id = t.tenant_id AND b.id = t.mailbox_id
    WHERE t.tenant_id = :tenant_id AND t.messages > 0 AND {{mail_thread_is_open}}
      AND t.id IN (SELECT c.thread_id FROM mail_message_contacts c WHERE c.tenant_id = :tenant_id AND c.contact_id = :contact_id)
--? inbox      AND t.state = 'open' AND t.last_inbound_at IS NOT NULL
--? mine       AND t.state = 'open' AND t.assignee_id = :user_id::uuid
--? unassigned AND t.state = 'open' AND t.last_inbound_at IS NOT NULL AND t.assignee_id IS NULL
--? snoozed    AND t.state = 'snoozed'
--? done       AND t.state = 'done'
--? sent       AND t.last_outbound_at IS NOT NULL
--? unread     AND t.unread > 0
--? mailbox_id AND t.mailbox_id = :mailbox_id
--? after      AND (t.last_at, t.id) < (:after::timestamptz, :after_id::uuid)
    ORDER BY t.last_at DESC, t.id DESC LIMIT :limit) AS first
JOIN mail_threads t ON t.tenant_id = :tenant_id AND t.id = first.id
ORDER BY t.last_at DESC, t.id DESC

-- name: search_threads
-- A page of the threads in which these words stand, the one with the newest such message first, read again under who may see them.
SELECT ({{mail_thread_json}})::text AS json, first.at::text AS key, t.id
FROM (
    SELECT f.thread_id, f.at
    FROM search_mail(:q,
        ARRAY(SELECT b.id FROM mailboxes b WHERE b.tenant_id = :tenant_id AND {{mail_box_is_open}}
              AND b.id = coalesce(:mailbox_id::uuid, b.id)),
        ARRAY(SELECT b.id FROM mailboxes b WHERE b.tenant_id = :tenant_id AND b.user_id = :user_id::uuid),
        :contact_id::uuid, :unread::boolean, :after::timestamptz, :after_id::uuid, :limit) AS f) AS first
-- One by one: the planner would rather go through all of the company's threads.
CROSS JOIN LATERAL (SELECT x.* FROM mail_threads x WHERE x.tenant_id = :tenant_id AND x.id = first.thread_id OFFSET 0) AS t
WHERE t.messages > 0 AND (NOT t.private OR EXISTS (
    SELECT FROM mailboxes b WHERE b.tenant_id = :tenant_id AND b.id = t.mailbox_id AND b.user_id = :user_id::uuid))
ORDER BY first.at DESC, t.id DESC

-- name: get_thread
-- One thread, for whoever may see it.
SELECT ({{mail_thread_json}})::text AS json, t.id, t.mailbox_id, t.contact_id, t.assignee_id, t.state, t.version
FROM mail_threads t JOIN mailboxes b ON b.tenant_id = t.tenant_id AND b.id = t.mailbox_id
WHERE t.tenant_id = :tenant_id AND t.id = :id AND {{mail_thread_is_open}}

-- name: read_thread_json
-- One thread as it is, whoever asks.
SELECT ({{mail_thread_json}})::text FROM mail_threads t WHERE t.tenant_id = :tenant_id AND t.id = :id

-- name: thread_items
-- The messages of a thread, oldest first; of a very long one the newest.
SELECT coalesce(json_agg({{mail_message_json}} ORDER BY m.sent_at, m.id), '[]'::json)::text
FROM (SELECT m.* FROM mail_messages m WHERE m.tenant_id = :tenant_id AND m.thread_id = :thread_id AND NOT m.trashed
      ORDER BY m.sent_at DESC, m.id DESC LIMIT 200) AS m

-- name: get_message
-- One message, for whoever may see it.
SELECT ({{mail_message_json}})::text AS json, m.id, m.thread_id, m.mailbox_id, m.object_key, m.size, m.message_id, m.subject
FROM mail_messages m
JOIN mail_threads t ON t.tenant_id = m.tenant_id AND t.id = m.thread_id
JOIN mailboxes b ON b.tenant_id = t.tenant_id AND b.id = t.mailbox_id
WHERE m.tenant_id = :tenant_id AND m.id = :id AND {{mail_thread_is_open}}

-- name: get_attachment
SELECT f.filename, f.content_type, f.size FROM mail_attachments f
WHERE f.tenant_id = :tenant_id AND f.message_id = :message_id AND f.index = :index

-- name: audience
-- Who hears of a thread: its mailbox's owner, and its team's members or everybody where they may see it.
SELECT b.user_id, b.visibility, t.private,
    CASE WHEN b.visibility = 'team' AND NOT t.private THEN ARRAY(
        SELECT tm.user_id FROM team_members tm JOIN members e ON e.tenant_id = tm.tenant_id AND e.user_id = tm.user_id
        WHERE tm.tenant_id = b.tenant_id AND tm.team_id = b.team_id AND e.status = 'active' ORDER BY tm.user_id LIMIT 200) END AS people
FROM mail_threads t JOIN mailboxes b ON b.tenant_id = t.tenant_id AND b.id = t.mailbox_id
WHERE t.tenant_id = :tenant_id AND t.id = :id

-- name: whose_thread
-- Whose mailbox a thread is in, and whether it is private.
SELECT b.id AS mailbox_id, b.user_id, t.private
FROM mail_threads t JOIN mailboxes b ON b.tenant_id = t.tenant_id AND b.id = t.mailbox_id
WHERE t.tenant_id = :tenant_id AND t.id = :id

-- name: whose_message
-- Whose mailbox a message is in, and whether its conversation is private.
SELECT b.id AS mailbox_id, b.user_id, t.private
FROM mail_messages m JOIN mail_threads t ON t.tenant_id = m.tenant_id AND t.id = m.thread_id
JOIN mailboxes b ON b.tenant_id = t.tenant_id AND b.id = t.mailbox_id
WHERE m.tenant_id = :tenant_id AND m.id = :id

-- name: lock_mailbox_mail
-- One message of a mailbox at a time is put into its thread.
SELECT pg_advisory_xact_lock(hashtextextended('mail:' || :mailbox_id::uuid::text, 0))

-- name: mailbox_for_mail
-- The mailbox, whether one of these messages is here, and which mail of ours it is. `ids` are Message-IDs in lower case.
SELECT b.id, b.user_id, b.team_id, b.address, b.address_lc, b.visibility,
    coalesce((SELECT c.message_id FROM mail_copies c
              WHERE c.tenant_id = b.tenant_id AND c.mailbox_id = b.id AND c.provider_id = :provider_id),
             (SELECT m.id FROM mail_messages m WHERE m.tenant_id = b.tenant_id AND m.mailbox_id = b.id AND m.message_id_lc = ANY (:ids::text[])
              LIMIT 1)) AS known_id,
    (SELECT s.id FROM mail_sends s
     WHERE s.tenant_id = b.tenant_id AND s.message_id_lc = ANY (:ids::text[]) AND s.mailbox_id = b.id AND s.state NOT IN ('draft', 'scheduled')
     LIMIT 1) AS send_id
FROM mailboxes b WHERE b.tenant_id = :tenant_id AND b.id = :mailbox_id

-- name: find_parents
-- Of the messages that one answers or tells of: those we have, and the mails of ours that they are. `contact_id` is whom such a
-- one was written to.
SELECT m.message_id_lc AS message_id, m.id, m.thread_id, m.mailbox_id, m.send_id,
    coalesce((SELECT s.contact_id FROM mail_sends s WHERE s.tenant_id = m.tenant_id AND s.id = m.send_id),
        (SELECT (array_agg(c.contact_id))[1] FROM mail_message_contacts c
         WHERE c.tenant_id = m.tenant_id AND c.message_id = m.id AND m.direction = 'outbound' HAVING count(*) = 1)) AS contact_id
FROM mail_messages m WHERE m.tenant_id = :tenant_id AND m.message_id_lc = ANY (:ids::text[])
UNION ALL
SELECT s.message_id_lc, NULL, s.thread_id, s.mailbox_id, s.id, s.contact_id
FROM mail_sends s WHERE s.tenant_id = :tenant_id AND s.message_id_lc = ANY (:ids::text[]) AND s.asked_at IS NOT NULL

-- name: thread_of_provider
SELECT m.thread_id FROM mail_messages m
WHERE m.tenant_id = :tenant_id AND m.mailbox_id = :mailbox_id AND m.provider_thread_id = :provider_thread_id
ORDER BY m.id DESC LIMIT 1

-- name: threads_of_subject
-- Where an answer without references may belong.
SELECT t.id, t.participants::text AS participants FROM mail_threads t
WHERE t.tenant_id = :tenant_id AND t.mailbox_id = :mailbox_id AND t.subject_key = :subject_key AND t.subject_key <> ''
  AND t.last_at BETWEEN :around::timestamptz - interval '30 days' AND :around::timestamptz + interval '30 days'
ORDER BY t.last_at DESC LIMIT 10

-- name: contacts_of_addresses
SELECT e.contact_id, e.address_lc FROM contact_emails e
JOIN contacts c ON c.tenant_id = e.tenant_id AND c.id = e.contact_id
WHERE e.tenant_id = :tenant_id AND e.address_lc = ANY (:addresses::text[]) AND c.deleted_at IS NULL
ORDER BY c.id
LIMIT 200

-- name: contacts_of_message
SELECT c.contact_id, c.role FROM mail_message_contacts c WHERE c.tenant_id = :tenant_id AND c.message_id = :message_id ORDER BY c.contact_id

-- name: insert_thread
INSERT INTO mail_threads (tenant_id, mailbox_id, subject, subject_key, last_at, state)
VALUES (:tenant_id, :mailbox_id, :subject, :subject_key, :at, :state)
RETURNING id

-- name: insert_message
-- A message with its files, contacts, words, and the place where the provider keeps it.
WITH new AS (
    INSERT INTO mail_messages (tenant_id, mailbox_id, thread_id, provider_id, provider_thread_id, message_id, in_reply_to, refs,
        direction, from_name, from_address, recipients, subject, sent_at, received_at, body_text, new_text, new_html, quoted_html,
        snippet, kind, labels, is_read, private, trashed, object_key, size, has_remote_images, send_id)
    VALUES (:tenant_id, :mailbox_id, :thread_id, nullif(:provider_id, ''), :provider_thread_id, :message_id, :in_reply_to, :refs,
        :direction, :from_name, :from_address, :recipients::jsonb, :subject, :sent_at, :received_at, :body_text, :new_text,
        nullif(:new_html, ''), nullif(:quoted_html, ''), :snippet, :kind, :labels, :is_read, :private, :trashed, :object_key, :size,
        :has_remote_images, :send_id)
    RETURNING id
), copies AS (
    INSERT INTO mail_copies (tenant_id, mailbox_id, provider_id, message_id, received_at)
    SELECT :tenant_id, :mailbox_id, :provider_id, new.id, :received_at FROM new WHERE :provider_id <> ''
), files AS (
    INSERT INTO mail_attachments (tenant_id, message_id, index, filename, content_type, size, content_id)
    SELECT :tenant_id, new.id, f.index, f.filename, f.content_type, f.size, nullif(f.content_id, '')
    FROM new, jsonb_to_recordset(:files::jsonb) AS f (index int, filename text, content_type text, size bigint, content_id text)
), people AS (
    INSERT INTO mail_message_contacts (tenant_id, message_id, contact_id, thread_id, role)
    SELECT :tenant_id, new.id, p.id, :thread_id, p.role FROM new, jsonb_to_recordset(:contacts::jsonb) AS p (id uuid, role text)
), said AS (
    INSERT INTO mail_words (tenant_id, message_id, thread_id, mailbox_id, at, words)
    SELECT :tenant_id, new.id, :thread_id, :mailbox_id, :received_at, to_tsvector('simple', search_fold(:words)) FROM new
)
SELECT id FROM new

-- name: add_copy
-- The same message lies in one more place.
INSERT INTO mail_copies (tenant_id, mailbox_id, provider_id, message_id, received_at)
VALUES (:tenant_id, :mailbox_id, :provider_id, :message_id, :received_at)
ON CONFLICT (tenant_id, mailbox_id, provider_id) DO NOTHING

-- name: renew_message
-- What the provider says of a message that we have; a send of ours that it turns out to be.
UPDATE mail_messages SET provider_id = coalesce(nullif(:provider_id, ''), provider_id),
    provider_thread_id = coalesce(nullif(:provider_thread_id, ''), provider_thread_id), object_key = coalesce(object_key, :object_key),
    labels = :labels, is_read = :is_read, trashed = :trashed, send_id = coalesce(send_id, :send_id)
WHERE tenant_id = :tenant_id AND id = :id

-- name: known_message
SELECT m.id, m.thread_id, m.direction, m.kind, m.send_id, m.labels, m.received_at FROM mail_messages m
WHERE m.tenant_id = :tenant_id AND m.id = :id

-- name: message_of_copy
SELECT m.id, m.thread_id, m.labels, m.direction FROM mail_copies c
JOIN mail_messages m ON m.tenant_id = c.tenant_id AND m.id = c.message_id
WHERE c.tenant_id = :tenant_id AND c.mailbox_id = :mailbox_id AND c.provider_id = :provider_id

-- name: label_message
UPDATE mail_messages SET labels = :labels, is_read = :is_read, trashed = :trashed WHERE tenant_id = :tenant_id AND id = :id

-- name: privatize_message
UPDATE mail_messages SET private = :private WHERE tenant_id = :tenant_id AND id = :id

-- name: drop_copy
-- The provider has this copy no more; the message is out of sight when it was the last.
WITH gone AS (
    DELETE FROM mail_copies c WHERE c.tenant_id = :tenant_id AND c.mailbox_id = :mailbox_id AND c.provider_id = :provider_id
    RETURNING c.message_id
)
UPDATE mail_messages m SET trashed = true FROM gone
WHERE m.tenant_id = :tenant_id AND m.id = gone.message_id AND NOT EXISTS (
    SELECT FROM mail_copies c WHERE c.tenant_id = :tenant_id AND c.message_id = gone.message_id AND c.provider_id <> :provider_id)
RETURNING m.thread_id

-- name: settle_thread
-- What a thread says of itself, counted from its messages. `participants` null leaves them, `opens` brings it back into the inbox.
UPDATE mail_threads t SET
    snippet = coalesce(l.snippet, ''), last_at = coalesce(l.sent_at, t.last_at), last_direction = coalesce(l.direction, t.last_direction),
    messages = c.messages, unread = c.unread, last_inbound_at = c.last_inbound_at, last_outbound_at = c.last_outbound_at,
    private = c.private, participants = coalesce(:participants::jsonb, t.participants),
    contact_id = coalesce(t.contact_id, :contact_id::uuid),
    state = CASE WHEN :opens::boolean THEN 'open' ELSE t.state END,
    snoozed_until = CASE WHEN :opens::boolean THEN NULL ELSE t.snoozed_until END, version = t.version + 1
FROM (SELECT count(*) FILTER (WHERE NOT m.trashed) AS messages,
        count(*) FILTER (WHERE NOT m.trashed AND NOT m.is_read AND m.direction = 'inbound') AS unread,
        max(m.sent_at) FILTER (WHERE NOT m.trashed AND m.direction = 'inbound') AS last_inbound_at,
        max(m.sent_at) FILTER (WHERE NOT m.trashed AND m.direction = 'outbound') AS last_outbound_at,
        coalesce(bool_or(m.private), false) AS private
      FROM mail_messages m WHERE m.tenant_id = :tenant_id AND m.thread_id = :id) AS c
LEFT JOIN LATERAL (SELECT m.snippet, m.sent_at, m.direction FROM mail_messages m
      WHERE m.tenant_id = :tenant_id AND m.thread_id = :id AND NOT m.trashed ORDER BY m.sent_at DESC, m.id DESC LIMIT 1) AS l ON true
WHERE t.tenant_id = :tenant_id AND t.id = :id

-- name: thread_participants
SELECT participants::text FROM mail_threads WHERE tenant_id = :tenant_id AND id = :id

-- name: mark_messages
-- Sets what is read of a thread's messages that came; those that changed.
UPDATE mail_messages m SET is_read = :is_read,
    labels = CASE WHEN :is_read THEN array_remove(m.labels, 'unread') ELSE array_append(array_remove(m.labels, 'unread'), 'unread') END
WHERE m.tenant_id = :tenant_id AND m.thread_id = :thread_id AND m.direction = 'inbound' AND m.is_read <> :is_read
--? only_id AND m.id = :only_id
RETURNING m.id, m.provider_id, m.provider_thread_id, m.mailbox_id

-- name: newest_inbound
SELECT m.id FROM mail_messages m
WHERE m.tenant_id = :tenant_id AND m.thread_id = :thread_id AND m.direction = 'inbound' AND NOT m.trashed
ORDER BY m.sent_at DESC, m.id DESC LIMIT 1

-- name: set_thread_state
UPDATE mail_threads SET state = :state, snoozed_until = :until, version = version + 1
WHERE tenant_id = :tenant_id AND id = :id AND (state, snoozed_until) IS DISTINCT FROM (:state::text, :until::timestamptz)

-- name: wake_thread
UPDATE mail_threads SET state = 'open', snoozed_until = NULL, version = version + 1
WHERE tenant_id = :tenant_id AND id = :id AND state = 'snoozed' AND snoozed_until <= :now RETURNING id

-- name: assign_thread
UPDATE mail_threads SET assignee_id = :assignee_id, version = version + 1
WHERE tenant_id = :tenant_id AND id = :id AND assignee_id IS DISTINCT FROM :assignee_id

-- name: may_be_assigned
-- Whether a member, who is active, may see a thread.
SELECT EXISTS (
    SELECT FROM mail_threads t JOIN mailboxes b ON b.tenant_id = t.tenant_id AND b.id = t.mailbox_id
    JOIN members e ON e.tenant_id = t.tenant_id AND e.user_id = :person_id AND e.status = 'active'
    WHERE t.tenant_id = :tenant_id AND t.id = :id
      AND (b.user_id = :person_id OR (NOT t.private AND (b.visibility = 'everyone' OR (b.visibility = 'team' AND EXISTS (
        SELECT FROM team_members tm WHERE tm.tenant_id = b.tenant_id AND tm.team_id = b.team_id AND tm.user_id = :person_id))))))

-- name: hold_pen
-- Somebody writes in a thread that has no contact; no row while somebody else does.
UPDATE mail_threads SET writer_id = :user_id, writing_until = clock_timestamp() + make_interval(secs => :lease_s)
WHERE tenant_id = :tenant_id AND id = :id
  AND (writer_id IS NULL OR writer_id = :user_id OR writing_until <= clock_timestamp())
RETURNING id

-- name: drop_pen
UPDATE mail_threads SET writer_id = NULL, writing_until = NULL WHERE tenant_id = :tenant_id AND id = :id AND writer_id = :user_id RETURNING id

-- name: who_writes
SELECT u.id, u.name FROM mail_threads t JOIN users u ON u.id = t.writer_id WHERE t.tenant_id = :tenant_id AND t.id = :id

-- name: threads_waking
-- Of any tenant.
SELECT tenant_id, id FROM mail_threads_waking(:now, :limit)

-- name: messages_to_judge
-- Some of a mailbox's messages, for its privacy rules.
SELECT m.id, m.thread_id, m.from_address, m.recipients::text AS recipients, m.subject, m.labels, m.private FROM mail_messages m
WHERE m.tenant_id = :tenant_id AND m.mailbox_id = :mailbox_id
--? after AND m.id > :after
ORDER BY m.id LIMIT :limit

-- name: threads_to_erase
SELECT t.id FROM mail_threads t WHERE t.tenant_id = :tenant_id AND t.mailbox_id = :mailbox_id LIMIT :limit

-- name: files_of_threads
SELECT m.object_key FROM mail_messages m WHERE m.tenant_id = :tenant_id AND m.thread_id = ANY (:ids::uuid[]) AND m.object_key IS NOT NULL

-- name: erase_threads
DELETE FROM mail_threads WHERE tenant_id = :tenant_id AND id = ANY (:ids::uuid[])

-- name: blank_sends
-- That something was sent stays known, not what.
UPDATE mail_sends SET subject = '', html = '', body_text = '', attachments = '[]', invitation = NULL
WHERE tenant_id = :tenant_id AND mailbox_id = :mailbox_id
