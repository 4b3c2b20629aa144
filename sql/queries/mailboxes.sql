-- Mailboxes: settings, the sync's notes, the meter, privacy.

-- fragment: visible_mailbox
-- Whether the person :user_id may see the mail of a mailbox: their own, their team's, everybody's. A role opens nothing. Needs
-- `mailboxes b`.
(b.user_id = :user_id OR b.visibility = 'everyone' OR (b.visibility = 'team' AND EXISTS (
    SELECT FROM team_members tm WHERE tm.tenant_id = b.tenant_id AND tm.team_id = b.team_id AND tm.user_id = :user_id)))

-- fragment: mailbox_meter
-- How far a mailbox is behind its provider, as clients get it; needs `mailboxes b`. Nothing counts as current that was not
-- measured in the last five minutes.
(SELECT json_build_object(
    'behind', b.behind, 'oldest_s', greatest(extract(epoch FROM now() - b.oldest_behind_at), 0)::int,
    'measured_at', b.measured_at, 'last_sync_at', b.last_sync_at, 'pushes', b.watch_until > now() AND b.last_push_at IS NOT NULL,
    'state', meter.state,
    'words', CASE meter.state
        WHEN 'disconnected' THEN 'Disconnected: nothing is taken in.'
        WHEN 'paused' THEN CASE WHEN b.owner_gone_at IS NULL THEN 'Paused: nothing is taken in.'
            ELSE 'Its owner is no active member: nothing is taken in or sent.' END
        WHEN 'revoked' THEN 'The provider refuses access. Connect it again.'
        WHEN 'failing' THEN 'The provider could not be asked: ' || coalesce(b.error, 'no answer.')
        WHEN 'first_sync' THEN CASE b.first_sync ->> 'why' WHEN 'compare' THEN 'Comparing everything anew: ' ELSE 'First sync: ' END || to_char((b.first_sync ->> 'done')::int, 'FM999,999,990')
            || coalesce(' of ' || to_char((b.first_sync ->> 'total')::int, 'FM999,999,990'), '') || ' messages.'
        WHEN 'unmeasured' THEN 'Not measured yet.'
        WHEN 'stale' THEN 'Not measured for ' || (extract(epoch FROM now() - b.measured_at) / 60)::int || ' minutes.'
        WHEN 'behind' THEN 'Behind by ' || b.behind || CASE b.behind WHEN 1 THEN ' message' ELSE ' messages' END
            || coalesce(', the oldest by ' || greatest(extract(epoch FROM now() - b.oldest_behind_at), 0)::int || ' s', '') || '.'
        ELSE 'Nothing is missing.' END,
    'first_sync', json_build_object('state', b.first_sync -> 'state', 'done', b.first_sync -> 'done', 'total', b.first_sync -> 'total'))
 FROM (SELECT CASE
    WHEN b.state IN ('disconnected', 'paused', 'revoked', 'failing') THEN b.state
    WHEN b.first_sync ->> 'state' <> 'done' THEN 'first_sync'
    WHEN b.measured_at IS NULL THEN 'unmeasured'
    WHEN b.measured_at < now() - interval '5 minutes' THEN 'stale'
    WHEN b.behind > 0 THEN 'behind'
    ELSE 'current' END AS state) AS meter)

-- fragment: mailbox_json
-- A mailbox as clients get it; needs `mailboxes b`.
json_build_object(
    'id', b.id,
    'user', (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = b.user_id),
    'team', (SELECT json_build_object('id', t.id, 'name', t.name) FROM teams t WHERE t.tenant_id = b.tenant_id AND t.id = b.team_id),
    'kind', b.kind, 'address', b.address, 'display_name', b.display_name, 'state', b.state, 'visibility', b.visibility,
    'signature_html', b.signature_html, 'sync_read', b.sync_read, 'sync_labels', b.sync_labels, 'sync_since', b.sync_since,
    'caps', json_build_object('per_hour', b.per_hour, 'per_day', b.per_day, 'per_week', b.per_week, 'min_gap_s', b.min_gap_s,
        'warm_up', b.warm_up, 'bounce_limit_permille', b.bounce_limit_permille),
    'meter', {{mailbox_meter}},
    'error', b.error, 'stopped_reason', b.stopped_reason, 'created_at', b.created_at)

