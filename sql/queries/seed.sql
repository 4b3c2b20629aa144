-- The demo companies.

-- name: find_companies
SELECT tenant_id, name FROM find_companies(:name)

-- name: create_company
SELECT create_company(:name) AS tenant_id

-- name: create_member
SELECT create_member(:tenant, :email, :name, :hash, :role) AS member_id
