-- How calls went, in each company's own words, and what follows.

-- fragment: disposition_json
-- A disposition as clients get it; needs `dispositions d`.
json_build_object(
    'value', d.value, 'label', d.label, 'key', d.key, 'position', d.position, 'counts_as_connected', d.counts_as_connected,
    'follow_up', d.follow_up, 'stage', d.stage, 'retry_after_s', d.retry_after_s, 'retry_limit', d.retry_limit,
    'archived_at', d.archived_at)

-- name: list_dispositions
-- The few dispositions of a company, in their order.
SELECT ({{disposition_json}})::text AS json, d.value, d.label, d.archived_at
FROM dispositions d
WHERE d.tenant_id = :tenant_id
--? active AND d.archived_at IS NULL
ORDER BY d.archived_at IS NOT NULL, d.position, d.value

-- name: get_disposition
SELECT ({{disposition_json}})::text AS json FROM dispositions d WHERE d.tenant_id = :tenant_id AND d.value = :value

-- name: hold_dispositions
-- Changes to a company's dispositions come one at a time, so that none can archive the last one beside another.
SELECT d.value, d.position, d.follow_up, d.stage, d.retry_after_s, d.retry_limit, d.archived_at
FROM dispositions d WHERE d.tenant_id = :tenant_id
ORDER BY d.value FOR UPDATE

-- name: insert_disposition
INSERT INTO dispositions (tenant_id, value, label, position, key, counts_as_connected, follow_up, stage, retry_after_s, retry_limit)
VALUES (:tenant_id, :value, :label, :position, :key, :counts_as_connected, :follow_up, :stage, :retry_after_s, :retry_limit)

-- name: update_disposition
-- The given fields.
UPDATE dispositions SET value = value
--? set_label               , label = :label
--? set_position            , position = :position
--? set_key                 , key = :key
--? set_counts_as_connected , counts_as_connected = :counts_as_connected
--? set_follow_up           , follow_up = :follow_up
--? set_stage               , stage = :stage
--? set_retry_after_s       , retry_after_s = :retry_after_s
--? set_retry_limit         , retry_limit = :retry_limit
--? set_archived            , archived_at = CASE WHEN :archived THEN coalesce(archived_at, now()) END
--? set_archived            , key = CASE WHEN :archived THEN NULL ELSE key END
WHERE tenant_id = :tenant_id AND value = :value

-- name: retry_rule
-- When and how often a call that went like this is tried again.
SELECT d.retry_after_s, d.retry_limit
FROM dispositions d WHERE d.tenant_id = :tenant_id AND d.value = :value AND d.retry_after_s IS NOT NULL

-- name: get_follow_up
-- What follows a call that went like this, and what that needs to know of the call.
SELECT d.label, d.follow_up, d.stage, k.contact_id, k.user_id, n.stage AS stage_now, n.deleted_at,
       CASE k.direction WHEN 'inbound' THEN k.from_number ELSE k.to_number END AS number,
       coalesce(nullif(trim(n.first_name || ' ' || n.last_name), ''), nullif(n.company, ''), k.to_number) AS contact_name
FROM calls k
JOIN contacts n ON n.tenant_id = k.tenant_id AND n.id = k.contact_id
JOIN dispositions d ON d.tenant_id = k.tenant_id AND d.value = :value
WHERE k.tenant_id = :tenant_id AND k.id = :call_id
