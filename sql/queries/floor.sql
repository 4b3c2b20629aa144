-- The manager's floor, and what managers are warned of.

-- fragment: alert_json
-- An alert as clients get it; needs `alerts a`.
json_build_object(
    'id', a.id, 'kind', a.kind, 'subject', json_build_object('kind', a.subject_kind, 'id', a.subject_id, 'name', a.subject_name),
    'message', a.message, 'raised_at', a.raised_at, 'cleared_at', a.cleared_at)

-- fragment: queue_progress_json
-- How far a queue has come; needs `dial_queues q`. The counts are those it was last counted with, seconds ago.
json_build_object(
    'id', q.id, 'name', q.name, 'state', q.state, 'lines', q.lines, 'one_line_since', q.one_line_since,
    'reps', (SELECT count(*) FROM dial_sessions s
        WHERE s.tenant_id = q.tenant_id AND s.queue_id = q.id AND s.state <> 'ended'),
    'total', coalesce((q.counts ->> 'total')::int, 0),
    'left', coalesce((q.counts ->> 'waiting')::int, 0) + coalesce((q.counts ->> 'later')::int, 0)
        + coalesce((q.counts ->> 'callback')::int, 0) + coalesce((q.counts ->> 'claimed')::int, 0)
        + coalesce((q.counts ->> 'dialing')::int, 0),
    'done', coalesce((q.counts ->> 'done')::int, 0), 'skipped', coalesce((q.counts ->> 'skipped')::int, 0))

-- name: floor
-- The whole floor in one statement, so that it is one moment: the log's position is that of the data beside it.
WITH tally AS (
    -- Thousands of calls become a few rows for each person, from which everything below is added up.
    SELECT k.user_id, k.outcome, k.disposition, k.ended_at IS NOT NULL AS is_over, count(*) AS n,
           extract(epoch FROM sum(k.ended_at - k.answered_at) FILTER (WHERE k.outcome IN ('connected', 'voicemail'))) AS talk_s
    FROM calls k
    WHERE k.tenant_id = :tenant_id AND k.created_at >= :since
    GROUP BY k.user_id, k.outcome, k.disposition, is_over
), day AS (
    -- What a person said of a call counts for more than what the telephone did.
    SELECT t.*, coalesce(d.counts_as_connected, t.outcome = 'connected', false) AS connected
    FROM tally t LEFT JOIN dispositions d ON d.tenant_id = :tenant_id AND d.value = t.disposition
), board AS (
    SELECT y.user_id, sum(y.n)::bigint AS calls, coalesce(sum(y.n) FILTER (WHERE y.connected), 0)::bigint AS connected,
           coalesce(round(sum(y.talk_s)), 0)::bigint AS talk_s,
           coalesce(sum(y.n) FILTER (WHERE y.disposition = 'meeting_booked'), 0)::bigint AS meetings
    FROM day y WHERE y.user_id IS NOT NULL GROUP BY y.user_id
), sums AS (
    SELECT coalesce(sum(y.n), 0)::bigint AS calls, coalesce(sum(y.n) FILTER (WHERE y.connected), 0)::bigint AS connected,
           round(coalesce(sum(y.n) FILTER (WHERE y.is_over AND y.connected), 0) / nullif(sum(y.n) FILTER (WHERE y.is_over), 0), 4)
               AS connect_rate,
           coalesce(sum(y.n) FILTER (WHERE y.disposition = 'meeting_booked'), 0)::bigint AS meetings,
           coalesce(round(sum(y.talk_s)), 0)::bigint AS talk_s
    FROM day y
)
SELECT json_build_object(
    'epoch', n.epoch, 'seq', n.seq, 'at', now(),
    'people', coalesce((SELECT json_agg({{person_json}} ORDER BY u.name, m.user_id)
        FROM members m JOIN users u ON u.id = m.user_id
        LEFT JOIN presence s ON s.tenant_id = m.tenant_id AND s.user_id = m.user_id
        WHERE m.tenant_id = :tenant_id AND m.status = 'active'), '[]'::json),
    'live_calls', coalesce((SELECT json_agg({{call_json}} ORDER BY k.created_at)
        FROM calls k
        WHERE k.tenant_id = :tenant_id AND k.state IN ('queued', 'dialing', 'ringing', 'in_progress')), '[]'::json),
    'today', (SELECT json_build_object(
        'since', :since::timestamptz, 'calls', y.calls, 'connected', y.connected, 'connect_rate', y.connect_rate, 'meetings', y.meetings,
        'by_outcome', coalesce((SELECT json_object_agg(x.outcome, x.n)
            FROM (SELECT outcome, sum(n)::bigint AS n FROM day WHERE outcome IS NOT NULL GROUP BY outcome) AS x), '{}'::json),
        'by_disposition', coalesce((SELECT json_object_agg(x.disposition, x.n) FROM (
            SELECT disposition, sum(n)::bigint AS n FROM day WHERE disposition IS NOT NULL GROUP BY disposition) AS x), '{}'::json),
        'talk_s', y.talk_s) FROM sums y),
    'leaderboard', coalesce((SELECT json_agg(json_build_object(
            'user', json_build_object('id', m.user_id, 'name', u.name, 'role', m.role), 'calls', coalesce(b.calls, 0),
            'connected', coalesce(b.connected, 0), 'talk_s', coalesce(b.talk_s, 0), 'meetings', coalesce(b.meetings, 0))
            ORDER BY coalesce(b.meetings, 0) DESC, coalesce(b.connected, 0) DESC, coalesce(b.calls, 0) DESC, u.name, m.user_id)
        FROM members m JOIN users u ON u.id = m.user_id LEFT JOIN board b ON b.user_id = m.user_id
        WHERE m.tenant_id = :tenant_id AND (b.user_id IS NOT NULL OR (m.role = 'rep' AND m.status = 'active'))), '[]'::json),
    'queues', coalesce((SELECT json_agg({{queue_progress_json}} ORDER BY q.name, q.id)
        FROM dial_queues q
        WHERE q.tenant_id = :tenant_id AND q.deleted_at IS NULL AND q.state IN ('running', 'paused')), '[]'::json),
    'alerts', coalesce((SELECT json_agg({{alert_json}} ORDER BY a.raised_at DESC, a.id DESC)
        FROM alerts a
        WHERE a.tenant_id = :tenant_id AND a.cleared_at IS NULL AND 'managers' = ANY (:audiences::text[])), '[]'::json),
    'recent', coalesce((SELECT json_agg(x.frame::json ORDER BY x.seq DESC) FROM (
        SELECT e.seq, e.frame FROM events e
        WHERE e.tenant_id = :tenant_id AND e.seq > n.log_from
          AND (e.audience = ANY (:audiences::text[]) OR (e.audience LIKE 'seen:%' AND audience_is_mine(e.audience)))
        ORDER BY e.seq DESC LIMIT 50) AS x), '[]'::json))::text
