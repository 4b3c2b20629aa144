-- Roles of a company's own.

-- fragment: role_json
-- A role as clients get it; needs `roles r`.
json_build_object('id', r.id, 'name', r.name, 'base', r.base, 'permissions', r.permissions,
    'members', (SELECT count(*) FROM members m WHERE m.tenant_id = r.tenant_id AND m.role_id = r.id),
    'created_at', r.created_at, 'updated_at', r.updated_at)

-- name: list_roles
-- All of them, by name.
SELECT coalesce(json_agg({{role_json}} ORDER BY r.name_lc, r.id), '[]'::json)::text
FROM roles r
WHERE r.tenant_id = :tenant_id

-- name: get_role
SELECT ({{role_json}})::text FROM roles r WHERE r.tenant_id = :tenant_id AND r.id = :id

-- name: lock_role
-- A role, held while it is changed or given to somebody.
SELECT r.id, r.name, r.base, r.permissions FROM roles r WHERE r.tenant_id = :tenant_id AND r.id = :id FOR UPDATE

-- name: count_roles
SELECT count(*) FROM roles r WHERE r.tenant_id = :tenant_id

-- name: insert_role
INSERT INTO roles (tenant_id, name, name_lc, base, permissions)
VALUES (:tenant_id, :name, lower(:name), :base, :permissions::text[])
RETURNING id

-- name: update_role
UPDATE roles SET name = :name, name_lc = lower(:name), base = :base, permissions = :permissions::text[], updated_at = now()
WHERE tenant_id = :tenant_id AND id = :id

-- name: delete_role
-- Members who have it keep it (members_own_role).
DELETE FROM roles WHERE tenant_id = :tenant_id AND id = :id

-- name: note_role_changed
SELECT access_note_role(:id)