-- fragment: mailbox_row
-- What the server itself needs of a mailbox; needs `mailboxes b`.
b.tenant_id, b.id, b.user_id, b.team_id, b.kind, b.address, b.display_name, b.state, b.visibility, b.signature_html, b.sealed,
b.cursor, b.sync_since, b.first_sync::text AS first_sync, b.watch_until, b.last_push_at, b.failures, b.behind, b.oldest_behind_at,
b.measured_at, b.error, b.sync_read, b.sync_labels, b.per_hour, b.per_day, b.per_week, b.min_gap_s, b.warm_up::text AS warm_up,
b.bounce_limit_permille, b.stopped_reason, b.created_at, b.connected_at, b.compared_at, b.owner_gone_at, b.version

-- name: list_mailboxes
-- A page of the mailboxes that a person sees, by address; managers see every one that is not private, or whose owner is gone.
SELECT ({{mailbox_json}})::text AS json, b.address_lc AS key, b.id
FROM mailboxes b
WHERE b.tenant_id = :tenant_id AND b.state <> 'disconnected'
  AND ({{visible_mailbox}} OR (:is_manager::boolean AND (b.visibility <> 'private' OR b.owner_gone_at IS NOT NULL)))
--? after_id AND (b.address_lc, b.id) > (:after_key, :after_id::uuid)
ORDER BY b.address_lc, b.id
LIMIT :limit

-- name: get_mailbox
-- A mailbox that a person sees; no row for one that they do not.
SELECT ({{mailbox_json}})::text AS json, b.version, b.user_id, b.visibility, b.kind, b.state
FROM mailboxes b
WHERE b.tenant_id = :tenant_id AND b.id = :id
  AND ({{visible_mailbox}} OR (:is_manager::boolean AND (b.visibility <> 'private' OR b.owner_gone_at IS NOT NULL)))

-- name: mailbox_json
SELECT ({{mailbox_json}})::text FROM mailboxes b WHERE b.tenant_id = :tenant_id AND b.id = :id

-- name: mailbox_meter
SELECT ({{mailbox_meter}})::text FROM mailboxes b WHERE b.tenant_id = :tenant_id AND b.id = :id

-- name: get_row
SELECT {{mailbox_row}} FROM mailboxes b WHERE b.tenant_id = :tenant_id AND b.id = :id

-- name: lock_row
-- The mailbox, held until the transaction ends.
SELECT {{mailbox_row}} FROM mailboxes b WHERE b.tenant_id = :tenant_id AND b.id = :id FOR NO KEY UPDATE

-- name: is_visible
-- Whether a person may see a mailbox's mail.
SELECT {{visible_mailbox}} FROM mailboxes b WHERE b.tenant_id = :tenant_id AND b.id = :id

-- name: team_people
-- The people who see a team's mailbox.
SELECT tm.user_id FROM team_members tm WHERE tm.tenant_id = :tenant_id AND tm.team_id = :of_team ORDER BY tm.user_id

-- name: find_by_address
-- The company's mailbox of an address, held; the connected one before those that were disconnected.
SELECT {{mailbox_row}} FROM mailboxes b
WHERE b.tenant_id = :tenant_id AND b.address_lc = :address_lc AND (b.state <> 'disconnected' OR b.user_id = :owner_id)
ORDER BY (b.state = 'disconnected'), b.created_at DESC, b.id DESC LIMIT 1
FOR NO KEY UPDATE

-- name: insert_mailbox
INSERT INTO mailboxes (tenant_id, id, user_id, team_id, kind, address, address_lc, display_name, visibility, sealed, sync_since,
    connected_at)
VALUES (:tenant_id, :id, :owner_id, :to_team, :kind, :address, :address_lc, :display_name, :visibility, :sealed,
    now() - make_interval(days => :since_days), now())

