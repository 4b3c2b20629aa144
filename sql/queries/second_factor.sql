-- Whether a company wants a second factor of everybody (migration 0037).

-- name: get_rule
-- Who comes through the company's own sign-in is not asked where that counts.
WITH rule AS (
    SELECT coalesce(bool_or(r.second_factor), false) AS required, coalesce(bool_or(r.trusts_provider), false) AS trusts_provider
    FROM sign_in_rules r WHERE r.tenant_id = :tenant_id
), lacking AS (
    SELECT l.user_id, u.name, u.email
    FROM second_factor_lacking() l JOIN users u ON u.id = l.user_id CROSS JOIN rule
    WHERE NOT (rule.trusts_provider AND l.has_provider)
)
SELECT json_build_object(
    'required', rule.required, 'trusts_provider', rule.trusts_provider,
    'lacking_count', (SELECT count(*) FROM lacking),
    'lacking', coalesce((SELECT json_agg(json_build_object('id', x.user_id, 'name', x.name, 'email', x.email) ORDER BY x.name, x.user_id)
        FROM (SELECT * FROM lacking ORDER BY name, user_id LIMIT 100) x), '[]'::json)
)::text FROM rule

-- name: put_rule
-- Whether it was something else before; no row is the same as nothing that is wanted.
INSERT INTO sign_in_rules AS r (tenant_id, second_factor, trusts_provider) VALUES (:tenant_id, :required, :trusts_provider)
ON CONFLICT (tenant_id) DO UPDATE SET
    second_factor = excluded.second_factor, trusts_provider = excluded.trusts_provider, updated_at = now()
WHERE (r.second_factor, r.trusts_provider) IS DISTINCT FROM (excluded.second_factor, excluded.trusts_provider)
RETURNING true

-- name: lacks
-- Has a session not shown what the company wants?
SELECT account_must_enrol(:session, :tenant_id)

-- name: end_others
SELECT second_factor_end_others()
