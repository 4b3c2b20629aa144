-- Signing up, inviting, accepting.

-- name: signup_begin
SELECT signup_begin(:hash, :email, :name, :company, :zone, :ttl_s)

-- name: signup_look
SELECT state, email, name, company, has_account, has_company FROM signup_look(:hash)

-- name: signup_finish
SELECT outcome, tenant_id FROM signup_finish(:hash, :person_id, :name, :password_hash)

-- name: signups_forget
SELECT signups_forget(:keep)

-- name: take_attempt
-- One of a number of attempts in a window: 0, or the seconds to wait.
SELECT auth_take_attempt(:keys::text[], :limits::int[], :window_s) AS wait_s

-- name: person
-- A person's address and name.
SELECT email, name FROM auth_user(:person_id)

-- name: invitation_look
SELECT tenant_id, id, state, email, name, role, company, inviter, account_id, account_id IS NOT NULL AS has_account, has_company
FROM invitation_look(:hash)

-- name: invitation_accept
SELECT invitation_accept(:hash, :person_id, :name, :password_hash)

-- name: note_access_change
SELECT access_note_member(:id, :kind)

-- name: member_by_address
-- How the company knows an address: active, deactivated, left, or not at all.
SELECT member_by_address(:email_lc)

-- fragment: invitation_json
-- An invitation as clients get it; needs `invitations i`.
json_build_object(
    'id', i.id, 'email', i.email, 'name', i.name, 'role', i.role, 'role_id', i.role_id,
    'role_name', (SELECT r.name FROM roles r WHERE r.tenant_id = i.tenant_id AND r.id = i.role_id),
    'teams', coalesce((SELECT json_agg(json_build_object('id', t.id, 'name', t.name) ORDER BY t.name_lc)
        FROM invitation_teams it JOIN teams t ON t.tenant_id = it.tenant_id AND t.id = it.team_id
        WHERE it.tenant_id = i.tenant_id AND it.invitation_id = i.id), '[]'::json),
    'state', CASE WHEN i.accepted_at IS NOT NULL THEN 'accepted' WHEN i.withdrawn_at IS NOT NULL THEN 'withdrawn'
        WHEN i.expires_at < now() THEN 'expired' ELSE 'open' END,
    'invited_by', (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = i.invited_by),
    'created_at', i.created_at, 'sent_at', i.sent_at, 'expires_at', i.expires_at,
    'accepted_at', i.accepted_at, 'withdrawn_at', i.withdrawn_at)

-- name: list_invitations
-- A page of invitations, the newest first.
SELECT ({{invitation_json}})::text AS json, i.created_at::text AS key, i.id
FROM invitations i
WHERE i.tenant_id = :tenant_id
--? open AND i.accepted_at IS NULL AND i.withdrawn_at IS NULL
--? after AND (i.created_at, i.id) < (:after::timestamptz, :after_id::uuid)
ORDER BY i.created_at DESC, i.id DESC
LIMIT :limit

-- name: count_open
-- Who may still accept.
SELECT count(*) FROM invitations i
WHERE i.tenant_id = :tenant_id AND i.accepted_at IS NULL AND i.withdrawn_at IS NULL AND i.expires_at > now()

-- name: get_invitation
SELECT ({{invitation_json}})::text FROM invitations i WHERE i.tenant_id = :tenant_id AND i.id = :id

-- name: lock_invitation
-- The invitation, held until the transaction ends.
SELECT i.id, i.email, i.name, i.role, i.role_id, i.sent, i.sent_at, i.accepted_at, i.withdrawn_at, i.sent_at > now() - interval '1 minute' AS is_fresh,
    EXISTS (SELECT FROM roles r WHERE r.tenant_id = i.tenant_id AND r.id = i.role_id) AS role_is_there
FROM invitations i WHERE i.tenant_id = :tenant_id AND i.id = :id
FOR UPDATE

-- name: inviter_of
-- Who asked somebody in, as what they are now, and as what the other is to come.
SELECT m.status, m.role AS has_role, m.role_id AS has_role_id, i.role, i.role_id,
    i.role_id IS NULL OR EXISTS (SELECT FROM roles r WHERE r.tenant_id = i.tenant_id AND r.id = i.role_id) AS role_is_there
FROM invitations i JOIN members m ON m.tenant_id = i.tenant_id AND m.user_id = i.invited_by
WHERE i.tenant_id = :tenant_id AND i.id = :id

-- name: teams_of
-- The teams somebody is in.
SELECT team_id FROM team_members WHERE tenant_id = :tenant_id AND user_id = :member_id ORDER BY team_id

-- name: insert_invitation
INSERT INTO invitations (tenant_id, email, name, role, role_id, token_hash, invited_by, expires_at)
VALUES (:tenant_id, :email, :name, :role, :role_id, :hash, :user_id, now() + make_interval(secs => :ttl_s))
RETURNING id

-- name: add_invitation_teams
INSERT INTO invitation_teams (tenant_id, invitation_id, team_id)
SELECT :tenant_id, :id, x FROM unnest(:teams::uuid[]) AS x

-- name: renew_invitation
-- Another token takes the place of the one before, and the time begins anew.
UPDATE invitations SET token_hash = :hash, expires_at = now() + make_interval(secs => :ttl_s), sent = sent + 1, sent_at = now()
WHERE tenant_id = :tenant_id AND id = :id

-- name: withdraw_invitation
UPDATE invitations SET withdrawn_at = now() WHERE tenant_id = :tenant_id AND id = :id AND withdrawn_at IS NULL

-- name: withdraw_invitations_of
-- What somebody who is gone has sent out.
UPDATE invitations SET withdrawn_at = now()
WHERE tenant_id = :tenant_id AND invited_by = :member_id AND accepted_at IS NULL AND withdrawn_at IS NULL
RETURNING id

-- name: company_name
SELECT name FROM tenants WHERE tenant_id = :tenant_id
