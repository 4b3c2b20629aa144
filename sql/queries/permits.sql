-- Permits: the decision about outreach, its log, and what it is made from.

-- fragment: permit_json
-- A permit as clients get it; needs `permits p`.
json_build_object(
    'id', p.id, 'contact_id', p.contact_id,
    'contact_name', coalesce((SELECT coalesce(nullif(trim(n.first_name || ' ' || n.last_name), ''), nullif(n.company, ''))
        FROM contacts n WHERE n.tenant_id = p.tenant_id AND n.id = p.contact_id), p.address),
    'channel', p.channel, 'address', p.address,
    'user', (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = p.user_id),
    'allowed', p.allowed, 'code', p.code, 'explanation', p.explanation, 'rule_version', p.rule_version, 'facts', p.facts,
    'created_at', p.created_at, 'expires_at', p.expires_at, 'used_at', p.used_at, 'next_allowed_at', p.next_allowed_at,
    'override', (SELECT json_build_object('by', json_build_object('id', u.id, 'name', u.name), 'reason', p.override_reason)
        FROM users u WHERE u.id = p.override_by),
    'queue_item_id', p.queue_item_id)

-- fragment: suppression_json
-- An entry of the suppression list as clients get it; needs `suppressions s`.
json_build_object(
    'id', s.id, 'kind', s.kind, 'value', s.value_lc, 'channel', s.channel, 'reason', s.reason, 'source', s.source,
    'created_by', (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = s.created_by),
    'created_at', s.created_at, 'expires_at', s.expires_at)

-- fragment: consent_json
-- A contact's word about a channel; needs `consents c`.
json_build_object('contact_id', c.contact_id, 'channel', c.channel, 'state', c.state, 'source', c.source, 'at', c.at,
    'by', (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = c.by_user_id))

-- fragment: permit_settings_json
-- The settings as clients get them; needs `permit_settings s` or its like.
json_build_object(
    'calls_per_contact_per_day', s.calls_per_contact_per_day, 'calls_per_contact_per_week', s.calls_per_contact_per_week,
    'hours_start', s.hours_start, 'hours_end', s.hours_end, 'days', s.days, 'abroad_start', s.abroad_start,
    'abroad_end', s.abroad_end, 'abroad_days', s.abroad_days, 'require_consent', s.require_consent, 'practice', s.practice)

-- name: decide
-- Decides as of a moment (now, unless a schedule says so) and writes the decision down; it runs out by the real time. An
-- admin's override turns a refusal that may be set aside into a permit. No row when there is no such contact.
INSERT INTO permits AS p (tenant_id, contact_id, channel, address, user_id, allowed, code, explanation, rule_version, facts,
    expires_at, next_allowed_at, override_by, override_reason, queue_item_id)
SELECT :tenant_id, c.id, :channel, :address, :for_user, d.allowed OR o.overridden,
    CASE WHEN o.overridden THEN 'overridden' ELSE d.code END,
    CASE WHEN o.overridden THEN 'An admin has set this aside: ' || d.explanation
         WHEN o.asked AND NOT d.allowed THEN d.explanation || ' Nobody can set aside what the contact has said.'
         ELSE d.explanation END,
    d.rule_version, d.facts, CASE WHEN o.overridden THEN now() + interval '5 minutes'
         ELSE d.expires_at - (coalesce(:at::timestamptz, now()) - now()) END, d.next_allowed_at,
    CASE WHEN o.overridden THEN :override_by::uuid END, CASE WHEN o.overridden THEN :override_reason::text END, :queue_item_id
FROM contacts c
CROSS JOIN LATERAL decide_outreach(c.id, :channel, :address, coalesce(:at::timestamptz, now())) AS d
CROSS JOIN LATERAL (SELECT :override_by::uuid IS NOT NULL AND d.overridable AS overridden, :override_by::uuid IS NOT NULL AS asked) AS o
WHERE c.tenant_id = :tenant_id AND c.id = :contact_id AND c.deleted_at IS NULL
RETURNING p.id, p.allowed, p.code, p.explanation, p.next_allowed_at, p.expires_at, p.override_by IS NOT NULL AS overridden

