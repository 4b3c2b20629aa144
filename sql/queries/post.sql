-- Letters that Ringside itself sends.

-- fragment: letter_json
-- A letter as admins see it; needs `letters l`. Only what lies in the local outbox can be read.
json_build_object(
    'id', l.id, 'template', l.template, 'to', l.to_address, 'subject', l.subject, 'state', l.state, 'attempts', l.attempts,
    'last_error', l.last_error, 'created_at', l.created_at, 'settled_at', l.settled_at, 'is_readable', l.state = 'kept')

-- name: insert_letter
-- A letter of the company; no row when its key was used before.
INSERT INTO letters (tenant_id, id, template, to_address, subject, content, key)
VALUES (:tenant_id, :id, :template, :to_address, :subject, :content, :key)
ON CONFLICT ON CONSTRAINT letters_key_taken DO NOTHING
RETURNING id

-- name: post_letter
-- A letter outside a transaction of a company.
SELECT letters_post(:tenant, :id, :template, :to_address, :subject, :content, :key) AS id

-- name: take_letter
-- One of the letters that may go to an address within a window: 0, or the seconds to wait.
SELECT auth_take_attempt(:keys::text[], :limits::int[], :window_s) AS wait_s

-- name: claim_letters
-- Letters of anybody that are due.
SELECT tenant_id, id, template, to_address, subject, content, attempts, created_at FROM letters_claim(:limit, :lease_s)

-- name: settle_letter
-- What became of an attempt.
SELECT letters_settle(:tenant, :id, :attempt, :state, :error, :delay_s) AS settled

-- name: letters_of_nobody
-- The newest letters that belong to no company.
SELECT id, template, to_address, subject, content, state, last_error, created_at FROM letters_of_nobody(:limit)

-- name: letters_forget
SELECT letters_forget(interval '30 days')

-- name: list_letters
-- A page of the company's letters, newest first.
SELECT ({{letter_json}})::text AS json, l.created_at::text AS key, l.id
FROM letters l
WHERE l.tenant_id = :tenant_id
--? state  AND l.state = :state
--? after  AND (l.created_at, l.id) < (:after::timestamptz, :after_id::uuid)
ORDER BY l.created_at DESC, l.id DESC
LIMIT :limit

-- name: invited_as
-- What an address may still join as.
SELECT i.role, r.permissions FROM invitations i LEFT JOIN roles r ON r.tenant_id = i.tenant_id AND r.id = i.role_id
WHERE i.tenant_id = :tenant_id AND i.email_lc = :email_lc AND i.accepted_at IS NULL AND i.withdrawn_at IS NULL

-- name: get_letter
SELECT ({{letter_json}})::text AS json, l.template, l.to_address, CASE WHEN l.state = 'kept' THEN l.content END AS content
FROM letters l WHERE l.tenant_id = :tenant_id AND l.id = :id

-- name: retry_letter
-- All attempts again for one that was given up.
UPDATE letters AS l SET state = 'waiting', attempts = 0, due_at = now(), settled_at = NULL
WHERE l.tenant_id = :tenant_id AND l.id = :id AND l.state = 'failed'
RETURNING ({{letter_json}})::text AS json

-- name: erase_letters
-- Letters to somebody who is erased or about them, by words of theirs; and those that gathered what people were told.
DELETE FROM letters l
WHERE l.tenant_id = :tenant_id AND (
    EXISTS (SELECT FROM unnest(:words::text[]) AS w (word)
            WHERE lower(l.to_address) = lower(w.word) OR strpos(lower(l.subject), lower(w.word)) > 0)
    OR l.template = 'notifications' AND l.state <> 'waiting')

-- name: admins
-- Who sees to the company's letters.
SELECT m.user_id FROM members m
WHERE m.tenant_id = :tenant_id AND m.status = 'active' AND m.role IN ('owner', 'admin') ORDER BY m.user_id

-- name: test_values
-- Who asks for a test letter, and where.
SELECT t.name AS company, u.name, u.email FROM tenants t, users u WHERE t.tenant_id = :tenant_id AND u.id = :user_id

-- name: installation_secret
-- A secret of the installation; the given one is kept when there is none.
SELECT installation_secret(:name, :sealed) AS sealed

-- name: installation_secret_reseal
-- The same secret under the present key.
SELECT installation_secret_reseal(:name, :before, :after)
