-- The manager's floor.

-- name: floor
-- The whole floor in one statement, so that it is one moment: the log's position is that of the data beside it.
WITH day AS (
    SELECT k.state, k.outcome, k.disposition, k.answered_at, k.ended_at
    FROM calls k WHERE k.tenant_id = :tenant_id AND k.created_at >= :since
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
    'today', json_build_object(
        'since', :since::timestamptz,
        'calls', (SELECT count(*) FROM day),
        'connected', (SELECT count(*) FROM day WHERE outcome = 'connected'),
        'by_outcome', coalesce((SELECT json_object_agg(x.outcome, x.n)
            FROM (SELECT outcome, count(*) AS n FROM day WHERE outcome IS NOT NULL GROUP BY outcome) AS x), '{}'::json),
        'by_disposition', coalesce((SELECT json_object_agg(x.disposition, x.n)
            FROM (SELECT disposition, count(*) AS n FROM day WHERE disposition IS NOT NULL GROUP BY disposition) AS x), '{}'::json),
        'talk_s', (SELECT coalesce(round(extract(epoch FROM sum(ended_at - answered_at))), 0)::bigint
            FROM day WHERE ended_at IS NOT NULL AND answered_at IS NOT NULL)),
    'recent', coalesce((SELECT json_agg(x.frame::json ORDER BY x.seq DESC) FROM (
        SELECT e.seq, e.frame FROM events e
        WHERE e.tenant_id = :tenant_id AND e.audience = ANY (:audiences::text[])
        ORDER BY e.seq DESC LIMIT 50) AS x), '[]'::json))::text
FROM tenant_counters n WHERE n.tenant_id = :tenant_id
