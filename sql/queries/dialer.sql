-- The power dialer: queues, their items, sessions, attempts, and the pace that the abandonment cap allows.

-- fragment: dial_queue_json
-- A queue as clients get it; needs `dial_queues q`. `counts` are as of `counted_at`.
json_build_object(
    'id', q.id, 'name', q.name, 'filter', q.filter, 'order', q.dial_order, 'state', q.state, 'lines', q.lines,
    'ring_s', q.ring_s, 'countdown_s', q.countdown_s, 'abandon_cap_per_mille', q.abandon_cap_per_mille,
    'retry', json_build_object('busy_s', q.retry_busy_s, 'no_answer_s', q.retry_no_answer_s, 'attempts', q.attempt_limit),
    'members', coalesce((SELECT json_agg(json_build_object('id', u.id, 'name', u.name) ORDER BY u.name, u.id)
        FROM dial_queue_members m JOIN users u ON u.id = m.user_id
        WHERE m.tenant_id = q.tenant_id AND m.queue_id = q.id), '[]'::json),
    'fill', json_build_object('state', q.fill_state, 'error', q.fill_error),
    'counts', json_build_object(
        'waiting', coalesce((q.counts ->> 'waiting')::int, 0), 'later', coalesce((q.counts ->> 'later')::int, 0),
        'callback', coalesce((q.counts ->> 'callback')::int, 0), 'claimed', coalesce((q.counts ->> 'claimed')::int, 0),
        'dialing', coalesce((q.counts ->> 'dialing')::int, 0), 'done', coalesce((q.counts ->> 'done')::int, 0),
        'skipped', coalesce((q.counts ->> 'skipped')::int, 0), 'total', coalesce((q.counts ->> 'total')::int, 0)),
    'counted_at', q.counted_at, 'one_line_since', q.one_line_since, 'started_at', q.started_at,
    'created_by', q.created_by, 'created_at', q.created_at, 'updated_at', q.updated_at)

-- fragment: dial_contact_json
-- Whom an item is about; needs `dial_items i`.
coalesce((SELECT json_build_object('id', n.id,
        'name', coalesce(nullif(trim(n.first_name || ' ' || n.last_name), ''), nullif(n.company, ''), i.phone, ''),
        'company', n.company, 'title', n.title, 'stage', n.stage)
    FROM contacts n WHERE n.tenant_id = i.tenant_id AND n.id = i.contact_id),
    json_build_object('id', i.contact_id, 'name', '', 'company', '', 'title', '', 'stage', ''))

-- fragment: dial_item_json
-- An item as clients get it; needs `dial_items i`.
json_build_object(
    'id', i.id, 'queue_id', i.queue_id, 'contact', {{dial_contact_json}}, 'state', i.state, 'attempts', i.attempts,
    'not_before', i.not_before, 'callback_for', i.callback_for, 'last_outcome', i.last_outcome,
    'reason_code', i.reason_code, 'reason', i.reason, 'phone', i.phone, 'call_id', i.call_id,
    'claimed_by', (SELECT json_build_object('id', u.id, 'name', u.name)
        FROM dial_sessions s JOIN users u ON u.id = s.user_id WHERE s.tenant_id = i.tenant_id AND s.id = i.claimed_by))

-- fragment: dial_card_json
-- A contact in the rep's hands, before or during the call; needs `dial_items i`.
json_build_object(
    'item_id', i.id, 'contact', {{dial_contact_json}}, 'phone', i.phone, 'attempts', i.attempts,
    'zones', to_json(coalesce(string_to_array(nullif(i.zone_key, ''), ','), '{}'::text[])),
    'local_time', to_char(now() AT TIME ZONE nullif(split_part(i.zone_key, ',', 1), ''), 'HH24:MI'),
    'permit_id', i.permit_id, 'permit', i.reason, 'last_outcome', i.last_outcome, 'callback_at', i.not_before,
    'call_id', i.call_id)

