-- Calls.

-- fragment: call_json
-- A call as clients get it; needs `calls k`.
json_build_object(
    'id', k.id, 'contact_id', k.contact_id, 'user_id', k.user_id, 'state', k.state, 'direction', k.direction,
    'to', k.to_number, 'from', k.from_number, 'started_at', k.created_at, 'answered_at', k.answered_at,
    'ended_at', k.ended_at, 'outcome', k.outcome, 'disposition', k.disposition, 'note', k.note, 'error', k.error,
    'contact_name', (SELECT coalesce(nullif(trim(n.first_name || ' ' || n.last_name), ''), nullif(n.company, ''), k.to_number)
        FROM contacts n WHERE n.tenant_id = k.tenant_id AND n.id = k.contact_id))

-- name: insert_call
-- A call that is to be dialed. The unique indexes on live calls refuse a second one for the contact or for the rep.
INSERT INTO calls (tenant_id, contact_id, user_id, to_number, from_number)
VALUES (:tenant_id, :contact_id, :user_id, :to_number, :from_number)
RETURNING id

-- name: get_call
SELECT ({{call_json}})::text AS json, k.user_id, k.state
FROM calls k WHERE k.tenant_id = :tenant_id AND k.id = :id

-- name: lock_call
-- The call, held until the transaction ends, so that states move one at a time.
SELECT k.id, k.contact_id, k.user_id, k.state, k.to_number, k.from_number, k.created_at, k.asked_at, k.provider_sid,
       k.answered_at, k.hangup_asked_at, k.disposition, now() AS now
FROM calls k WHERE k.tenant_id = :tenant_id AND k.id = :id
FOR UPDATE

-- name: list_calls
-- A page of calls, newest first.
SELECT ({{call_json}})::text AS json, k.created_at::text AS key, k.id
FROM calls k
WHERE k.tenant_id = :tenant_id
--? contact_id AND k.contact_id = :contact_id
--? of_user    AND k.user_id = :of_user
--? states     AND k.state = ANY (:states::text[])
--? since      AND k.created_at >= :since
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
    outcome = coalesce(:outcome, outcome), error = coalesce(:error, error), checked_at = now()
WHERE tenant_id = :tenant_id AND id = :id

-- name: ask_hangup
UPDATE calls SET hangup_asked_at = coalesce(hangup_asked_at, now()) WHERE tenant_id = :tenant_id AND id = :id

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

-- name: store_delivery
-- A verified webhook; no row when the same one is already here.
INSERT INTO webhook_deliveries (tenant_id, provider, dedupe_key, payload)
VALUES (:tenant_id, :provider, :dedupe_key, :payload::jsonb)
ON CONFLICT ON CONSTRAINT webhook_deliveries_once DO NOTHING
RETURNING id

-- name: get_delivery
SELECT payload::text AS payload FROM webhook_deliveries WHERE tenant_id = :tenant_id AND id = :id
