-- What rests while the company's plan does not have it.

-- name: plan_and_rests
-- The plan in force, held, and the features that rest already.
SELECT a.plan, a.rests FROM billing_accounts a WHERE a.tenant_id = :tenant_id AND a.is_billed FOR NO KEY UPDATE

-- name: write_rests
UPDATE billing_accounts SET rests = :rests::text[] WHERE tenant_id = :tenant_id

-- name: what_is_in_use
-- How much there is of what not every plan has. Webhooks that rest count as well: they come back.
SELECT (SELECT count(*) FROM members m
        WHERE m.tenant_id = :tenant_id AND m.role_id IS NOT NULL AND m.status = 'active') AS people_with_roles,
    (SELECT count(*) FROM roles r WHERE r.tenant_id = :tenant_id) AS roles,
    (SELECT count(*) FROM api_keys k
     WHERE k.tenant_id = :tenant_id AND k.ended_at IS NULL AND k.expires_at > now()) AS keys,
    (SELECT count(*) FROM outgoing_endpoints e
     WHERE e.tenant_id = :tenant_id AND (e.state = 'active' OR e.reason = :no_webhooks)) AS webhooks,
    t.visibility,
    coalesce(p.is_enforced, false) AS is_sso_enforced,
    coalesce(p.joins, false) AS joins_by_sso,
    p.tenant_id IS NOT NULL AS has_sso
FROM tenants t LEFT JOIN sso_providers p ON p.tenant_id = t.tenant_id
WHERE t.tenant_id = :tenant_id

-- name: own_roles
-- The company's own roles, held while they are trimmed.
SELECT r.id, r.base, r.permissions, r.rested_permissions FROM roles r
WHERE r.tenant_id = :tenant_id ORDER BY r.id FOR UPDATE

-- name: trim_role
UPDATE roles SET rested_permissions = coalesce(rested_permissions, permissions), permissions = :permissions::text[]
WHERE tenant_id = :tenant_id AND id = :id

-- name: untrim_role
UPDATE roles SET permissions = rested_permissions, rested_permissions = NULL WHERE tenant_id = :tenant_id AND id = :id

-- name: people_with_keys
-- Whose API keys still count.
SELECT DISTINCT k.user_id FROM api_keys k WHERE k.tenant_id = :tenant_id AND k.ended_at IS NULL AND k.expires_at > now()

-- name: running_webhooks
SELECT e.id, e.url FROM outgoing_endpoints e WHERE e.tenant_id = :tenant_id AND e.state = 'active' ORDER BY e.id

-- name: loosen_sso
-- Nobody has to, and nobody new does, come through the provider; no row where that is so already.
UPDATE sso_providers SET is_enforced = false, joins = false, updated_at = now()
WHERE tenant_id = :tenant_id AND (is_enforced OR joins)
RETURNING issuer