-- fragment: dial_session_json
-- A session as clients get it; needs `dial_sessions s`.
json_build_object(
    'id', s.id, 'state', s.state, 'since', s.since,
    'queue', (SELECT json_build_object('id', q.id, 'name', q.name, 'state', q.state, 'lines', q.lines)
        FROM dial_queues q WHERE q.tenant_id = s.tenant_id AND q.id = s.queue_id),
    'user', (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = s.user_id),
    'next', (SELECT {{dial_card_json}} FROM dial_items i WHERE i.tenant_id = s.tenant_id AND i.id = s.next_item_id),
    'current', coalesce((SELECT json_agg({{dial_card_json}} ORDER BY i.id) FROM dial_items i
        WHERE i.tenant_id = s.tenant_id AND i.id IN (
            SELECT a.item_id FROM dial_attempts a
            WHERE a.tenant_id = s.tenant_id AND a.session_id = s.id AND a.settled_at IS NULL
            UNION ALL
            SELECT a.item_id FROM dial_attempts a WHERE a.tenant_id = s.tenant_id AND a.call_id = s.call_id)), '[]'::json),
    'call_id', s.call_id, 'dial_at', s.dial_at, 'look_at', CASE WHEN s.state = 'preparing' THEN s.look_at END, 'note', s.note,
    'lines', s.lines, 'lines_used', s.lines_used, 'lines_note', s.lines_note, 'is_automatic', s.is_automatic,
    'pause_asked', s.pause_asked, 'leave_asked', s.leave_asked, 'calls', s.calls, 'connected', s.connected,
    'started_at', s.started_at, 'ended_at', s.ended_at)

-- name: insert_queue
-- A queue as it was asked for.
INSERT INTO dial_queues (tenant_id, name, filter, dial_order, lines, ring_s, countdown_s, abandon_cap_per_mille, attempt_limit,
    retry_busy_s, retry_no_answer_s, fill_state, created_by)
VALUES (:tenant_id, :name, :filter::jsonb, :dial_order, :lines, :ring_s, :countdown_s, :abandon_cap_per_mille, :attempt_limit,
    :retry_busy_s, :retry_no_answer_s, CASE WHEN :filter::jsonb IS NULL THEN 'filled' ELSE 'filling' END, :user_id)
RETURNING id

-- name: update_queue
-- Changes the given settings.
UPDATE dial_queues SET
--? set_name                  name = :name,
--? set_dial_order            dial_order = :dial_order,
--? set_lines                 lines = :lines,
--? set_ring_s                ring_s = :ring_s,
--? set_countdown_s           countdown_s = :countdown_s,
--? set_abandon_cap_per_mille abandon_cap_per_mille = :abandon_cap_per_mille,
--? set_attempt_limit         attempt_limit = :attempt_limit,
--? set_retry_busy_s          retry_busy_s = :retry_busy_s,
--? set_retry_no_answer_s     retry_no_answer_s = :retry_no_answer_s,
    updated_at = now()
WHERE tenant_id = :tenant_id AND id = :id AND deleted_at IS NULL

-- name: clear_members
DELETE FROM dial_queue_members WHERE tenant_id = :tenant_id AND queue_id = :id

-- name: add_members
INSERT INTO dial_queue_members (tenant_id, queue_id, user_id)
SELECT :tenant_id, :id, m FROM unnest(:members::uuid[]) AS m
ON CONFLICT DO NOTHING

-- name: get_queue
SELECT ({{dial_queue_json}})::text AS json FROM dial_queues q
WHERE q.tenant_id = :tenant_id AND q.id = :id AND q.deleted_at IS NULL

-- name: list_queues
-- A page of queues, newest first.
SELECT ({{dial_queue_json}})::text AS json, q.created_at::text AS key, q.id
FROM dial_queues q
WHERE q.tenant_id = :tenant_id AND q.deleted_at IS NULL
--? state AND q.state = :state
--? after AND (q.created_at, q.id) < (:after::timestamptz, :after_id::uuid)
ORDER BY q.created_at DESC, q.id DESC
LIMIT :limit

