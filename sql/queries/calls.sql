-- Calls.

-- fragment: leg_json
-- Somebody in a call; needs `call_legs l`.
json_build_object(
    'id', l.id, 'kind', l.kind,
    'user', (SELECT json_build_object('id', lu.id, 'name', lu.name) FROM users lu WHERE lu.id = l.user_id),
    'phone', CASE WHEN l.address LIKE '+%' THEN l.address END, 'mode', l.mode, 'state', l.state,
    'since', coalesce(l.joined_at, l.created_at), 'muted', l.muted, 'error', l.error)

-- fragment: call_json
-- A call as clients get it; needs `calls k`. Listeners are in it where the company shows them.
json_build_object(
    'id', k.id, 'contact_id', k.contact_id, 'user_id', k.user_id, 'state', k.state, 'direction', k.direction,
    'to', k.to_number, 'from', k.from_number, 'started_at', k.created_at, 'answered_at', k.answered_at,
    'ended_at', k.ended_at, 'outcome', k.outcome, 'disposition', k.disposition, 'note', k.note, 'error', k.error,
    -- Whoever was in a call sees it, and perhaps not whose contact it was with.
    'contact_name', coalesce((SELECT coalesce(nullif(trim(n.first_name || ' ' || n.last_name), ''), nullif(n.company, ''), k.to_number)
        FROM contacts n WHERE n.tenant_id = k.tenant_id AND n.id = k.contact_id),
        CASE k.direction WHEN 'inbound' THEN k.from_number ELSE k.to_number END),
    'line_kind', k.line_kind, 'on_hold', k.hold_since IS NOT NULL, 'recording', k.recording_state,
    'answered_by', k.answered_by, 'permit_id', k.permit_id, 'number_id', k.from_number_id, 'queue_item_id', k.queue_item_id, 'queue_id', k.queue_id,
    'legs', CASE WHEN k.state IN ('queued', 'dialing', 'ringing', 'in_progress') THEN coalesce((
        SELECT json_agg({{leg_json}} ORDER BY l.created_at, l.id) FROM call_legs l
        WHERE l.tenant_id = k.tenant_id AND l.call_id = k.id AND l.state <> 'left'
          AND (l.kind <> 'supervisor' OR coalesce(
              (SELECT v.show_listeners FROM voice_settings v WHERE v.tenant_id = k.tenant_id), true))), '[]'::json)
        ELSE '[]'::json END)

-- name: insert_call
-- A call that is to be dialed. The unique indexes on live calls refuse a second one for the contact or for the rep.
INSERT INTO calls (tenant_id, contact_id, user_id, to_number, from_number, from_number_id, permit_id, queue_item_id,
    queue_id, holds_rep, is_parallel, machine_detection, ring_s)
VALUES (:tenant_id, :contact_id, :rep_id, :to_number, :from_number, :from_number_id, :permit_id, :queue_item_id,
    (SELECT i.queue_id FROM dial_items i WHERE i.tenant_id = :tenant_id AND i.id = :queue_item_id), :holds_rep, NOT :holds_rep, :machine_detection, :ring_s)
RETURNING id

-- name: insert_inbound
-- A call that somebody makes to us: it rings until a rep takes it.
INSERT INTO calls (tenant_id, contact_id, user_id, direction, state, to_number, from_number, from_number_id, provider_sid,
    asked_at, machine_detection)
VALUES (:tenant_id, :contact_id, NULL, 'inbound', 'ringing', :to_number, :from_number, :from_number_id, :sid, now(), 'off')
RETURNING id

-- name: get_call
SELECT ({{call_json}})::text AS json, k.user_id, k.state
FROM calls k WHERE k.tenant_id = :tenant_id AND k.id = :id

-- name: lock_call
-- The call, held until the transaction ends, so that states move one at a time.
SELECT k.id, k.contact_id, k.user_id, k.state, k.direction, k.to_number, k.from_number, k.created_at, k.asked_at,
       k.provider_sid, k.answered_at, k.hangup_asked_at, k.disposition, k.line_kind, k.conference_sid, k.answered_by,
       k.holds_rep, k.is_parallel, k.abandoned_at, k.hold_since, k.machine_detection, k.ring_s, k.permit_id, k.queue_item_id,
       k.error, now() AS now