-- name: look
-- The decision as of a moment (now, unless one is given), not written down. No row when there is no such contact.
SELECT json_build_object(
    'contact_id', c.id, 'channel', :channel::text, 'address', :address::text, 'allowed', d.allowed, 'code', d.code,
    'explanation', d.explanation, 'rule_version', d.rule_version, 'facts', d.facts, 'next_allowed_at', d.next_allowed_at,
    'overridable', d.overridable)::text AS json
FROM contacts c
CROSS JOIN LATERAL decide_outreach(c.id, :channel, :address, coalesce(:at::timestamptz, now())) AS d
WHERE c.tenant_id = :tenant_id AND c.id = :contact_id AND c.deleted_at IS NULL

-- name: look_many
-- The decisions about many contacts' first addresses as of a moment, not written down, with no row for what is no contact.
SELECT c.id, e.address, d.allowed, d.code, d.explanation
FROM contacts c
LEFT JOIN LATERAL (SELECT x.address FROM contact_emails x WHERE x.tenant_id = :tenant_id AND x.contact_id = c.id
    ORDER BY x.position LIMIT 1) AS e ON true
LEFT JOIN LATERAL decide_outreach(c.id, 'email', e.address, coalesce(:at::timestamptz, now())) AS d ON e.address IS NOT NULL
WHERE c.tenant_id = :tenant_id AND c.id = ANY (:contact_ids::uuid[]) AND c.deleted_at IS NULL

-- name: use_permit
-- Takes a permit for the one outreach it is for; no row when it is a refusal, was used, or has run out.
UPDATE permits SET used_at = now()
WHERE tenant_id = :tenant_id AND id = :id AND allowed AND used_at IS NULL AND (expires_at IS NULL OR expires_at > now())
RETURNING id

-- name: get_permit
SELECT ({{permit_json}})::text AS json FROM permits p WHERE p.tenant_id = :tenant_id AND p.id = :id

-- name: list_permits
-- A page of the log, newest first.
SELECT ({{permit_json}})::text AS json, p.created_at::text AS key, p.id
FROM permits p
WHERE p.tenant_id = :tenant_id
--? contact_id AND p.contact_id = :contact_id
--? allowed    AND p.allowed
--? refused    AND NOT p.allowed
--? since      AND p.created_at >= :since
--? after      AND (p.created_at, p.id) < (:after::timestamptz, :after_id::uuid)
ORDER BY p.created_at DESC, p.id DESC
LIMIT :limit

-- name: contact_email
-- The address to write to: the one that was asked for, if it is the contact's, else the first.
SELECT e.address FROM contact_emails e
JOIN contacts c ON c.tenant_id = e.tenant_id AND c.id = e.contact_id
WHERE e.tenant_id = :tenant_id AND e.contact_id = :id AND c.deleted_at IS NULL
--? address_lc AND e.address_lc = :address_lc
ORDER BY e.position LIMIT 1

-- name: rules
SELECT outreach_rules_json()

-- name: add_suppression
-- Puts somebody on the list, or makes the entry that is there the stricter of the two; the contact's own word stays theirs.
INSERT INTO suppressions AS s (tenant_id, kind, value_lc, channel, reason, source, created_by, expires_at)
VALUES (:tenant_id, :kind, CASE WHEN :kind = 'company' THEN trim(lower(:value_lc)) ELSE :value_lc END, :channel, :reason, :source, :user_id, :expires_at)
ON CONFLICT ON CONSTRAINT suppressions_once DO UPDATE SET
    source = CASE WHEN own_word(s.source) THEN s.source ELSE excluded.source END,
    reason = CASE WHEN excluded.reason = '' THEN s.reason ELSE excluded.reason END,
    expires_at = CASE WHEN s.expires_at IS NULL OR excluded.expires_at IS NULL THEN NULL ELSE greatest(s.expires_at, excluded.expires_at) END
RETURNING s.id

