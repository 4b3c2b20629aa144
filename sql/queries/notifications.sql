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
WHERE f.tenant_id = :tenant_id AND f.user_id = :user_id AND f.in_console
--? unread AND f.read_at IS NULL
--? after  AND (f.created_at, f.id) < (:after::timestamptz, :after_id::uuid)
ORDER BY f.created_at DESC, f.id DESC
LIMIT :limit

-- name: count_unread
-- How many are unread; beyond a hundred nobody counts.
SELECT count(*) FROM (
    SELECT FROM notifications f WHERE f.tenant_id = :tenant_id AND f.user_id = :user_id AND f.read_at IS NULL AND f.in_console
    LIMIT 100) AS x

-- name: insert_notification
-- Something a person should know, and by when it is mailed and pushed. No row when it is about something that they don't see.
INSERT INTO notifications AS f
    (tenant_id, user_id, kind, title, body, subject_kind, subject_id, in_console, mail_due_at, push_due_at)
SELECT :tenant_id, :person_id, :kind, :title, :body, :subject_kind, :subject_id, :in_console, :mail_due_at, :push_due_at
WHERE member_sees_thing(:person_id, :subject_kind, :subject_id)
RETURNING f.id, ({{notification_json}})::text AS json

-- name: read_notification
-- Notes that its person has read it; again is the same.
UPDATE notifications AS f SET read_at = coalesce(f.read_at, now())
WHERE f.tenant_id = :tenant_id AND f.id = :id AND f.user_id = :user_id AND f.in_console
RETURNING ({{notification_json}})::text AS json

-- name: read_all
-- Notes that somebody has read everything.
UPDATE notifications SET read_at = now() WHERE tenant_id = :tenant_id AND user_id = :user_id AND read_at IS NULL AND in_console

-- name: active_managers
SELECT user_id FROM members
WHERE tenant_id = :tenant_id AND status = 'active' AND role IN ('owner', 'admin', 'manager') ORDER BY user_id

-- name: notifications_forget
SELECT notifications_forget(interval '90 days')

-- name: wishes_of
-- Where a person wants to be told of a topic and when not, as far as they said so; whether they are here and have devices.
SELECT m.status = 'active' AS is_active, c.console, c.email, c.push, h.quiet, h.quiet_from, h.quiet_until, h.quiet_weekends,
    coalesce(h.zone, t.zone) AS zone,
    EXISTS (SELECT FROM push_subscriptions s WHERE s.tenant_id = :tenant_id AND s.user_id = m.user_id) AS has_devices
FROM members m JOIN tenants t ON t.tenant_id = m.tenant_id
LEFT JOIN notification_choices c ON c.tenant_id = :tenant_id AND c.user_id = m.user_id AND c.topic = :topic
LEFT JOIN notification_hours h ON h.tenant_id = :tenant_id AND h.user_id = m.user_id
WHERE m.tenant_id = :tenant_id AND m.user_id = :person_id

-- name: choices_of
-- What somebody said of where they want to be told.
SELECT c.topic, c.console, c.email, c.push FROM notification_choices c WHERE c.tenant_id = :tenant_id AND c.user_id = :user_id

-- name: hours_of
-- A person's quiet hours, and whether they are here.
SELECT h.quiet, h.quiet_from, h.quiet_until, h.quiet_weekends, coalesce(h.zone, t.zone) AS zone, m.status = 'active' AS is_active
FROM members m JOIN tenants t ON t.tenant_id = m.tenant_id
LEFT JOIN notification_hours h ON h.tenant_id = :tenant_id AND h.user_id = m.user_id
WHERE m.tenant_id = :tenant_id AND m.user_id = :person_id

-- name: choose
-- Where somebody wants to be told of a topic.
INSERT INTO notification_choices (tenant_id, user_id, topic, console, email, push)
VALUES (:tenant_id, :user_id, :topic, :console, :email, :push)
ON CONFLICT (tenant_id, user_id, topic) DO UPDATE SET console = excluded.console, email = excluded.email, push = excluded.push

-- name: set_hours
-- When somebody wants neither mail nor pushes.
INSERT INTO notification_hours (tenant_id, user_id, quiet, quiet_from, quiet_until, quiet_weekends, zone)
VALUES (:tenant_id, :user_id, :quiet, :quiet_from, :quiet_until, :quiet_weekends, :zone)
ON CONFLICT (tenant_id, user_id) DO UPDATE SET quiet = excluded.quiet, quiet_from = excluded.quiet_from,
    quiet_until = excluded.quiet_until, quiet_weekends = excluded.quiet_weekends, zone = excluded.zone

-- name: take_to_mail
-- What of a person's is to be mailed by now, and was not read before; from here on it was.
WITH due AS (
    UPDATE notifications f SET mailed_at = now()
    WHERE f.tenant_id = :tenant_id AND f.user_id = :person_id AND f.mail_due_at <= now() AND f.mailed_at IS NULL
    RETURNING f.id, f.kind, f.title, f.body, f.created_at, f.read_at
)
SELECT id, kind, title, body FROM due WHERE read_at IS NULL ORDER BY created_at, id

-- name: take_to_push
-- The same for pushes.
WITH due AS (
    UPDATE notifications f SET pushed_at = now()
    WHERE f.tenant_id = :tenant_id AND f.user_id = :person_id AND f.push_due_at <= now() AND f.pushed_at IS NULL
    RETURNING f.id, f.created_at, f.read_at
)
SELECT id FROM due WHERE read_at IS NULL ORDER BY created_at, id

-- name: to_push
-- What is pushed of a notification; no row once it is read.
SELECT f.id, f.kind, f.title, f.subject_kind, f.subject_id FROM notifications f
WHERE f.tenant_id = :tenant_id AND f.id = :id AND f.read_at IS NULL

-- name: reader_of
-- Who a person is to the letter that goes to them.
SELECT u.email, u.name, t.name AS company FROM users u, tenants t WHERE u.id = :person_id AND t.tenant_id = :tenant_id

-- name: forget_choices
-- What a person said of where they want to be told, when they are erased.
DELETE FROM notification_choices c WHERE c.tenant_id = :tenant_id AND c.user_id = :person_id

-- name: forget_hours
DELETE FROM notification_hours h WHERE h.tenant_id = :tenant_id AND h.user_id = :person_id
