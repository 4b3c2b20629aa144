-- What one person leaves to another. Each batch takes what is still the first one's, so that it may be repeated.

-- fragment: handover_json
-- A handover as clients get it; needs `handovers h`.
json_build_object(
    'id', h.id,
    'from', (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = h.from_id),
    'to', (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = h.to_id),
    'kinds', h.kinds, 'state', h.state, 'counts', h.counts, 'done', h.done,
    'created_at', h.created_at, 'finished_at', h.finished_at)

-- name: list_handovers
-- A page of handovers, the newest first.
SELECT ({{handover_json}})::text AS json, h.created_at::text AS key, h.id
FROM handovers h
WHERE h.tenant_id = :tenant_id
--? after AND (h.created_at, h.id) < (:after::timestamptz, :after_id::uuid)
ORDER BY h.created_at DESC, h.id DESC
LIMIT :limit

-- name: get_handover
SELECT ({{handover_json}})::text FROM handovers h WHERE h.tenant_id = :tenant_id AND h.id = :id

-- name: lock_handover
-- The handover, held while a batch is taken over.
SELECT h.id, h.from_id, h.to_id, h.kinds, h.state, h.counts::text AS counts, h.done::text AS done FROM handovers h
WHERE h.tenant_id = :tenant_id AND h.id = :id
FOR UPDATE

-- name: insert_handover
INSERT INTO handovers (tenant_id, from_id, to_id, asked_by, kinds)
VALUES (:tenant_id, :from_id, :to_id, :user_id, :kinds)
RETURNING id

-- name: note_counts
UPDATE handovers SET counts = :counts::jsonb WHERE tenant_id = :tenant_id AND id = :id

-- name: note_done
UPDATE handovers SET done = :done::jsonb WHERE tenant_id = :tenant_id AND id = :id

-- name: finish_handover
-- No row when it is done already.
UPDATE handovers SET state = 'done', finished_at = now() WHERE tenant_id = :tenant_id AND id = :id AND state = 'running' RETURNING id

-- name: count_belongings
-- What a person has, up to so many of each kind.
SELECT
    (SELECT count(*) FROM (SELECT FROM contacts c
        WHERE c.tenant_id = :tenant_id AND c.owner_id = :from_id AND c.deleted_at IS NULL LIMIT :most) AS x) AS contacts,
    (SELECT count(*) FROM (SELECT FROM tasks t
        WHERE t.tenant_id = :tenant_id AND t.assignee_id = :from_id AND t.done_at IS NULL LIMIT :most) AS x) AS tasks,
    (SELECT count(*) FROM (SELECT FROM sequences s
        WHERE s.tenant_id = :tenant_id AND s.owner_id = :from_id AND s.deleted_at IS NULL LIMIT :most) AS x) AS sequences,
    (SELECT count(*) FROM (SELECT FROM enrolments e
        WHERE e.tenant_id = :tenant_id AND e.user_id = :from_id AND e.state IN ('active', 'paused') LIMIT :most) AS x) AS enrolments,
    (SELECT count(*) FROM (SELECT FROM mail_threads h
        WHERE h.tenant_id = :tenant_id AND h.assignee_id = :from_id AND h.state <> 'done' LIMIT :most) AS x) AS conversations,
    (SELECT count(*) FROM (SELECT FROM dial_items d
        WHERE d.tenant_id = :tenant_id AND d.callback_for = :from_id AND d.state = 'callback' LIMIT :most) AS x) AS callbacks,
    (SELECT count(*) FROM (SELECT FROM templates p
        WHERE p.tenant_id = :tenant_id AND p.owner_id = :from_id AND p.archived_at IS NULL LIMIT :most) AS x) AS templates,
    (SELECT count(*) FROM numbers n WHERE n.tenant_id = :tenant_id AND n.state <> 'released' AND n.state <> 'failed'
        AND (n.user_id = :from_id OR EXISTS (SELECT FROM number_routes r
            WHERE r.tenant_id = n.tenant_id AND r.number_id = n.id AND r.user_id = :from_id))) AS numbers,
    (SELECT count(*) FROM mailboxes b
        WHERE b.tenant_id = :tenant_id AND b.user_id = :from_id AND b.state <> 'disconnected') AS mailboxes

-- name: give_contacts
-- A batch of contacts, the oldest first.
WITH batch AS (
    SELECT c.id FROM contacts c
    WHERE c.tenant_id = :tenant_id AND c.owner_id = :from_id AND c.deleted_at IS NULL
    ORDER BY c.created_at, c.id LIMIT :limit FOR UPDATE
)
UPDATE contacts c SET owner_id = :to_id, updated_at = now(), version = c.version + 1
FROM batch b WHERE c.tenant_id = :tenant_id AND c.id = b.id