-- name: lock_queue
-- The queue, held until the transaction ends; items and attempts may still refer to it meanwhile.
SELECT q.id, q.name, q.state, q.lines, q.filter::text AS filter, q.fill_state, q.fill_after, q.created_by, q.started_at,
       q.one_line_since, q.abandon_cap_per_mille, q.counts::text AS counts, now() AS now
FROM dial_queues q WHERE q.tenant_id = :tenant_id AND q.id = :id AND q.deleted_at IS NULL
FOR NO KEY UPDATE

-- name: queue_facts
-- What a session has to know of its queue.
SELECT q.state, q.dial_order, q.lines, q.ring_s, q.countdown_s, q.attempt_limit, q.retry_busy_s, q.retry_no_answer_s,
       q.abandon_cap_per_mille, q.fill_state, q.deleted_at IS NOT NULL AS is_deleted
FROM dial_queues q WHERE q.tenant_id = :tenant_id AND q.id = :id

-- name: may_work
-- Whether a member is among those who work a queue: those named, or everybody.
SELECT NOT EXISTS (SELECT FROM dial_queue_members WHERE tenant_id = :tenant_id AND queue_id = :id)
    OR EXISTS (SELECT FROM dial_queue_members WHERE tenant_id = :tenant_id AND queue_id = :id AND user_id = :user_id)

-- name: set_queue_state
-- Starts, pauses or ends a queue. The campaign begins with its first start.
UPDATE dial_queues SET state = :state, updated_at = now(),
    started_at = CASE WHEN :state = 'running' THEN coalesce(started_at, now()) ELSE started_at END
WHERE tenant_id = :tenant_id AND id = :id

-- name: delete_queue
UPDATE dial_queues SET deleted_at = now(), updated_at = now() WHERE tenant_id = :tenant_id AND id = :id

-- name: live_sessions_of_queue
SELECT s.id, s.state, s.user_id FROM dial_sessions s
WHERE s.tenant_id = :tenant_id AND s.queue_id = :id AND s.state <> 'ended' ORDER BY s.id

-- name: fill_batch
-- The next contacts of a saved filter, in the order of their ids. Those who are in the queue already stay as they are.
WITH page AS MATERIALIZED (
    SELECT c.id, c.created_at, c.name_lc FROM contacts c
    WHERE c.tenant_id = :tenant_id AND c.deleted_at IS NULL
--? found         AND c.id = ANY (:found::uuid[])
--? after         AND c.id > :after
--? owner_id      AND c.owner_id = :owner_id
--? stage         AND c.stage = :stage
--? company       AND c.company_lc >= :company AND c.company_lc < :company || U&'\+10FFFF'
--? updated_since AND c.updated_at >= :updated_since
--? tag           AND c.id IN (SELECT t.contact_id FROM contact_tags t WHERE t.tenant_id = :tenant_id AND t.tag_lc = :tag)
    ORDER BY c.id LIMIT :limit
), phones AS MATERIALIZED (
    SELECT p.id, p.created_at, p.name_lc, n.time_zones, n.e164 FROM page p
    LEFT JOIN LATERAL (SELECT f.e164, f.time_zones FROM contact_phones f
        WHERE f.tenant_id = :tenant_id AND f.contact_id = p.id ORDER BY f.position LIMIT 1) AS n ON true
), zones AS MATERIALIZED (
    SELECT d.time_zones, dial_zone_key(d.time_zones) AS zone_key
    FROM (SELECT DISTINCT time_zones FROM phones WHERE time_zones IS NOT NULL) AS d
), added AS (
    INSERT INTO dial_items (tenant_id, queue_id, contact_id, state, reason_code, reason, phone, zone_key, created_key, name_key)
    SELECT :tenant_id, :queue_id, h.id, CASE WHEN h.e164 IS NULL THEN 'skipped' ELSE 'waiting' END,
           CASE WHEN h.e164 IS NULL THEN 'no_number' END,
           CASE WHEN h.e164 IS NULL THEN 'This contact has no telephone number.' END,
           h.e164, coalesce(z.zone_key, ''), h.created_at, h.name_lc
    FROM phones h LEFT JOIN zones z ON z.time_zones = h.time_zones
    ORDER BY h.id
    ON CONFLICT ON CONSTRAINT dial_items_once_in_a_queue DO NOTHING
    RETURNING 1
)
SELECT (SELECT count(*) FROM page)::int AS seen, (SELECT count(*) FROM added)::int AS added,
       (SELECT p.id FROM page p ORDER BY p.id DESC LIMIT 1) AS last