-- name: connect_again
-- New access to a mailbox that is here already. What was taken in stays, and the sync goes on where it stood.
UPDATE mailboxes SET sealed = :sealed, kind = :kind, error = NULL, failures = 0, queued_at = NULL, next_poll_at = now(),
    behind = NULL, oldest_behind_at = NULL, measured_at = NULL, next_measure_at = now(), watch_until = NULL, watch_checked_at = NULL,
    owner_gone_at = NULL, first_sync = CASE WHEN cursor IS NULL THEN '{"state": "waiting", "total": null, "done": 0}' ELSE first_sync END,
    state = CASE WHEN cursor IS NOT NULL AND first_sync ->> 'state' = 'done' THEN 'active' ELSE 'connecting' END,
    connected_at = CASE WHEN state = 'disconnected' THEN now() ELSE connected_at END, disconnected_at = NULL, version = version + 1
WHERE tenant_id = :tenant_id AND id = :id

-- name: update_mailbox
-- Changes the given fields.
UPDATE mailboxes SET
--? set_display_name   display_name = :display_name,
--? set_visibility     visibility = :visibility,
--? set_owner          user_id = :new_owner_id,
--? set_team           team_id = :to_team,
--? set_signature_html signature_html = :signature_html,
--? set_sync_read      sync_read = :sync_read,
--? set_sync_labels    sync_labels = :sync_labels,
--? set_sync_since     sync_since = :sync_since,
--? set_sync_since     first_sync = '{"state": "waiting", "total": null, "done": 0}',
--? set_per_hour       per_hour = :per_hour,
--? set_per_day        per_day = :per_day,
--? set_per_week       per_week = :per_week,
--? set_min_gap_s      min_gap_s = :min_gap_s,
--? set_warm_up        warm_up = :warm_up::jsonb,
--? set_bounce_limit_permille bounce_limit_permille = :bounce_limit_permille,
    version = version + 1
WHERE tenant_id = :tenant_id AND id = :id

-- name: move_mailbox
-- The one statement that changes a mailbox's state.
UPDATE mailboxes SET state = :state, error = :error, version = version + 1
WHERE tenant_id = :tenant_id AND id = :id AND (state <> :state OR error IS DISTINCT FROM :error)

-- name: resume_mailbox
-- It is taken in again, and a sender that had stopped sends again.
UPDATE mailboxes SET state = CASE WHEN state <> 'paused' THEN state WHEN first_sync ->> 'state' = 'done' THEN 'active'
        ELSE 'connecting' END,
    error = CASE WHEN state = 'paused' THEN NULL ELSE error END, failures = 0, next_poll_at = now(), next_measure_at = now(),
    queued_at = NULL, stopped_reason = NULL, stopped_at = NULL, version = version + 1
WHERE tenant_id = :tenant_id AND id = :id

-- name: rest_mailboxes
-- Those of a person's private mailboxes that are asked rest, if the person is no active member.
UPDATE mailboxes b SET state = 'paused', owner_gone_at = now(), queued_at = NULL,
    error = (SELECT u.name FROM users u WHERE u.id = b.user_id) || ' is no active member of the company: nothing is taken in or sent.',
    version = version + 1
FROM members m
WHERE b.tenant_id = :tenant_id AND b.user_id = :owner_id AND b.visibility = 'private'
  AND b.state IN ('connecting', 'syncing', 'active', 'failing')
  AND m.tenant_id = :tenant_id AND m.user_id = :owner_id AND m.status <> 'active'
RETURNING b.id

-- name: mailboxes_at_rest
-- A person's mailboxes that rest because the person was gone, held.
SELECT {{mailbox_row}} FROM mailboxes b
WHERE b.tenant_id = :tenant_id AND b.user_id = :owner_id AND b.state = 'paused' AND b.owner_gone_at IS NOT NULL
ORDER BY b.id FOR NO KEY UPDATE

