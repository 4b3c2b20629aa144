-- Members of a company.

-- fragment: member_json
-- A member as clients get it; needs `members m` and `users u`.
json_build_object('id', m.user_id, 'name', u.name, 'email', u.email, 'role', m.role, 'role_id', m.role_id,
    'role_name', (SELECT r.name FROM roles r WHERE r.tenant_id = m.tenant_id AND r.id = m.role_id), 'status', m.status)

-- name: list_members
-- A page of members by name.
SELECT ({{member_json}})::text AS json, lower(u.name) AS key, m.user_id AS id
FROM members m JOIN users u ON u.id = m.user_id
WHERE m.tenant_id = :tenant_id
--? after_key AND (lower(u.name), m.user_id) > (:after_key, :after_id::uuid)
ORDER BY lower(u.name), m.user_id
LIMIT :limit

-- name: get_member
SELECT ({{member_json}})::text AS json, m.role, m.status
FROM members m JOIN users u ON u.id = m.user_id
WHERE m.tenant_id = :tenant_id AND m.user_id = :id

-- name: lock_member
-- Holds every owner of the company and the member while one is changed, so that the last owner can't vanish in a race.
SELECT m.user_id, m.role, m.role_id, m.status, m.left_at FROM members m
WHERE m.tenant_id = :tenant_id AND (m.user_id = :id OR m.role = 'owner')
ORDER BY m.user_id
FOR UPDATE

-- name: update_member
UPDATE members SET role = :role, role_id = :role_id, status = :status WHERE tenant_id = :tenant_id AND user_id = :id

-- name: note_access_change
SELECT access_note_member(:id, :kind)