-- name: find_contacts_after
-- The next contacts in which the words of a saved search stand.
SELECT contact_id FROM search_contacts_after(:query, :after::uuid, :limit)

-- name: known_contacts
-- How many of these are contacts of this company.
SELECT count(*)::int FROM contacts c WHERE c.tenant_id = :tenant_id AND c.id = ANY (:ids::uuid[]) AND c.deleted_at IS NULL

-- name: advance_fill
UPDATE dial_queues SET fill_after = :after WHERE tenant_id = :tenant_id AND id = :id AND fill_state = 'filling'

-- name: end_fill
UPDATE dial_queues SET fill_state = :state, fill_error = :error, updated_at = now()
WHERE tenant_id = :tenant_id AND id = :id AND fill_state = 'filling'

-- name: census
-- What the items of a queue came to; from the index alone.
SELECT i.state, (i.state = 'waiting' AND i.not_before IS NOT NULL) AS is_later, count(*)::int AS items
FROM dial_items i WHERE i.tenant_id = :tenant_id AND i.queue_id = :id
GROUP BY 1, 2

-- name: keep_census
-- What clients are shown until it is counted again.
UPDATE dial_queues SET counts = :counts::jsonb, counted_at = now() WHERE tenant_id = :tenant_id AND id = :id

-- name: census_by_outcome
-- Items by how their last call ended, and why they were skipped.
SELECT i.state, i.last_outcome, i.reason_code, count(*)::int AS items
FROM dial_items i WHERE i.tenant_id = :tenant_id AND i.queue_id = :id
GROUP BY 1, 2, 3

-- name: queue_rest
-- When the next one that waits for its time is due, and whether there is anybody left at all.
SELECT (SELECT min(w.not_before) FROM dial_items w
        WHERE w.tenant_id = :tenant_id AND w.queue_id = :id AND w.state = 'waiting' AND w.not_before IS NOT NULL) AS retry_at,
       (SELECT min(c.not_before) FROM dial_items c
        WHERE c.tenant_id = :tenant_id AND c.queue_id = :id AND c.state = 'callback' AND c.not_before IS NOT NULL) AS callback_at,
       EXISTS (SELECT FROM dial_items f
        WHERE f.tenant_id = :tenant_id AND f.queue_id = :id AND f.state = 'waiting' AND f.not_before IS NULL) AS has_fresh,
       EXISTS (SELECT FROM dial_items h
        WHERE h.tenant_id = :tenant_id AND h.queue_id = :id AND h.state IN ('claimed', 'dialing')) AS has_held

-- name: list_items
-- A page of a queue's items, in the order they were added.
SELECT ({{dial_item_json}})::text AS json, i.id::text AS key, i.id
FROM dial_items i
WHERE i.tenant_id = :tenant_id AND i.queue_id = :queue_id
    AND EXISTS (SELECT FROM contacts o WHERE o.tenant_id = i.tenant_id AND o.id = i.contact_id)
--? state AND i.state = :state
--? after_id AND i.id > :after_id::uuid
ORDER BY i.id
LIMIT :limit

