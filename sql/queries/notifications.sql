-- Notifications: what one person should know.

-- fragment: notification_json
-- A notification as clients get it; needs `notifications f`.
json_build_object(
    'id', f.id, 'kind', f.kind, 'title', f.title, 'body', f.body, 'subject_kind', f.subject_kind, 'subject_id', f.subject_id,
    'created_at', f.created_at, 'read_at', f.read_at)

-- name: list_notifications
-- A page of somebody's notifications, newest first.
SELECT ({{notification_json}})::text AS json, f.created_at::text AS key, f.id
FROM notifications f
WHERE f.tenant_id = :tenant_id AND f.user_id = :user_id
--? unread AND f.read_at IS NULL
--? after  AND (f.created_at, f.id) < (:after::timestamptz, :after_id::uuid)
ORDER BY f.created_at DESC, f.id DESC
LIMIT :limit

-- name: count_unread
-- How many are unread; beyond a hundred nobody counts.
SELECT count(*) FROM (
    SELECT FROM notifications f WHERE f.tenant_id = :tenant_id AND f.user_id = :user_id AND f.read_at IS NULL LIMIT 100) AS x

-- name: insert_notification
INSERT INTO notifications AS f (tenant_id, user_id, kind, title, body, subject_kind, subject_id)
VALUES (:tenant_id, :person_id, :kind, :title, :body, :subject_kind, :subject_id)
RETURNING f.id, ({{notification_json}})::text AS json

-- name: read_notification
-- Notes that its person has read it; again is the same.
UPDATE notifications AS f SET read_at = coalesce(f.read_at, now())
WHERE f.tenant_id = :tenant_id AND f.id = :id AND f.user_id = :user_id
RETURNING ({{notification_json}})::text AS json

-- name: read_all
-- Notes that somebody has read everything.
UPDATE notifications SET read_at = now() WHERE tenant_id = :tenant_id AND user_id = :user_id AND read_at IS NULL

-- name: active_managers
SELECT user_id FROM members
WHERE tenant_id = :tenant_id AND status = 'active' AND role IN ('owner', 'admin', 'manager') ORDER BY user_id

-- name: notifications_forget
SELECT notifications_forget(interval '90 days')
