-- API keys: how a request's key is looked up, and the keys as their owners see them.

-- name: use_key
-- Whose key it is, before a tenant is known.
SELECT id, tenant_id, user_id, name, role, role_name, permissions, scopes, expires_at FROM api_key_use(:hash, :address)

-- fragment: api_key_json
-- A key as clients get it; needs `api_keys k` and `users u`.
json_build_object('id', k.id, 'name', k.name, 'hint', k.hint, 'scopes', k.scopes,
    'user', json_build_object('id', k.user_id, 'name', u.name),
    'created_at', k.created_at, 'expires_at', k.expires_at, 'last_used_at', k.last_used_at, 'last_used_from', k.last_used_from,
    'ended_at', k.ended_at)

-- name: list_keys
-- A page of keys that still count or ended lately, newest first: one's own, or everybody's.
SELECT ({{api_key_json}})::text AS json, k.created_at AS key, k.id
FROM (
    SELECT k.* FROM api_keys k
    WHERE k.tenant_id = :tenant_id AND (k.ended_at IS NULL OR k.ended_at > now() - interval '30 days')
--? owner_id AND k.user_id = :owner_id
--? after_key AND (k.created_at, k.id) < (:after_key::timestamptz, :after_id::uuid)
    ORDER BY k.created_at DESC, k.id DESC
    LIMIT :limit
) AS k JOIN users u ON u.id = k.user_id
ORDER BY k.created_at DESC, k.id DESC

-- name: get_key
SELECT ({{api_key_json}})::text AS json, k.user_id, k.name, k.ended_at
FROM api_keys k JOIN users u ON u.id = k.user_id
WHERE k.tenant_id = :tenant_id AND k.id = :id

-- name: count_keys
-- How many keys of a person still count.
SELECT count(*) FROM api_keys k
WHERE k.tenant_id = :tenant_id AND k.user_id = :user_id AND k.ended_at IS NULL AND k.expires_at > now()

-- name: insert_key
INSERT INTO api_keys (tenant_id, user_id, name, hint, hash, scopes, expires_at)
VALUES (:tenant_id, :user_id, :name, :hint, :hash, :scopes::text[], now() + make_interval(days => :days::int))
RETURNING id

-- name: end_key
-- Ends a key once; no row when it was ended before.
UPDATE api_keys SET ended_at = now() WHERE tenant_id = :tenant_id AND id = :id AND ended_at IS NULL RETURNING id

-- name: note_key_ended
SELECT access_note_key(:id)