-- name: wake_mailbox
-- It is asked again; no row while its owner is no active member.
UPDATE mailboxes b SET state = CASE WHEN b.first_sync ->> 'state' = 'done' THEN 'active' ELSE 'connecting' END, owner_gone_at = NULL,
    error = NULL, failures = 0, next_poll_at = now(), next_measure_at = now(), version = b.version + 1
FROM members m
WHERE b.tenant_id = :tenant_id AND b.id = :id AND b.state = 'paused' AND b.owner_gone_at IS NOT NULL
  AND m.tenant_id = :tenant_id AND m.user_id = b.user_id AND m.status = 'active'
RETURNING b.id

-- name: stop_sending
-- It sends nothing by itself until somebody lets it again; no row when it stands still already.
UPDATE mailboxes SET stopped_reason = :reason, stopped_at = now(), version = version + 1
WHERE tenant_id = :tenant_id AND id = :id AND stopped_reason IS NULL
RETURNING id

-- name: disconnect_mailbox
UPDATE mailboxes SET state = 'disconnected', disconnected_at = now(), owner_gone_at = NULL, error = NULL, behind = NULL, oldest_behind_at = NULL,
    measured_at = NULL, queued_at = NULL, version = version + 1
WHERE tenant_id = :tenant_id AND id = :id

-- name: forget_secret
-- Nothing can be asked of the provider any more.
UPDATE mailboxes SET sealed = NULL, watch_until = NULL, cursor = NULL
WHERE tenant_id = :tenant_id AND id = :id AND state = 'disconnected'

-- name: reseal
UPDATE mailboxes SET sealed = :sealed WHERE tenant_id = :tenant_id AND id = :id AND sealed = :was

-- name: set_watch
-- Pushes come until then; null where there are none.
UPDATE mailboxes SET watch_until = :until::timestamptz, watch_checked_at = now() WHERE tenant_id = :tenant_id AND id = :id

-- name: note_push
-- A push came: it need not be asked so often.
UPDATE mailboxes SET last_push_at = now() WHERE tenant_id = :tenant_id AND id = :id
  AND state IN ('connecting', 'syncing', 'active', 'failing')

-- name: distrust_pushes
-- Asking found what no push had told of.
UPDATE mailboxes SET last_push_at = NULL WHERE tenant_id = :tenant_id AND id = :id AND last_push_at < now() - interval '5 seconds'

-- name: queue_syncs
-- These mailboxes are to be asked; those for which a job waits already are left out. The next asking is due after its usual
-- pause, should the job be lost.
UPDATE mailboxes SET queued_at = now(), next_poll_at = now() + {{poll_pause}}
WHERE tenant_id = :tenant_id AND id = ANY (:ids::uuid[]) AND state IN ('connecting', 'syncing', 'active', 'failing')
  AND (queued_at IS NULL OR queued_at < now() - make_interval(secs => :lost_after_s))
RETURNING id

-- name: postpone_polls
-- A job waits for them already.
UPDATE mailboxes SET next_poll_at = now() + interval '2 seconds'
WHERE tenant_id = :tenant_id AND id = ANY (:ids::uuid[]) AND next_poll_at <= now()

-- fragment: poll_pause
-- The pause between two askings: long while pushes are known to come, short otherwise, longer with every failure.
CASE WHEN failures > 0 THEN make_interval(secs => least(8 * 2 ^ least(failures, 10), 300))
     WHEN watch_until > now() AND last_push_at IS NOT NULL THEN interval '60 seconds'
     ELSE interval '7 seconds' END

-- name: begin_sync
-- Its job runs: what comes from now on needs another.
UPDATE mailboxes SET queued_at = NULL WHERE tenant_id = :tenant_id AND id = :id

-- name: touch_history
-- Somebody is at its old mail, or waits for a turn at it.
UPDATE mailboxes SET history_at = now() WHERE tenant_id = :tenant_id AND id = :id

-- name: resume_history
-- Whether its old mail was left lying: nobody was at it for a while.
UPDATE mailboxes SET history_at = now()
WHERE tenant_id = :tenant_id AND id = :id AND first_sync ->> 'state' <> 'done'
  AND (history_at IS NULL OR history_at < now() - make_interval(secs => :lost_after_s))
