-- Sequences, their steps and variants, what holds for all of them, and what came of them.

-- fragment: step_json
-- A step with its variants as clients get it; needs `sequence_steps t`.
json_build_object('id', t.id, 'position', t.position, 'kind', t.kind, 'wait_minutes', t.wait_minutes,
    'wait_business_days', t.wait_business_days, 'thread', t.thread, 'condition', t.condition, 'note', t.note,
    'is_blocking', t.is_blocking,
    'variants', coalesce((SELECT json_agg(json_build_object('id', v.id, 'label', v.label, 'weight', v.weight, 'subject', v.subject,
            'html', v.html, 'template_id', v.template_id) ORDER BY v.label)
        FROM step_variants v WHERE v.tenant_id = t.tenant_id AND v.step_id = t.id AND v.archived_at IS NULL), '[]'::json))

-- fragment: sequence_json
-- A sequence with its steps as clients get it; needs `sequences s`.
json_build_object('id', s.id, 'name', s.name, 'state', s.state, 'schedule', s.schedule, 'stop_on', s.stop_on, 'goal', s.goal,
    'owner', (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = s.owner_id),
    'steps', coalesce((SELECT json_agg({{step_json}} ORDER BY t.position)
        FROM sequence_steps t WHERE t.tenant_id = s.tenant_id AND t.sequence_id = s.id AND t.archived_at IS NULL), '[]'::json),
    'counts', '{"active":0,"paused":0,"finished":0,"stopped":0,"failed":0,"goals":0,"total":0}'::jsonb || s.counts,
    'counted_at', s.counted_at, 'created_at', s.created_at, 'updated_at', s.updated_at, 'version', s.version)

-- fragment: days_zone
-- Whose midnight begins a day: the zone that was set apart from the company's, or the company's. Needs `sequence_settings x` and
-- `tenants t`.
CASE WHEN x.own_zone OR x.zone <> 'UTC' THEN x.zone ELSE t.zone END

-- name: get_settings
-- What holds for all sequences; what a company begins with, where nothing was set.
SELECT json_build_object('zone', {{days_zone}}, 'domain_per_hour', x.domain_per_hour, 'domain_per_day', x.domain_per_day,
    'domain_per_week', x.domain_per_week, 'caps_free_domains', coalesce(x.caps_free_domains, false))::text
FROM tenants t LEFT JOIN sequence_settings x ON x.tenant_id = t.tenant_id
WHERE t.tenant_id = :tenant_id

-- name: save_settings
-- A zone that is the company's goes with it.
INSERT INTO sequence_settings (tenant_id, zone, own_zone, domain_per_hour, domain_per_day, domain_per_week, caps_free_domains)
SELECT t.tenant_id, CASE WHEN :zone::text = t.zone THEN 'UTC' ELSE coalesce(:zone, 'UTC') END, coalesce(:zone <> t.zone, false),
    :domain_per_hour, :domain_per_day, :domain_per_week, :caps_free_domains
FROM tenants t WHERE t.tenant_id = :tenant_id
ON CONFLICT (tenant_id) DO UPDATE SET zone = excluded.zone, own_zone = excluded.own_zone, domain_per_hour = excluded.domain_per_hour,
    domain_per_day = excluded.domain_per_day, domain_per_week = excluded.domain_per_week,
    caps_free_domains = excluded.caps_free_domains

-- name: begin_settings
-- The row that whoever plans holds.
INSERT INTO sequence_settings (tenant_id) VALUES (:tenant_id) ON CONFLICT (tenant_id) DO NOTHING

-- name: hold_settings
-- One plans at a time in a company; no row while somebody else does.
SELECT {{days_zone}} AS zone, x.domain_per_hour, x.domain_per_day, x.domain_per_week, x.caps_free_domains
FROM sequence_settings x JOIN tenants t ON t.tenant_id = x.tenant_id
WHERE x.tenant_id = :tenant_id FOR UPDATE OF x SKIP LOCKED

-- name: look_at_settings
SELECT {{days_zone}} AS zone, x.domain_per_hour, x.domain_per_day, x.domain_per_week,
    coalesce(x.caps_free_domains, false) AS caps_free_domains
FROM tenants t LEFT JOIN sequence_settings x ON x.tenant_id = t.tenant_id WHERE t.tenant_id = :tenant_id

-- name: quiet_days
SELECT day, name FROM quiet_days WHERE tenant_id = :tenant_id

-- name: list_sequences
-- A page of sequences, newest first.
SELECT ({{sequence_json}})::text AS json, s.created_at::text AS key, s.id
FROM sequences s
WHERE s.tenant_id = :tenant_id AND s.deleted_at IS NULL
--? state AND s.state = :state
--? after AND (s.created_at, s.id) < (:after::timestamptz, :after_id::uuid)
ORDER BY s.created_at DESC, s.id DESC
LIMIT :limit