FROM tenant_counters n WHERE n.tenant_id = :tenant_id

-- name: get_alert_rules
-- The company's rules, or the defaults.
SELECT json_build_object(
    'rep_idle', json_build_object('on', coalesce(r.rep_idle_on, true), 'minutes', coalesce(r.rep_idle_minutes, 10)),
    'queue_empty', json_build_object('on', coalesce(r.queue_empty_on, true), 'contacts_left', coalesce(r.queue_empty_left, 0)),
    'abandonment', json_build_object('on', coalesce(r.abandonment_on, true), 'percent_of_cap', coalesce(r.abandonment_percent, 80)),
    'notify', coalesce(r.notifies, true))::text AS json, coalesce(r.notifies, true) AS notifies
FROM (SELECT 1) AS one LEFT JOIN alert_rules r ON r.tenant_id = :tenant_id

-- name: put_alert_rules
INSERT INTO alert_rules AS r (tenant_id, rep_idle_on, rep_idle_minutes, queue_empty_on, queue_empty_left, abandonment_on,
    abandonment_percent, notifies)
VALUES (:tenant_id, :rep_idle_on, :rep_idle_minutes, :queue_empty_on, :queue_empty_left, :abandonment_on, :abandonment_percent,
    :notifies)
ON CONFLICT (tenant_id) DO UPDATE SET rep_idle_on = excluded.rep_idle_on, rep_idle_minutes = excluded.rep_idle_minutes,
    queue_empty_on = excluded.queue_empty_on, queue_empty_left = excluded.queue_empty_left,
    abandonment_on = excluded.abandonment_on, abandonment_percent = excluded.abandonment_percent,
    notifies = excluded.notifies, updated_at = now()

-- name: list_alerts
-- A page of alerts, newest first.
SELECT ({{alert_json}})::text AS json, a.raised_at::text AS key, a.id
FROM alerts a
WHERE a.tenant_id = :tenant_id
--? open  AND a.cleared_at IS NULL
--? after AND (a.raised_at, a.id) < (:after::timestamptz, :after_id::uuid)
ORDER BY a.raised_at DESC, a.id DESC
LIMIT :limit

-- name: alerts_tenants
-- Companies in which there may be something to warn of, or to clear.
SELECT tenant_id FROM alerts_tenants()

