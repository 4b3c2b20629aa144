-- Tasks: what somebody is still to do.

-- fragment: task_json
-- A task as clients get it; needs `tasks t`.
json_build_object(
    'id', t.id, 'kind', t.kind, 'title', t.title,
    'contact', (SELECT json_build_object('id', n.id, 'name', coalesce(nullif(trim(n.first_name || ' ' || n.last_name), ''),
            nullif(n.company, ''), (SELECT p.e164 FROM contact_phones p
                WHERE p.tenant_id = n.tenant_id AND p.contact_id = n.id ORDER BY p.position LIMIT 1), ''))
        FROM contacts n WHERE n.tenant_id = t.tenant_id AND n.id = t.contact_id),
    'assignee', (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = t.assignee_id),
    'call_id', t.call_id, 'due_at', t.due_at, 'done_at', t.done_at,
    'done_by', (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = t.done_by),
    'created_by', (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = t.created_by),
    'created_at', t.created_at)

-- name: list_tasks
-- A page of tasks by when they are due, or of those done, the last first.
SELECT ({{task_json}})::text AS json, t.id,
--? sort_due_at  t.due_at::text AS key
--? sort_done_at t.done_at::text AS key
FROM tasks t
WHERE t.tenant_id = :tenant_id
--? open         AND t.done_at IS NULL
--? sort_done_at AND t.done_at IS NOT NULL
--? assignee_id  AND t.assignee_id = :assignee_id
--? contact_id   AND t.contact_id = :contact_id
--? due_before   AND t.due_at < :due_before
--? after_due_at  AND (t.due_at, t.id) > (:after_due_at::timestamptz, :after_id::uuid)
--? after_done_at AND (t.done_at, t.id) < (:after_done_at::timestamptz, :after_id::uuid)
--? sort_due_at  ORDER BY t.due_at, t.id
--? sort_done_at ORDER BY t.done_at DESC, t.id DESC
LIMIT :limit

-- name: get_task
SELECT ({{task_json}})::text AS json, t.version FROM tasks t WHERE t.tenant_id = :tenant_id AND t.id = :id

-- name: lock_task
-- The task, held until the transaction ends.
SELECT t.id, t.title, t.contact_id, t.assignee_id, t.created_by, t.due_at, t.done_at, t.version
FROM tasks t WHERE t.tenant_id = :tenant_id AND t.id = :id
FOR UPDATE

-- name: insert_task
-- A new task. Who makes one that is due already is about to tell the assignee. A call's open task of a kind is the same task.
INSERT INTO tasks AS t (tenant_id, kind, title, contact_id, assignee_id, due_at, call_id, created_by, told_at)
VALUES (:tenant_id, :kind, :title, :contact_id, :assignee_id, :due_at, :call_id, :user_id,
        CASE WHEN :due_at::timestamptz <= now() THEN now() END)
ON CONFLICT (tenant_id, call_id, kind) WHERE call_id IS NOT NULL AND done_at IS NULL DO UPDATE
    SET title = excluded.title, assignee_id = excluded.assignee_id, due_at = excluded.due_at, told_at = excluded.told_at,
        version = t.version + 1
RETURNING t.id, (t.xmax = 0) AS is_new

-- name: update_task
-- The given fields. A task that is put off, or handed to somebody else, is told of again when it is due.
UPDATE tasks SET version = version + 1
--? set_title       , title = :title
--? set_assignee_id , assignee_id = :assignee_id
--? set_due_at      , due_at = :due_at
--? set_due_at      , told_at = CASE WHEN :due_at::timestamptz <= now() THEN now() END
WHERE tenant_id = :tenant_id AND id = :id

-- name: finish_task
UPDATE tasks SET done_at = now(), done_by = :user_id, version = version + 1 WHERE tenant_id = :tenant_id AND id = :id

-- name: reopen_task
UPDATE tasks SET done_at = NULL, done_by = NULL, version = version + 1 WHERE tenant_id = :tenant_id AND id = :id

-- name: delete_task
DELETE FROM tasks WHERE tenant_id = :tenant_id AND id = :id

-- name: open_task_of_call
-- The open task of a kind that a call asked for.
SELECT t.id FROM tasks t WHERE t.tenant_id = :tenant_id AND t.call_id = :call_id AND t.kind = :kind AND t.done_at IS NULL

-- name: tasks_untold
-- Tasks of any company that have become due and whose assignee was not told.
SELECT tenant_id, id FROM tasks_untold(:limit)

-- name: tell_task
-- Takes a due task to tell its assignee; no row when it is done, put off or told of meanwhile.
UPDATE tasks SET told_at = now()
WHERE tenant_id = :tenant_id AND id = :id AND told_at IS NULL AND done_at IS NULL AND due_at <= now()
RETURNING assignee_id, title, kind, contact_id

-- name: is_active_member
SELECT EXISTS (SELECT FROM members WHERE tenant_id = :tenant_id AND user_id = :person_id AND status = 'active')