-- name: get_sequence
SELECT ({{sequence_json}})::text AS json, s.version
FROM sequences s WHERE s.tenant_id = :tenant_id AND s.id = :id AND s.deleted_at IS NULL

-- name: lock_sequence
-- The sequence, held until the transaction ends.
SELECT s.id, s.name, s.state, s.owner_id, s.version, s.schedule::text AS schedule, s.stop_on::text AS stop_on, s.goal::text AS goal,
    s.counts::text AS counts
FROM sequences s WHERE s.tenant_id = :tenant_id AND s.id = :id AND s.deleted_at IS NULL
FOR UPDATE

-- name: sequence_rules
-- What the sequences named say about hours and ends.
SELECT s.id, s.name, s.state, s.schedule::text AS schedule, s.stop_on::text AS stop_on, s.goal::text AS goal
FROM sequences s WHERE s.tenant_id = :tenant_id AND s.id = ANY (:ids::uuid[]) AND s.deleted_at IS NULL

-- name: steps_of
-- The steps of the sequences named, in their order.
SELECT t.id, t.sequence_id, t.position, t.kind, t.wait_minutes, t.wait_business_days, t.thread, t.condition::text AS condition,
    t.note, t.is_blocking
FROM sequence_steps t
WHERE t.tenant_id = :tenant_id AND t.sequence_id = ANY (:ids::uuid[]) AND t.archived_at IS NULL
ORDER BY t.sequence_id, t.position

-- name: insert_sequence
INSERT INTO sequences (tenant_id, name, schedule, stop_on, goal, owner_id)
VALUES (:tenant_id, :name, :schedule::jsonb, :stop_on::jsonb, :goal::jsonb, :user_id)
RETURNING id

-- name: update_sequence
-- Sets the fields that are given.
UPDATE sequences SET updated_at = now(), version = version + 1
--? set_name     , name = :name
--? set_schedule , schedule = :schedule::jsonb
--? set_stop_on  , stop_on = :stop_on::jsonb
--? set_goal     , goal = :goal::jsonb
WHERE tenant_id = :tenant_id AND id = :id

-- name: set_state
UPDATE sequences SET state = :state, updated_at = now(), version = version + 1 WHERE tenant_id = :tenant_id AND id = :id

-- name: delete_sequence
UPDATE sequences SET deleted_at = now(), updated_at = now(), version = version + 1 WHERE tenant_id = :tenant_id AND id = :id

-- name: lift_steps
-- Takes all steps off their places, and those that do not stay out of the sequence. Their places are free then.
UPDATE sequence_steps SET archived_at = now()
WHERE tenant_id = :tenant_id AND sequence_id = :id AND archived_at IS NULL

-- name: put_step
-- A step in its place: a new one, or one of this sequence that was there before.
INSERT INTO sequence_steps AS t (tenant_id, id, sequence_id, position, kind, wait_minutes, wait_business_days, thread, condition, note, is_blocking)
VALUES (:tenant_id, coalesce(:id::uuid, uuidv7()), :sequence_id, :position, :kind, :wait_minutes, :wait_business_days, :thread,
        :condition::jsonb, :note, :is_blocking)
ON CONFLICT (tenant_id, id) DO UPDATE SET position = excluded.position, kind = excluded.kind, wait_minutes = excluded.wait_minutes,
    wait_business_days = excluded.wait_business_days, thread = excluded.thread, condition = excluded.condition,
    note = excluded.note, is_blocking = excluded.is_blocking, archived_at = NULL
RETURNING t.id

-- name: step_ids
-- Every step a sequence ever had.
SELECT t.id, t.kind, t.archived_at IS NULL AS is_there FROM sequence_steps t WHERE t.tenant_id = :tenant_id AND t.sequence_id = :id

-- name: variant_ids
SELECT v.id, v.step_id FROM step_variants v
JOIN sequence_steps t ON t.tenant_id = v.tenant_id AND t.id = v.step_id
WHERE v.tenant_id = :tenant_id AND t.sequence_id = :id

-- name: lift_variants
UPDATE step_variants v SET archived_at = now()
FROM sequence_steps t
WHERE v.tenant_id = :tenant_id AND v.archived_at IS NULL AND t.tenant_id = v.tenant_id AND t.id = v.step_id AND t.sequence_id = :id