-- name: alert_changes
-- What there is to warn of now and was not before, and what has passed. A rate that hovers about its limit does not flicker:
-- what was raised is cleared below nine tenths of it.
WITH rules AS (
    SELECT coalesce(r.rep_idle_on, true) AS idle_on, coalesce(r.rep_idle_minutes, 10) AS minutes,
           coalesce(r.queue_empty_on, true) AS empty_on, coalesce(r.queue_empty_left, 0) AS few,
           coalesce(r.abandonment_on, true) AS abandonment_on, coalesce(r.abandonment_percent, 80) AS percent
    FROM (SELECT 1) AS one LEFT JOIN alert_rules r ON r.tenant_id = :tenant_id
), known AS (
    SELECT a.id, a.kind, a.subject_id FROM alerts a WHERE a.tenant_id = :tenant_id AND a.cleared_at IS NULL
), wanted AS (
    SELECT 'rep_idle' AS kind, 'user' AS subject_kind, p.user_id AS subject_id, u.name AS subject_name,
           format('%s has been idle for %s minutes.', u.name, r.minutes) AS message
    FROM rules r
    JOIN presence p ON p.tenant_id = :tenant_id AND p.state = 'online' AND p.since <= now() - make_interval(mins => r.minutes)
    JOIN members m ON m.tenant_id = p.tenant_id AND m.user_id = p.user_id AND m.role = 'rep' AND m.status = 'active'
    JOIN users u ON u.id = p.user_id
    WHERE r.idle_on
    UNION ALL
    SELECT 'queue_empty', 'queue', q.id, q.name,
           CASE c.contacts WHEN 0 THEN format('There is nobody left to call in %s.', q.name)
               ELSE format('There are %s contacts left to call in %s.', c.contacts, q.name) END
    FROM rules r
    JOIN dial_queues q ON q.tenant_id = :tenant_id AND q.deleted_at IS NULL AND q.state = 'running' AND q.fill_state = 'filled'
    CROSS JOIN LATERAL (SELECT count(*) AS contacts FROM (
        SELECT FROM dial_items i
        WHERE i.tenant_id = q.tenant_id AND i.queue_id = q.id AND i.state IN ('waiting', 'callback', 'claimed', 'dialing')
        LIMIT r.few + 1) AS x) AS c
    WHERE r.empty_on AND c.contacts <= r.few
    UNION ALL
    SELECT 'abandonment', 'queue', q.id, q.name,
           format('%s abandoned %s of %s answered calls in 30 days. The limit is %s %%.', q.name, d.abandoned, d.answered,
                  to_char(q.abandon_cap_per_mille / 10.0, 'FM990.0'))
    FROM rules r
    JOIN dial_queues q ON q.tenant_id = :tenant_id AND q.deleted_at IS NULL AND q.state = 'running' AND q.abandon_cap_per_mille > 0
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(x.answered), 0) AS answered, coalesce(sum(x.abandoned), 0) AS abandoned FROM dial_days x
        WHERE x.tenant_id = q.tenant_id AND x.queue_id = q.id AND x.day > (now() AT TIME ZONE 'UTC')::date - 30) AS d
    WHERE r.abandonment_on AND d.abandoned > 0
      AND d.abandoned * 100000 >= d.answered * q.abandon_cap_per_mille * r.percent * CASE WHEN EXISTS (
            SELECT FROM known n WHERE n.kind = 'abandonment' AND n.subject_id = q.id) THEN 0.9 ELSE 1 END
)
SELECT NULL::uuid AS cleared_id, w.kind, w.subject_kind, w.subject_id, w.subject_name, w.message
FROM wanted w WHERE NOT EXISTS (SELECT FROM known n WHERE n.kind = w.kind AND n.subject_id = w.subject_id)
UNION ALL
SELECT n.id, NULL, NULL, NULL, NULL, NULL
FROM known n WHERE NOT EXISTS (SELECT FROM wanted w WHERE w.kind = n.kind AND w.subject_id = n.subject_id)

-- name: raise_alert
-- A new alert; no row when somebody else was quicker.
INSERT INTO alerts AS a (tenant_id, kind, subject_kind, subject_id, subject_name, message)
VALUES (:tenant_id, :kind, :subject_kind, :subject_id, :subject_name, :message)
ON CONFLICT (tenant_id, kind, subject_id) WHERE cleared_at IS NULL DO NOTHING
RETURNING a.id, ({{alert_json}})::text AS json

-- name: clear_alert
UPDATE alerts AS a SET cleared_at = now() WHERE a.tenant_id = :tenant_id AND a.id = :id AND a.cleared_at IS NULL
RETURNING ({{alert_json}})::text AS json

-- name: alerts_forget
SELECT alerts_forget(interval '90 days')
