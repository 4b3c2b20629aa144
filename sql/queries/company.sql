-- The company itself, and what one does about one's own membership.

-- fragment: company_json
-- A company as its members get it; needs `tenants t`.
json_build_object('id', t.tenant_id, 'name', t.name, 'zone', t.zone, 'created_at', t.created_at)

-- name: get_company
SELECT ({{company_json}})::text FROM tenants t WHERE t.tenant_id = :tenant_id

-- name: get_zone
SELECT t.zone FROM tenants t WHERE t.tenant_id = :tenant_id

-- name: update_company
UPDATE tenants SET name = coalesce(:name, name), zone = coalesce(:zone, zone) WHERE tenant_id = :tenant_id

-- name: set_role
-- One of the built-in roles in place of whatever somebody had.
UPDATE members SET role = :role, role_id = NULL WHERE tenant_id = :tenant_id AND user_id = :id

-- name: leave
-- Who goes by themselves.
UPDATE members SET status = 'deactivated', left_at = now() WHERE tenant_id = :tenant_id AND user_id = :user_id

-- name: rename_person
SELECT rename_oneself(:name)

-- name: companies_of
-- The companies a person may enter.
SELECT tenant_id, role FROM auth_companies(:person_id)