-- name: give_tasks
-- A batch of open tasks; whoever was told that one is due was told, the other is told of the handover.
WITH batch AS (
    SELECT t.id FROM tasks t
    WHERE t.tenant_id = :tenant_id AND t.assignee_id = :from_id AND t.done_at IS NULL
    ORDER BY t.due_at, t.id LIMIT :limit FOR UPDATE
)
UPDATE tasks t SET assignee_id = :to_id, version = t.version + 1
FROM batch b WHERE t.tenant_id = :tenant_id AND t.id = b.id

-- name: give_sequences
WITH batch AS (
    SELECT s.id FROM sequences s
    WHERE s.tenant_id = :tenant_id AND s.owner_id = :from_id AND s.deleted_at IS NULL
    ORDER BY s.id LIMIT :limit FOR UPDATE
)
UPDATE sequences s SET owner_id = :to_id, updated_at = now(), version = s.version + 1
FROM batch b WHERE s.tenant_id = :tenant_id AND s.id = b.id

-- name: give_enrolments
-- Those who are in a sequence go on in the other's name, and from the mailbox they were enrolled with.
WITH batch AS (
    SELECT e.id FROM enrolments e
    WHERE e.tenant_id = :tenant_id AND e.user_id = :from_id AND e.state IN ('active', 'paused')
    ORDER BY e.id LIMIT :limit FOR UPDATE
)
UPDATE enrolments e SET user_id = :to_id, changed_at = now(), version = e.version + 1
FROM batch b WHERE e.tenant_id = :tenant_id AND e.id = b.id

-- name: give_conversations
-- Mail that was assigned and is not done.
WITH batch AS (
    SELECT h.id FROM mail_threads h
    WHERE h.tenant_id = :tenant_id AND h.assignee_id = :from_id AND h.state <> 'done'
    ORDER BY h.id LIMIT :limit FOR UPDATE
)
UPDATE mail_threads h SET assignee_id = :to_id, version = h.version + 1
FROM batch b WHERE h.tenant_id = :tenant_id AND h.id = b.id

-- name: give_callbacks
-- Calls back that were promised out of a queue.
WITH batch AS (
    SELECT d.id FROM dial_items d
    WHERE d.tenant_id = :tenant_id AND d.callback_for = :from_id AND d.state = 'callback'
    ORDER BY d.id LIMIT :limit FOR UPDATE
)
UPDATE dial_items d SET callback_for = :to_id, changed_at = now()
FROM batch b WHERE d.tenant_id = :tenant_id AND d.id = b.id

-- name: join_queues
-- Whoever takes over may work the queues that were the other's to work.
INSERT INTO dial_queue_members (tenant_id, queue_id, user_id)
SELECT :tenant_id, q.queue_id, :to_id FROM dial_queue_members q
WHERE q.tenant_id = :tenant_id AND q.user_id = :from_id AND NOT EXISTS (SELECT FROM dial_queue_members o
    WHERE o.tenant_id = q.tenant_id AND o.queue_id = q.queue_id AND o.user_id = :to_id)
ORDER BY q.queue_id LIMIT :limit
ON CONFLICT DO NOTHING

-- name: give_templates
-- Those whose name and shortcut are free where they come to; the others stay.
WITH batch AS (
    SELECT p.id FROM templates p
    WHERE p.tenant_id = :tenant_id AND p.owner_id = :from_id AND p.archived_at IS NULL
      AND (p.shared OR NOT EXISTS (SELECT FROM templates o
          WHERE o.tenant_id = p.tenant_id AND o.owner_id = :to_id AND o.archived_at IS NULL AND NOT o.shared
            AND ((o.kind = p.kind AND o.folder_lc = p.folder_lc AND o.name_lc = p.name_lc) OR o.shortcut_lc = p.shortcut_lc)))
    ORDER BY p.id LIMIT :limit FOR UPDATE
)
UPDATE templates p SET owner_id = :to_id, updated_at = now(), version = p.version + 1
FROM batch b WHERE p.tenant_id = :tenant_id AND p.id = b.id

-- name: give_numbers
UPDATE numbers SET user_id = :to_id, version = version + 1
WHERE tenant_id = :tenant_id AND user_id = :from_id AND state <> 'released' AND state <> 'failed'

-- name: give_routes
-- Numbers that ring a person ring the other; with nobody to ring, whom the number is assigned to.
UPDATE number_routes SET user_id = :to_id, kind = CASE WHEN :to_id::uuid IS NULL AND kind = 'rep' THEN 'assigned' ELSE kind END
WHERE tenant_id = :tenant_id AND user_id = :from_id

-- name: mailboxes_of
-- A person's mailboxes, as far as they are connected.
SELECT b.id FROM mailboxes b
WHERE b.tenant_id = :tenant_id AND b.user_id = :from_id AND b.state <> 'disconnected'
ORDER BY b.id LIMIT :limit

-- name: standing_of
-- Is somebody an active member? No row for who is none at all.
SELECT m.status, m.role, m.role_id, u.name FROM members m JOIN users u ON u.id = m.user_id
WHERE m.tenant_id = :tenant_id AND m.user_id = :member_id