FROM calls k WHERE k.tenant_id = :tenant_id AND k.id = :id
FOR UPDATE

-- name: list_calls
-- A page of calls, newest first.
SELECT ({{call_json}})::text AS json, k.created_at::text AS key, k.id
FROM calls k
WHERE k.tenant_id = :tenant_id
--? contact_id AND k.contact_id = :contact_id
--? queue_id   AND k.queue_id = :queue_id
--? of_user    AND k.user_id = :of_user
--? states     AND k.state = ANY (:states::text[])
--? since      AND k.created_at >= :since
--? outcome    AND k.outcome = :outcome
--? disposition AND k.disposition = :disposition
--? connected   AND coalesce((SELECT d.counts_as_connected FROM dispositions d
--? connected       WHERE d.tenant_id = k.tenant_id AND d.value = k.disposition), k.outcome = 'connected', false)
--? unconnected AND NOT coalesce((SELECT d.counts_as_connected FROM dispositions d
--? unconnected     WHERE d.tenant_id = k.tenant_id AND d.value = k.disposition), k.outcome = 'connected', false)
--? after      AND (k.created_at, k.id) < (:after::timestamptz, :after_id::uuid)
ORDER BY k.created_at DESC, k.id DESC
LIMIT :limit

-- name: ask_call
-- The intent: from here on the provider may have been asked.
UPDATE calls SET asked_at = now(), state = 'dialing', checked_at = now() WHERE tenant_id = :tenant_id AND id = :id

-- name: unask_call
-- The provider was certainly not asked, or certainly does not have it.
UPDATE calls SET asked_at = NULL WHERE tenant_id = :tenant_id AND id = :id AND provider_sid IS NULL

-- name: adopt_sid
UPDATE calls SET provider_sid = :sid, checked_at = now() WHERE tenant_id = :tenant_id AND id = :id AND provider_sid IS NULL

-- name: known_sids
SELECT provider_sid FROM calls WHERE tenant_id = :tenant_id AND provider_sid = ANY (:sids::text[])

-- name: move_call
-- The one statement that moves a call; hub.calls.states decides whether it may.
UPDATE calls SET state = :state, answered_at = coalesce(answered_at, :answered_at), ended_at = coalesce(ended_at, :ended_at),
    outcome = coalesce(:outcome, outcome), error = coalesce(:error, error), answered_by = coalesce(:answered_by, answered_by),
    hold_since = CASE WHEN :ended_at::timestamptz IS NULL THEN hold_since END, checked_at = now()
WHERE tenant_id = :tenant_id AND id = :id

-- name: ask_hangup
UPDATE calls SET hangup_asked_at = coalesce(hangup_asked_at, now()) WHERE tenant_id = :tenant_id AND id = :id

-- name: set_note
UPDATE calls SET note = :note WHERE tenant_id = :tenant_id AND id = :id

-- name: set_call_error
-- Why a call is about to end; its end keeps it.
UPDATE calls SET error = coalesce(error, :error) WHERE tenant_id = :tenant_id AND id = :id

-- name: set_rep
-- Whose call it is from now on. The unique index refuses a rep who has another one.
UPDATE calls SET user_id = :rep_id, holds_rep = :holds_rep WHERE tenant_id = :tenant_id AND id = :id

-- name: live_calls_of
-- The calls that hold a rep now.
SELECT k.id FROM calls k
WHERE k.tenant_id = :tenant_id AND k.user_id = :rep_id AND k.holds_rep
  AND k.state IN ('queued', 'dialing', 'ringing', 'in_progress')

-- name: parallel_siblings
-- A rep's other parallel calls that nobody has answered.
SELECT k.id FROM calls k
WHERE k.tenant_id = :tenant_id AND k.user_id = :rep_id AND NOT k.holds_rep AND k.is_parallel AND k.id <> :id
  AND k.state IN ('queued', 'dialing', 'ringing')
ORDER BY k.id

-- name: abandon_call
-- It was answered and no rep was there.
UPDATE calls SET abandoned_at = coalesce(abandoned_at, now()) WHERE tenant_id = :tenant_id AND id = :id

-- name: set_answered_by
UPDATE calls SET answered_by = :answered_by WHERE tenant_id = :tenant_id AND id = :id

-- name: set_hold
UPDATE calls SET hold_since = CASE WHEN :on THEN coalesce(hold_since, now()) END WHERE tenant_id = :tenant_id AND id = :id