-- name: get_suppression
SELECT ({{suppression_json}})::text AS json, s.source FROM suppressions s WHERE s.tenant_id = :tenant_id AND s.id = :id

-- name: list_suppressions
-- A page of the list, newest first.
SELECT ({{suppression_json}})::text AS json, s.created_at::text AS key, s.id
FROM suppressions s
WHERE s.tenant_id = :tenant_id
--? kind  AND s.kind = :kind
--? value AND s.value_lc >= :value AND s.value_lc < :value || U&'\+10FFFF'
--? after AND (s.created_at, s.id) < (:after::timestamptz, :after_id::uuid)
ORDER BY s.created_at DESC, s.id DESC
LIMIT :limit

-- name: remove_suppression
DELETE FROM suppressions s WHERE s.tenant_id = :tenant_id AND s.id = :id RETURNING ({{suppression_json}})::text AS json

-- name: lift_stop
-- Takes off the list what the contact's own STOP, or their unsubscribing, had put there.
DELETE FROM suppressions s
WHERE s.tenant_id = :tenant_id AND s.kind = :kind AND s.value_lc = :value_lc AND s.source = :source
RETURNING ({{suppression_json}})::text AS json, s.id

-- name: set_consent
INSERT INTO consents AS c (tenant_id, contact_id, channel, state, source, by_user_id)
SELECT :tenant_id, n.id, :channel, :state, :source, :user_id
FROM contacts n WHERE n.tenant_id = :tenant_id AND n.id = :contact_id AND n.deleted_at IS NULL
ON CONFLICT (tenant_id, contact_id, channel) DO UPDATE
    SET state = excluded.state, source = excluded.source, at = now(), by_user_id = excluded.by_user_id
RETURNING ({{consent_json}})::text AS json

-- name: list_consents
SELECT coalesce(json_agg({{consent_json}} ORDER BY c.channel), '[]'::json)::text
FROM consents c WHERE c.tenant_id = :tenant_id AND c.contact_id = :contact_id

-- name: list_quiet_days
-- The quiet days, those of years long past left out.
SELECT json_build_object('data', coalesce(json_agg(json_build_object('day', q.day, 'name', q.name) ORDER BY q.day), '[]'::json))::text
FROM quiet_days q WHERE q.tenant_id = :tenant_id AND q.day >= now()::date - 400

-- name: clear_quiet_days
DELETE FROM quiet_days WHERE tenant_id = :tenant_id AND day >= now()::date - 400

-- name: add_quiet_days
INSERT INTO quiet_days (tenant_id, day, name)
SELECT :tenant_id, x.day, x.name FROM json_to_recordset(:days::json) AS x (day date, name text)
ON CONFLICT (tenant_id, day) DO NOTHING

-- name: get_settings
SELECT ({{permit_settings_json}})::text FROM permit_settings_now() AS s

-- name: save_settings
INSERT INTO permit_settings AS s (tenant_id, calls_per_contact_per_day, calls_per_contact_per_week, hours_start, hours_end, days,
    abroad_start, abroad_end, abroad_days, require_consent, practice)
VALUES (:tenant_id, :calls_per_contact_per_day, :calls_per_contact_per_week, :hours_start, :hours_end, :days::int[],
    :abroad_start, :abroad_end, :abroad_days::int[], :require_consent, :practice)
ON CONFLICT (tenant_id) DO UPDATE SET
    calls_per_contact_per_day = excluded.calls_per_contact_per_day,
    calls_per_contact_per_week = excluded.calls_per_contact_per_week, hours_start = excluded.hours_start,
    hours_end = excluded.hours_end, days = excluded.days, abroad_start = excluded.abroad_start, abroad_end = excluded.abroad_end,
    abroad_days = excluded.abroad_days, require_consent = excluded.require_consent, practice = excluded.practice, updated_at = now()
RETURNING ({{permit_settings_json}})::text AS json

-- name: begin_in_practice
-- For the demo: settings that were made before stay as they are.
INSERT INTO permit_settings (tenant_id, practice) VALUES (:tenant_id, true) ON CONFLICT (tenant_id) DO NOTHING
