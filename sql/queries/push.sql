-- Browsers that take pushes.

-- fragment: device_json
-- A device as its person sees it; needs `push_subscriptions s`.
json_build_object('id', s.id, 'device', s.device, 'created_at', s.created_at, 'last_sent_at', s.last_sent_at,
    'last_error', s.last_error, 'is_this_sign_in', s.session_id = :session_id::uuid)

-- name: list_devices
-- Somebody's devices, the oldest first.
SELECT ({{device_json}})::text AS json, s.id FROM push_subscriptions s
WHERE s.tenant_id = :tenant_id AND s.user_id = :user_id ORDER BY s.created_at, s.id

-- name: devices_of
-- The devices that a person's pushes go to.
SELECT s.id FROM push_subscriptions s WHERE s.tenant_id = :tenant_id AND s.user_id = :person_id ORDER BY s.created_at, s.id

-- name: put_device
-- A browser takes pushes for somebody. One that is known, whoever's it was, is theirs from here on.
INSERT INTO push_subscriptions AS s (tenant_id, id, user_id, session_id, endpoint_hash, sealed, device)
VALUES (:tenant_id, :id, :user_id, :session_id, :endpoint_hash, :sealed, :device)
ON CONFLICT ON CONSTRAINT push_subscriptions_endpoint_taken DO UPDATE
SET id = excluded.id, user_id = excluded.user_id, session_id = excluded.session_id, sealed = excluded.sealed,
    device = excluded.device, last_error = NULL
RETURNING ({{device_json}})::text AS json

-- name: drop_oldest
-- Keeps somebody's newest devices only.
DELETE FROM push_subscriptions s WHERE s.tenant_id = :tenant_id AND s.id IN (
    SELECT o.id FROM push_subscriptions o WHERE o.tenant_id = :tenant_id AND o.user_id = :user_id
    ORDER BY o.created_at DESC, o.id DESC OFFSET :most)

-- name: drop_own
-- Somebody takes a device of theirs away.
DELETE FROM push_subscriptions s WHERE s.tenant_id = :tenant_id AND s.id = :id AND s.user_id = :user_id RETURNING s.id

-- name: drop_device
-- The browser takes no more pushes, or the sign-in it was set up with is over.
DELETE FROM push_subscriptions s WHERE s.tenant_id = :tenant_id AND s.id = :id RETURNING s.user_id

-- name: own_device
SELECT s.id FROM push_subscriptions s WHERE s.tenant_id = :tenant_id AND s.id = :id AND s.user_id = :user_id

-- name: open_device
-- Where a push goes, and whether its person is still here and signed in there.
SELECT s.user_id, s.sealed, m.status = 'active' AND session_lives(s.session_id) AS is_welcome
FROM push_subscriptions s JOIN members m ON m.tenant_id = :tenant_id AND m.user_id = s.user_id
WHERE s.tenant_id = :tenant_id AND s.id = :id

-- name: note_push
-- What became of the last push.
UPDATE push_subscriptions s SET last_sent_at = CASE WHEN :error::text IS NULL THEN now() ELSE s.last_sent_at END, last_error = :error
WHERE s.tenant_id = :tenant_id AND s.id = :id

-- name: drop_all_of
-- A person's devices, when they are erased.
DELETE FROM push_subscriptions s WHERE s.tenant_id = :tenant_id AND s.user_id = :person_id

-- name: reseal_device
-- The same address and keys under the present key.
UPDATE push_subscriptions s SET sealed = :after WHERE s.tenant_id = :tenant_id AND s.id = :id AND s.sealed = :before