-- name: adopt_conference
UPDATE calls SET conference_sid = :conference_sid WHERE tenant_id = :tenant_id AND id = :id

-- name: set_line_kind
UPDATE calls SET line_kind = :line_kind WHERE tenant_id = :tenant_id AND id = :id

-- name: has_live_inbound
-- Whether somebody talks with the contact who called in.
SELECT EXISTS (SELECT FROM calls k WHERE k.tenant_id = :tenant_id AND k.contact_id = :contact_id AND k.direction = 'inbound'
    AND k.state IN ('queued', 'dialing', 'ringing', 'in_progress'))

-- name: set_disposition
UPDATE calls SET disposition = :disposition, note = coalesce(:note, note) WHERE tenant_id = :tenant_id AND id = :id

-- name: touch_call
-- Takes a silent call for a check; no row when it is over, or was heard of or taken meanwhile.
UPDATE calls SET checked_at = now()
WHERE tenant_id = :tenant_id AND id = :id AND checked_at <= now() - make_interval(secs => :silent_s)
  AND state IN ('queued', 'dialing', 'ringing', 'in_progress')
RETURNING id

-- name: unheard
-- Silent live calls of any tenant.
SELECT tenant_id, id FROM calls_unheard(:silent_s, :limit)


-- name: insert_leg
-- Somebody who is to be in a call. The unique indexes refuse one who is in it.
INSERT INTO call_legs (tenant_id, call_id, kind, user_id, line_id, address, mode, muted, takes_over, ring_s)
VALUES (:tenant_id, :call_id, :kind, :person_id, :line_id, :address, :mode, :muted, :takes_over, :ring_s)
RETURNING id

-- name: lock_leg
-- A leg, held until the transaction ends. Whoever locks both locks the call first.
SELECT l.id, l.call_id, l.kind, l.user_id, l.line_id, l.address, l.mode, l.state, l.provider_sid, l.muted, l.takes_over,
       l.ring_s, l.created_at, l.asked_at, l.joined_at, l.leave_asked_at, l.changes, now() AS now
FROM call_legs l WHERE l.tenant_id = :tenant_id AND l.call_id = :call_id AND l.id = :id
FOR UPDATE

-- name: live_legs
-- Everybody in a call, oldest first.
SELECT l.id, l.call_id, l.kind, l.user_id, l.line_id, l.address, l.mode, l.state, l.provider_sid, l.muted, l.takes_over,
       l.ring_s, l.created_at, l.asked_at, l.joined_at, l.leave_asked_at, l.changes, now() AS now
FROM call_legs l
WHERE l.tenant_id = :tenant_id AND l.call_id = :call_id AND l.state IN ('asked', 'ringing', 'joined')
ORDER BY l.created_at, l.id
FOR UPDATE

-- name: move_leg
UPDATE call_legs SET state = :state, error = coalesce(:error, error), checked_at = now(),
    joined_at = coalesce(joined_at, CASE WHEN :state = 'joined' THEN now() END),
    left_at = coalesce(left_at, CASE WHEN :state IN ('left', 'failed') THEN now() END)
WHERE tenant_id = :tenant_id AND id = :id

-- name: ask_leg
-- The intent: from here on the provider may have been asked for this leg.
UPDATE call_legs SET asked_at = now(), checked_at = now(), address = :address WHERE tenant_id = :tenant_id AND id = :id

-- name: unask_leg
UPDATE call_legs SET asked_at = NULL WHERE tenant_id = :tenant_id AND id = :id AND provider_sid IS NULL

-- name: adopt_leg_sid
UPDATE call_legs SET provider_sid = :sid, checked_at = now() WHERE tenant_id = :tenant_id AND id = :id AND provider_sid IS NULL

-- name: ask_leg_to_leave
UPDATE call_legs SET leave_asked_at = coalesce(leave_asked_at, now()) WHERE tenant_id = :tenant_id AND id = :id

-- name: set_leg_muted
UPDATE call_legs SET muted = :muted, changes = changes + 1 WHERE tenant_id = :tenant_id AND id = :id

-- name: set_leg_mode
UPDATE call_legs SET mode = :mode, muted = (:mode = 'listen'), changes = changes + 1 WHERE tenant_id = :tenant_id AND id = :id