-- name: open_zones
-- The zones in which somebody fresh waits, and for how many more minutes they may be called today; hopping along the index.
-- A company that practises may call at any hour.
WITH RECURSIVE hours AS (
    SELECT coalesce(max(p.hours_start), 480) AS from_minute, coalesce(max(p.hours_end), 1260) AS to_minute,
           coalesce(bool_or(p.practice), false) AS is_practice
    FROM permit_settings p WHERE p.tenant_id = :tenant_id
), zones AS (
    (SELECT i.zone_key FROM dial_items i
     WHERE i.tenant_id = :tenant_id AND i.queue_id = :id AND i.state = 'waiting' AND i.not_before IS NULL
     ORDER BY i.zone_key LIMIT 1)
    UNION ALL
    SELECT (SELECT i.zone_key FROM dial_items i
            WHERE i.tenant_id = :tenant_id AND i.queue_id = :id AND i.state = 'waiting' AND i.not_before IS NULL
              AND i.zone_key > z.zone_key
            ORDER BY i.zone_key LIMIT 1)
    FROM zones z WHERE z.zone_key IS NOT NULL
)
SELECT z.zone_key, m.minutes, h.is_practice OR m.minutes > 0 AS is_open
FROM hours h CROSS JOIN zones z
CROSS JOIN LATERAL (SELECT dial_minutes_left(z.zone_key, now(), h.from_minute, h.to_minute) AS minutes) AS m
WHERE z.zone_key IS NOT NULL
ORDER BY 3 DESC, 2, 1

