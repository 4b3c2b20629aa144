-- Who sees what.

-- name: get_visibility
SELECT json_build_object('visibility', t.visibility)::text FROM tenants t WHERE t.tenant_id = :tenant_id

-- name: out_of_sight
-- Those of these people whose things who acts does not see, by name.
SELECT u.name FROM users u
WHERE u.id = ANY (:people::uuid[]) AND NOT u.id = ANY (coalesce(seen_people(), :people::uuid[]))
ORDER BY u.name

-- name: set_visibility
-- Whether it was something else before.
SELECT set_visibility(:visibility)