RETURNING id

-- name: save_cursor
-- Everything up to here was taken in.
UPDATE mailboxes SET cursor = :cursor, last_sync_at = now(), failures = 0, next_poll_at = now() + {{poll_pause}}
WHERE tenant_id = :tenant_id AND id = :id

-- name: set_first_cursor
-- Where the history stood when the first sync began; changes are taken in from here.
UPDATE mailboxes SET cursor = :cursor WHERE tenant_id = :tenant_id AND id = :id AND cursor IS NULL

-- name: note_failure
-- The provider could not be asked; how often in a row.
UPDATE mailboxes SET failures = failures + 1, error = :error, next_poll_at = now() + {{poll_pause}}
WHERE tenant_id = :tenant_id AND id = :id
RETURNING failures

-- name: set_first_sync
-- How far the first sync is.
UPDATE mailboxes SET first_sync = :first_sync::jsonb WHERE tenant_id = :tenant_id AND id = :id

-- name: compare_soon
-- Everything is to be compared, not only the last days.
UPDATE mailboxes SET compared_at = NULL, next_measure_at = now() WHERE tenant_id = :tenant_id AND id = :id

-- name: restart_history
-- The provider can't say what changed: everything is listed anew, and changes count from then on.
UPDATE mailboxes SET cursor = NULL, first_sync = '{"state": "waiting", "why": "compare", "total": null, "done": 0}'
WHERE tenant_id = :tenant_id AND id = :id

-- name: take_lease
-- The lease on a part of a mailbox's sync, if nobody holds it; its fence.
INSERT INTO mailbox_leases AS l (tenant_id, mailbox_id, kind, until)
VALUES (:tenant_id, :mailbox_id, :kind, now() + make_interval(secs => :lease_s))
ON CONFLICT (tenant_id, mailbox_id, kind) DO UPDATE SET fence = l.fence + 1, until = excluded.until, again = false
    WHERE l.until <= now()
RETURNING fence

-- name: ask_again
-- Whoever holds the lease is to go round once more; no row when nobody does.
UPDATE mailbox_leases SET again = true
WHERE tenant_id = :tenant_id AND mailbox_id = :mailbox_id AND kind = :kind AND until > now()
RETURNING fence

-- name: hold_lease
-- Holds it longer; no row when somebody else has it meanwhile, or the mailbox is not to be asked any more.
UPDATE mailbox_leases SET until = now() + make_interval(secs => :lease_s)
WHERE tenant_id = :tenant_id AND mailbox_id = :mailbox_id AND kind = :kind AND fence = :fence
  AND EXISTS (SELECT FROM mailboxes b WHERE b.tenant_id = :tenant_id AND b.id = :mailbox_id
      AND b.state IN ('connecting', 'syncing', 'active', 'failing'))
RETURNING again

-- name: heed_again
-- Takes note that it is to go round once more.
UPDATE mailbox_leases SET again = false
WHERE tenant_id = :tenant_id AND mailbox_id = :mailbox_id AND kind = :kind AND fence = :fence AND again
RETURNING fence

-- name: release_lease
UPDATE mailbox_leases SET until = now(), again = false
WHERE tenant_id = :tenant_id AND mailbox_id = :mailbox_id AND kind = :kind AND fence = :fence
RETURNING fence

-- name: known_messages
-- Which of these were taken in already, or failed too often to be tried at once again.
SELECT m.provider_id, m.taken_at IS NOT NULL AS taken, m.attempts FROM mailbox_messages m
WHERE m.tenant_id = :tenant_id AND m.mailbox_id = :mailbox_id AND m.provider_id = ANY (:ids::text[])

-- name: note_taken
INSERT INTO mailbox_messages AS m (tenant_id, mailbox_id, provider_id, thread_id, received_at, taken_at)
VALUES (:tenant_id, :mailbox_id, :provider_id, :thread_id, :received_at, now())
ON CONFLICT (tenant_id, mailbox_id, provider_id) DO UPDATE
    SET taken_at = coalesce(m.taken_at, excluded.taken_at), received_at = excluded.received_at, problem = NULL, deleted_at = NULL