-- name: put_variant
INSERT INTO step_variants AS v (tenant_id, id, step_id, label, weight, subject, html, template_id)
VALUES (:tenant_id, coalesce(:id::uuid, uuidv7()), :step_id, :label, :weight, :subject, :html, :template_id)
ON CONFLICT (tenant_id, id) DO UPDATE SET label = excluded.label, weight = excluded.weight, subject = excluded.subject,
    html = excluded.html, template_id = excluded.template_id, archived_at = NULL

-- name: known_templates
-- The templates that are there of those named.
SELECT p.id FROM templates p WHERE p.tenant_id = :tenant_id AND p.id = ANY (:ids::uuid[]) AND p.archived_at IS NULL

-- name: variants_of
-- The variants of the steps named.
SELECT v.id, v.step_id, v.label, v.weight FROM step_variants v
WHERE v.tenant_id = :tenant_id AND v.step_id = ANY (:ids::uuid[]) AND v.archived_at IS NULL
ORDER BY v.step_id, v.label

-- name: get_variant
-- What a variant says now: its own words, or its template's current version.
SELECT v.id, v.label, v.template_id, p.current_version, p.archived_at IS NOT NULL AS is_gone,
    coalesce(r.subject, v.subject) AS subject, coalesce(r.html, v.html) AS html
FROM step_variants v
LEFT JOIN templates p ON p.tenant_id = v.tenant_id AND p.id = v.template_id
LEFT JOIN template_versions r ON r.tenant_id = p.tenant_id AND r.template_id = p.id AND r.version = p.current_version
WHERE v.tenant_id = :tenant_id AND v.id = :id

-- name: census
-- The enrolments of a sequence by state.
SELECT e.state, count(*)::int AS enrolments, count(e.goal_at)::int AS goals
FROM enrolments e WHERE e.tenant_id = :tenant_id AND e.sequence_id = :id
GROUP BY e.state

-- name: keep_census
UPDATE sequences SET counts = :counts::jsonb, counted_at = now() WHERE tenant_id = :tenant_id AND id = :id

-- name: sequences_moved
SELECT tenant_id, id FROM sequences_moved(:margin_s, :limit)

-- name: reasons
-- Why enrolments are over or paused.
SELECT e.reason, count(*)::int AS enrolments FROM enrolments e
WHERE e.tenant_id = :tenant_id AND e.sequence_id = :id AND e.reason IS NOT NULL
GROUP BY e.reason ORDER BY e.reason

-- name: results_by_variant
-- What became of a sequence's steps. Opens and clicks are those of people, as tracking judged.
WITH counted AS MATERIALIZED (
    SELECT r.step_id, r.variant_id,
        count(*) FILTER (WHERE r.state = 'done')::int AS done,
        count(*) FILTER (WHERE r.state = 'skipped')::int AS skipped,
        count(*) FILTER (WHERE r.state = 'failed')::int AS failed,
        count(*) FILTER (WHERE r.state = 'canceled')::int AS canceled,
        count(*) FILTER (WHERE r.state = 'done' AND k.open_count > 0)::int AS opened,
        count(*) FILTER (WHERE r.state = 'done' AND k.click_count > 0)::int AS clicked,
        count(*) FILTER (WHERE r.state = 'done' AND r.replied_at IS NOT NULL)::int AS replied,
        count(*) FILTER (WHERE r.state = 'done' AND r.bounced_at IS NOT NULL)::int AS bounced,
        count(*) FILTER (WHERE r.state = 'done' AND r.unsubscribed_at IS NOT NULL)::int AS unsubscribed
    FROM step_runs r
    LEFT JOIN tracked_sends k ON k.tenant_id = r.tenant_id AND k.send_id = r.send_id
    WHERE r.tenant_id = :tenant_id AND r.sequence_id = :id
    GROUP BY r.step_id, r.variant_id
)
SELECT c.*, t.position, t.kind, v.label
FROM counted c
JOIN sequence_steps t ON t.tenant_id = :tenant_id AND t.id = c.step_id
LEFT JOIN step_variants v ON v.tenant_id = :tenant_id AND v.id = c.variant_id
ORDER BY t.position, t.id, v.label

-- name: first_replies
-- Of the first mails of each variant of a step, how many there are that had time to be answered, and how many were.
SELECT x.variant_id, count(*)::int AS mails, count(x.replied_at)::int AS replied
FROM (SELECT r.variant_id, r.replied_at, r.slot_at, row_number() OVER (PARTITION BY r.variant_id ORDER BY r.slot_at, r.id) AS place
      FROM step_runs r
      WHERE r.tenant_id = :tenant_id AND r.sequence_id = :sequence_id AND r.step_id = :step_id AND r.state = 'done') AS x
WHERE x.place <= :sample AND x.slot_at < :before
GROUP BY x.variant_id