-- name: make_leg_the_reps
UPDATE call_legs SET kind = 'rep' WHERE tenant_id = :tenant_id AND id = :id

-- name: mark_takes_over
UPDATE call_legs SET takes_over = :takes_over WHERE tenant_id = :tenant_id AND id = :id

-- name: was_their_call
-- Whether somebody was in a call as its rep.
SELECT EXISTS (SELECT FROM call_legs l
    WHERE l.tenant_id = :tenant_id AND l.call_id = :call_id AND l.kind = 'rep' AND l.user_id = :person_id)

-- name: other_call_of
-- Another live call that somebody is in, as anything but a listener.
SELECT l.call_id FROM call_legs l
JOIN calls k ON k.tenant_id = l.tenant_id AND k.id = l.call_id
WHERE l.tenant_id = :tenant_id AND l.user_id = :person_id AND l.kind <> 'supervisor' AND l.call_id <> :call_id
  AND l.state IN ('asked', 'ringing', 'joined') AND k.state IN ('queued', 'dialing', 'ringing', 'in_progress')
LIMIT 1

-- name: get_listeners
-- Who listens to a call, shown or not.
SELECT coalesce(json_agg({{leg_json}} ORDER BY l.created_at, l.id), '[]'::json)::text AS json
FROM call_legs l
WHERE l.tenant_id = :tenant_id AND l.call_id = :call_id AND l.kind = 'supervisor' AND l.state IN ('asked', 'ringing', 'joined')

-- name: end_legs
-- The call is over: who was not asked is out, and whoever was is to leave.
UPDATE call_legs SET leave_asked_at = coalesce(leave_asked_at, now()),
    state = CASE WHEN line_id IS NOT NULL OR asked_at IS NULL THEN 'left' ELSE state END,
    left_at = CASE WHEN line_id IS NOT NULL OR asked_at IS NULL THEN now() ELSE left_at END
WHERE tenant_id = :tenant_id AND call_id = :call_id AND state IN ('asked', 'ringing', 'joined')
RETURNING id, kind, user_id, line_id, provider_sid, state

-- name: touch_leg
-- Takes a silent leg for a check; no row when it is out, or was heard of or taken meanwhile.
UPDATE call_legs SET checked_at = now()
WHERE tenant_id = :tenant_id AND id = :id AND checked_at <= now() - make_interval(secs => :silent_s)
  AND state IN ('asked', 'ringing', 'joined')
RETURNING id, call_id

-- name: unheard_legs
-- Silent legs of any tenant.
SELECT tenant_id, id FROM legs_unheard(:silent_s, :limit)

-- name: person_name
-- A member who is active, by name.
SELECT u.name FROM members m JOIN users u ON u.id = m.user_id
WHERE m.tenant_id = :tenant_id AND m.user_id = :person_id AND m.status = 'active'

-- name: insert_audit
INSERT INTO call_audit (tenant_id, call_id, actor_id, action, detail)
VALUES (:tenant_id, :call_id, :user_id, :action, :detail::jsonb)

-- name: list_audit
-- What was done in a call, oldest first.
SELECT json_build_object('id', a.id, 'at', a.at, 'action', a.action, 'detail', a.detail,
    'actor', (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = a.actor_id))::text AS json,
    a.at::text AS key, a.id
FROM call_audit a
WHERE a.tenant_id = :tenant_id AND a.call_id = :call_id
--? hide_listeners AND a.action NOT IN ('listen', 'whisper', 'barge', 'stopped') AND a.detail ->> 'kind' IS DISTINCT FROM 'supervisor'
--? after          AND (a.at, a.id) > (:after::timestamptz, :after_id::uuid)
ORDER BY a.at, a.id
LIMIT :limit

-- name: call_of_sid
SELECT k.id FROM calls k WHERE k.tenant_id = :tenant_id AND k.provider_sid = :sid

-- name: insert_joined_leg
-- A rep who has answered already.
INSERT INTO call_legs (tenant_id, call_id, kind, user_id, address, state, provider_sid, asked_at, joined_at)
VALUES (:tenant_id, :call_id, 'rep', :person_id, :address, 'joined', :sid, now(), now())

-- name: set_outcome
UPDATE calls SET outcome = :outcome WHERE tenant_id = :tenant_id AND id = :id