-- name: claim_callback
-- The callback that is due longest: this rep's own, or one whose rep did not come for it.
UPDATE dial_items i SET state = 'claimed', claimed_by = :session_id, claimed_at = now(), changed_at = clock_timestamp()
WHERE i.tenant_id = :tenant_id AND i.id = (
    SELECT w.id FROM dial_items w
    WHERE w.tenant_id = :tenant_id AND w.queue_id = :queue_id AND w.state = 'callback' AND w.not_before <= now()
      AND (w.callback_for IS NULL OR w.callback_for = :rep OR w.not_before <= now() - interval '15 minutes')
      AND ((SELECT sight_of_member(:rep)) <> 'some' OR member_sees(:rep, w.contact_id))
    ORDER BY w.not_before, w.id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING i.id, i.contact_id, i.not_before, i.callback_for, true AS is_callback

-- name: claim_retry
-- The one that waits for its time and is due longest.
UPDATE dial_items i SET state = 'claimed', claimed_by = :session_id, claimed_at = now(), changed_at = clock_timestamp()
WHERE i.tenant_id = :tenant_id AND i.id = (
    SELECT w.id FROM dial_items w
    WHERE w.tenant_id = :tenant_id AND w.queue_id = :queue_id AND w.state = 'waiting' AND w.not_before <= now()
      AND ((SELECT sight_of_member(:rep)) <> 'some' OR member_sees(:rep, w.contact_id))
    ORDER BY w.not_before, w.id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING i.id, i.contact_id, i.not_before, i.callback_for, false AS is_callback

-- name: claim_fresh
-- The next one nobody has called yet, in one zone or in those that are open.
UPDATE dial_items i SET state = 'claimed', claimed_by = :session_id, claimed_at = now(), changed_at = clock_timestamp()
WHERE i.tenant_id = :tenant_id AND i.id = (
    SELECT w.id FROM dial_items w
    WHERE w.tenant_id = :tenant_id AND w.queue_id = :queue_id AND w.state = 'waiting' AND w.not_before IS NULL
      AND ((SELECT sight_of_member(:rep)) <> 'some' OR member_sees(:rep, w.contact_id))
--? zone  AND w.zone_key = :zone
--? zones AND w.zone_key = ANY (:zones::text[])
--? by_local_time ORDER BY w.created_key, w.id
--? by_oldest     ORDER BY w.created_key, w.id
--? by_newest     ORDER BY w.created_key DESC, w.id DESC
--? by_name       ORDER BY w.name_key, w.id
    LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING i.id, i.contact_id, i.not_before, i.callback_for, false AS is_callback

-- name: permit_item
-- A claimed item may be called: on this number, by this permit.
UPDATE dial_items SET phone = :phone, permit_id = :permit_id, reason_code = NULL, reason = :reason, changed_at = clock_timestamp()
WHERE tenant_id = :tenant_id AND id = :id AND state = 'claimed'

-- name: put_item
-- Where an item goes out of a rep's hands. A callback's time and rep are kept unless others are given.
UPDATE dial_items SET state = :state, claimed_by = NULL, claimed_at = NULL, permit_id = coalesce(:permit_id, permit_id),
    not_before = :not_before, callback_for = :callback_for, last_outcome = coalesce(:outcome, last_outcome),
    reason_code = :reason_code, reason = :reason, changed_at = clock_timestamp()
WHERE tenant_id = :tenant_id AND id = :id

-- name: dial_item
-- One more attempt at a claimed item; the attempt's number. No row when this session does not hold it.
UPDATE dial_items SET state = 'dialing', attempts = attempts + 1, changed_at = clock_timestamp(),
    -- A callback's time has come; what is set from here on is a new one.
    not_before = NULL, callback_for = NULL, reason_code = NULL
WHERE tenant_id = :tenant_id AND id = :id AND state = 'claimed' AND claimed_by = :session_id
RETURNING attempts

-- name: note_items_call
UPDATE dial_items SET call_id = :call_id WHERE tenant_id = :tenant_id AND id = :id

-- name: get_item
SELECT i.id, i.queue_id, i.contact_id, i.state, i.attempts, i.not_before, i.callback_for, i.last_outcome, i.reason_code,
       i.reason, i.phone, i.permit_id, i.claimed_by, i.claimed_at, i.call_id, now() AS now
FROM dial_items i WHERE i.tenant_id = :tenant_id AND i.id = :id

-- name: plan_callback
-- A time for somebody who is on the telephone just now, to be kept when the call is over.
UPDATE dial_items SET not_before = :at, callback_for = :rep, reason_code = 'callback', changed_at = clock_timestamp()
WHERE tenant_id = :tenant_id AND id = :id AND state = 'dialing'

-- name: claims_of_session
-- What a session holds and is not dialing.
SELECT i.id, i.contact_id, i.not_before, i.callback_for FROM dial_items i
WHERE i.tenant_id = :tenant_id AND i.claimed_by = :session_id AND i.state = 'claimed' ORDER BY i.id

-- name: insert_session
INSERT INTO dial_sessions (tenant_id, queue_id, user_id, lines) VALUES (:tenant_id, :queue_id, :user_id, :lines) RETURNING id

-- name: lock_session
-- The session, held until the transaction ends, so that its moves come one at a time.
SELECT s.id, s.queue_id, s.user_id, s.state, s.since, s.next_item_id, s.call_id, s.lines, s.lines_used, s.lines_note,
       s.is_automatic, s.pause_asked, s.leave_asked, s.dial_at, s.look_at, s.note, s.calls, s.connected,
       clock_timestamp() AS now
FROM dial_sessions s WHERE s.tenant_id = :tenant_id AND s.id = :id
FOR UPDATE

-- name: save_session
-- Writes back what the session came to.
UPDATE dial_sessions SET state = :state, next_item_id = :next_item_id, call_id = :call_id, lines = :lines, lines_used = :lines_used,
    lines_note = :lines_note, is_automatic = :is_automatic, pause_asked = :pause_asked, leave_asked = :leave_asked,
    dial_at = :dial_at, look_at = :look_at, note = :note, calls = :calls, connected = :connected,
    since = CASE WHEN state = :state THEN since ELSE clock_timestamp() END,
    ended_at = CASE WHEN :state = 'ended' THEN clock_timestamp() END
WHERE tenant_id = :tenant_id AND id = :id

-- name: get_session
SELECT ({{dial_session_json}})::text AS json, s.user_id, s.state
FROM dial_sessions s WHERE s.tenant_id = :tenant_id AND s.id = :id

-- name: current_session
-- The session a member is in.
SELECT ({{dial_session_json}})::text AS json
FROM dial_sessions s WHERE s.tenant_id = :tenant_id AND s.user_id = :user_id AND s.state <> 'ended'

-- name: list_sessions
-- The sessions that are under way, in a queue or in all.
SELECT ({{dial_session_json}})::text AS json
FROM dial_sessions s WHERE s.tenant_id = :tenant_id AND s.state <> 'ended'
--? queue_id AND s.queue_id = :queue_id
ORDER BY s.started_at, s.id LIMIT 500

-- name: session_of_call
-- The session that placed a call.
SELECT a.session_id FROM dial_attempts a WHERE a.tenant_id = :tenant_id AND a.call_id = :call_id

-- name: live_session_of_user
SELECT s.id FROM dial_sessions s WHERE s.tenant_id = :tenant_id AND s.user_id = :rep AND s.state <> 'ended'

-- name: insert_attempt
-- A call that the dialer places. Thirty days of a campaign are counted from its start (16 CFR 310.4(b)(4)(i)).
INSERT INTO dial_attempts (tenant_id, call_id, session_id, queue_id, item_id, number, is_parallel, day, period)
SELECT :tenant_id, :call_id, :session_id, q.id, :item_id, :number, :is_parallel, (now() AT TIME ZONE 'UTC')::date,
       greatest(floor(extract(epoch FROM now() - coalesce(q.started_at, now())) / 2592000), 0)::int
FROM dial_queues q WHERE q.tenant_id = :tenant_id AND q.id = :queue_id

-- name: open_attempts
-- The calls of a session that were not accounted for yet, with how they stand.
SELECT a.call_id, a.item_id, a.number, a.is_parallel, a.answered_at, a.connected_at, a.abandoned_at,
       c.state AS call_state, c.outcome, c.answered_at AS call_answered_at, c.answered_by, c.abandoned_at AS call_abandoned_at,
       c.user_id, c.holds_rep, c.error, c.disposition, c.hangup_asked_at, i.contact_id, i.attempts, i.not_before,
       i.callback_for, i.reason_code,
       EXISTS (SELECT FROM call_drops d WHERE d.tenant_id = a.tenant_id AND d.call_id = a.call_id) AS is_left
FROM dial_attempts a
JOIN calls c ON c.tenant_id = a.tenant_id AND c.id = a.call_id
JOIN dial_items i ON i.tenant_id = a.tenant_id AND i.id = a.item_id
WHERE a.tenant_id = :tenant_id AND a.session_id = :session_id AND a.settled_at IS NULL
ORDER BY a.placed_at, a.call_id

-- name: attempt_of_call
-- What the dialer knows of a call.
SELECT a.item_id, a.session_id, a.queue_id, a.result, a.number, c.disposition, c.outcome, i.contact_id, i.state AS item_state, i.attempts
FROM dial_attempts a
JOIN calls c ON c.tenant_id = a.tenant_id AND c.id = a.call_id
JOIN dial_items i ON i.tenant_id = a.tenant_id AND i.id = a.item_id
WHERE a.tenant_id = :tenant_id AND a.call_id = :call_id

-- name: mark_connected
-- A rep talks to them: it is not going to be abandoned any more.
UPDATE dial_attempts SET answered_at = coalesce(answered_at, now()), connected_at = now()
WHERE tenant_id = :tenant_id AND call_id = :call_id AND connected_at IS NULL AND abandoned_at IS NULL
RETURNING call_id

-- name: mark_abandoned
-- They answered and nobody was there. Once; no row when it was marked before.
UPDATE dial_attempts SET answered_at = coalesce(answered_at, now()), abandoned_at = now()
WHERE tenant_id = :tenant_id AND call_id = :call_id AND abandoned_at IS NULL
RETURNING queue_id, period, day

-- name: settle_attempt
-- The call is over and accounted for. Once; no row when it was settled before.
UPDATE dial_attempts SET settled_at = now(), result = :result
WHERE tenant_id = :tenant_id AND call_id = :call_id AND settled_at IS NULL
RETURNING queue_id, period, day, abandoned_at

-- name: count_day
INSERT INTO dial_days AS d (tenant_id, queue_id, period, day, answered, abandoned)
VALUES (:tenant_id, :queue_id, :period, :day, :answered, :abandoned)
ON CONFLICT (tenant_id, queue_id, period, day) DO UPDATE
SET answered = d.answered + excluded.answered, abandoned = d.abandoned + excluded.abandoned

-- name: pace
-- What the abandonment cap leaves: the calls answered and abandoned in the campaign's present thirty days and in the last thirty,
-- those that are on their way, and the most lines with which the cap can't be passed even if every one of them were abandoned.
-- To be asked with the queue locked.
WITH c AS (
    SELECT q.tenant_id, q.id, q.abandon_cap_per_mille AS cap,
           greatest(floor(extract(epoch FROM now() - coalesce(q.started_at, now())) / 2592000), 0)::int AS period
    FROM dial_queues q WHERE q.tenant_id = :tenant_id AND q.id = :id
), counted AS (
    SELECT coalesce(sum(d.answered) FILTER (WHERE d.period = c.period), 0)::int AS answered,
           coalesce(sum(d.abandoned) FILTER (WHERE d.period = c.period), 0)::int AS abandoned,
           coalesce(sum(d.answered) FILTER (WHERE d.day > (now() AT TIME ZONE 'UTC')::date - 30), 0)::int AS answered_30,
           coalesce(sum(d.abandoned) FILTER (WHERE d.day > (now() AT TIME ZONE 'UTC')::date - 30), 0)::int AS abandoned_30
    FROM c LEFT JOIN dial_days d ON d.tenant_id = c.tenant_id AND d.queue_id = c.id AND d.period >= c.period - 1
), reserved AS (
    SELECT count(*)::int AS calls FROM dial_attempts a
    WHERE a.tenant_id = :tenant_id AND a.queue_id = :id
      AND a.is_parallel AND a.settled_at IS NULL AND a.connected_at IS NULL AND a.abandoned_at IS NULL
)
SELECT k.answered, k.abandoned, k.answered_30, k.abandoned_30, r.calls AS reserved, c.cap,
       coalesce((SELECT max(n) FROM generate_series(2, 5) AS n
            WHERE n <= :wanted
              AND (k.abandoned + r.calls + n) * 1000 <= c.cap * (k.answered + r.calls + n)
              AND (k.abandoned_30 + r.calls + n) * 1000 <= c.cap * (k.answered_30 + r.calls + n)), 1) AS lines
FROM c, counted k, reserved r

-- name: set_one_line_since
UPDATE dial_queues SET one_line_since = CASE WHEN :is_one_line::boolean THEN now() END
WHERE tenant_id = :tenant_id AND id = :id

-- name: busy_with
-- Whether the rep is on some call.
SELECT EXISTS (SELECT FROM calls c WHERE c.tenant_id = :tenant_id AND c.user_id = :rep
    AND c.state IN ('queued', 'dialing', 'ringing', 'in_progress') AND c.holds_rep)

-- name: contact_on_call
-- Whether somebody is on a call with a contact.
SELECT EXISTS (SELECT FROM calls c WHERE c.tenant_id = :tenant_id AND c.contact_id = :contact_id
    AND c.state IN ('queued', 'dialing', 'ringing', 'in_progress'))

-- name: rep_presence
-- How the rep's presence stands; nobody seen yet is offline.
SELECT p.state, p.call_id, p.since FROM presence p WHERE p.tenant_id = :tenant_id AND p.user_id = :rep

-- name: callback_task_of_call
-- The time at which the contact of a call asked to be called again.
SELECT t.due_at FROM tasks t
WHERE t.tenant_id = :tenant_id AND t.call_id = :call_id AND t.kind = 'callback' AND t.done_at IS NULL

-- name: sessions_due
-- Sessions of any tenant in which something is due.
SELECT tenant_id, id FROM dial_sessions_due(:gone_s, :limit)

-- name: queues_moved
-- Queues of any tenant whose items changed.
SELECT tenant_id, id FROM dial_queues_moved(:margin_s, :limit)