-- name: note_problem
-- A message that could not be taken in: it counts as missing until it is.
INSERT INTO mailbox_messages AS m (tenant_id, mailbox_id, provider_id, thread_id, received_at, attempts, problem)
VALUES (:tenant_id, :mailbox_id, :provider_id, :thread_id, :received_at, 1, :problem)
ON CONFLICT (tenant_id, mailbox_id, provider_id) DO UPDATE SET attempts = m.attempts + 1, problem = excluded.problem
    WHERE m.taken_at IS NULL

-- name: note_deleted
-- The provider has it no more; what was taken in stays.
UPDATE mailbox_messages SET deleted_at = now()
WHERE tenant_id = :tenant_id AND mailbox_id = :mailbox_id AND provider_id = ANY (:ids::text[]) AND deleted_at IS NULL

-- name: note_measured
-- What comparing with the provider has shown. `soon_s`: when it is to be done again.
UPDATE mailboxes SET behind = :behind, oldest_behind_at = :oldest_at::timestamptz, measured_at = now(),
    next_measure_at = now() + make_interval(secs => :soon_s),
    compared_at = CASE WHEN :whole::boolean THEN now() ELSE compared_at END
WHERE tenant_id = :tenant_id AND id = :id AND state NOT IN ('paused', 'revoked', 'disconnected')

-- name: put_off_measuring
UPDATE mailboxes SET next_measure_at = now() + make_interval(secs => :soon_s) WHERE tenant_id = :tenant_id AND id = ANY (:ids::uuid[])

-- name: list_labels
SELECT json_build_object('data', coalesce(json_agg(json_build_object('id', l.provider_id, 'name', l.name, 'private', l.private)
    ORDER BY l.name, l.provider_id), '[]'::json))::text
FROM mailbox_labels l WHERE l.tenant_id = :tenant_id AND l.mailbox_id = :mailbox_id

-- name: forget_labels
-- Labels that the provider has no more.
DELETE FROM mailbox_labels WHERE tenant_id = :tenant_id AND mailbox_id = :mailbox_id AND NOT provider_id = ANY (:ids::text[])

-- name: put_labels
INSERT INTO mailbox_labels (tenant_id, mailbox_id, provider_id, name, private)
SELECT :tenant_id, :mailbox_id, x.id, x.name, EXISTS (SELECT FROM mail_privacy_rules r WHERE r.tenant_id = :tenant_id
    AND r.mailbox_id = :mailbox_id AND r.kind = 'label' AND r.value_lc = lower(x.id))
FROM unnest(:ids::text[], :names::text[]) AS x (id, name)
ON CONFLICT (tenant_id, mailbox_id, provider_id) DO UPDATE SET name = excluded.name, private = excluded.private

-- name: mark_private_labels
UPDATE mailbox_labels l SET private = EXISTS (SELECT FROM mail_privacy_rules r WHERE r.tenant_id = l.tenant_id
    AND r.mailbox_id = l.mailbox_id AND r.kind = 'label' AND r.value_lc = lower(l.provider_id))
WHERE l.tenant_id = :tenant_id AND l.mailbox_id = :mailbox_id

-- name: list_rules
-- The privacy rules of a mailbox; of the whole company where none is given.
SELECT json_build_object('rules', coalesce(json_agg(json_build_object('id', r.id, 'kind', r.kind, 'value', r.value_lc)
    ORDER BY r.kind, r.value_lc), '[]'::json))::text
FROM mail_privacy_rules r
WHERE r.tenant_id = :tenant_id AND r.mailbox_id IS NOT DISTINCT FROM :mailbox_id::uuid

-- name: rules_that_hold
-- The privacy rules that hold for a mailbox: its own and the company's.
SELECT r.kind, r.value_lc FROM mail_privacy_rules r
WHERE r.tenant_id = :tenant_id AND (r.mailbox_id = :mailbox_id OR r.mailbox_id IS NULL)

-- name: clear_rules
DELETE FROM mail_privacy_rules WHERE tenant_id = :tenant_id AND mailbox_id IS NOT DISTINCT FROM :mailbox_id::uuid

-- name: add_rules
INSERT INTO mail_privacy_rules (tenant_id, mailbox_id, kind, value_lc, created_by)
SELECT :tenant_id, :mailbox_id::uuid, x.kind, x.value, :user_id FROM unnest(:kinds::text[], :values::text[]) AS x (kind, value)

-- name: live_mailboxes
-- All of the company's mailboxes that are connected.
SELECT b.id FROM mailboxes b WHERE b.tenant_id = :tenant_id AND b.state <> 'disconnected'

-- name: add_change
-- A change of labels that the provider is to be told.
INSERT INTO mailbox_changes (tenant_id, mailbox_id, provider_id, thread_id, added, removed, created_by)
VALUES (:tenant_id, :mailbox_id, :provider_id, :thread_id, :added, :removed, :user_id)

-- name: waiting_changes
-- What the provider is still to be told, in its order.
SELECT c.id, c.provider_id, c.thread_id, c.added, c.removed FROM mailbox_changes c
WHERE c.tenant_id = :tenant_id AND c.mailbox_id = :mailbox_id ORDER BY c.id LIMIT :limit

-- name: changes_are_told
DELETE FROM mailbox_changes WHERE tenant_id = :tenant_id AND id = ANY (:ids::uuid[])

-- name: forget_changes
-- Nobody can be told any more.
DELETE FROM mailbox_changes WHERE tenant_id = :tenant_id AND mailbox_id = :mailbox_id

-- name: forget_messages
-- Some of what was taken in and is erased; a connection made anew takes it in anew.
DELETE FROM mailbox_messages WHERE tenant_id = :tenant_id AND mailbox_id = :mailbox_id AND provider_id IN (
    SELECT m.provider_id FROM mailbox_messages m WHERE m.tenant_id = :tenant_id AND m.mailbox_id = :mailbox_id
    ORDER BY m.provider_id LIMIT :limit)
RETURNING provider_id

-- name: insert_oauth_state
INSERT INTO oauth_states (tenant_id, id, state_hash, browser_hash, user_id, team_id, mailbox_id, visibility, since_days, sealed)
VALUES (:tenant_id, :id, :state_hash, :browser_hash, :user_id, :to_team, :mailbox_id, :visibility, :since_days, :sealed)

-- name: oauth_state_take
SELECT * FROM oauth_state_take(:state_hash)

-- name: member_of
-- Who it is that consented.
SELECT m.role, m.role_id, m.status, u.name FROM members m JOIN users u ON u.id = m.user_id
WHERE m.tenant_id = :tenant_id AND m.user_id = :member_id

-- name: team_exists
SELECT t.id FROM teams t WHERE t.tenant_id = :tenant_id AND t.id = :to_team

-- name: is_in_team
SELECT tm.user_id FROM team_members tm WHERE tm.tenant_id = :tenant_id AND tm.team_id = :to_team AND tm.user_id = :user_id

-- name: mailboxes_of_address
SELECT tenant_id, id, kind, state FROM mailboxes_of_address(:address_lc)

-- name: mailboxes_to_poll
SELECT tenant_id, id FROM mailboxes_to_poll(:limit)

-- name: mailboxes_to_rest
SELECT tenant_id, user_id FROM mailboxes_to_rest(:limit)

-- name: mailboxes_to_measure
SELECT tenant_id, id FROM mailboxes_to_measure(:limit)

-- name: mailboxes_to_watch
SELECT tenant_id, id FROM mailboxes_to_watch(interval '2 days', interval '1 hour', :limit)

-- name: mailboxes_to_reseal
SELECT tenant_id, id FROM mailboxes_to_reseal(:prefix, :limit)

-- name: forget_old
-- Consents that nobody finished, and the jobs of mailboxes that were asked and had nothing new.
SELECT oauth_states_forget(), mailbox_jobs_forget()
