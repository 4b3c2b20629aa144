-- The company's telephone numbers.

-- fragment: number_json
-- A number as clients get it; needs `numbers n`.
(SELECT json_build_object(
    'id', n.id, 'e164', n.e164, 'label', n.label, 'state', n.state, 'error', n.error, 'country', n.country,
    'region', n.region, 'locality', n.locality, 'area_code', n.area_code, 'time_zone', n.time_zone,
    'voice', n.voice, 'sms', n.sms, 'shared', false,
    'user', (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = n.user_id),
    'team', (SELECT json_build_object('id', t.id, 'name', t.name) FROM teams t WHERE t.tenant_id = n.tenant_id AND t.id = n.team_id),
    'routing', json_build_object(
        'kind', coalesce(r.kind, 'assigned'),
        'user', (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = r.user_id),
        'team', (SELECT json_build_object('id', t.id, 'name', t.name) FROM teams t WHERE t.tenant_id = n.tenant_id AND t.id = r.team_id),
        'hours', r.hours, 'ring_s', coalesce(r.ring_s, 20), 'voicemail', coalesce(r.voicemail, true),
        'greeting', coalesce(r.greeting, ''), 'closed_greeting', coalesce(r.closed_greeting, '')),
    'created_at', n.created_at)
 FROM (SELECT) AS one LEFT JOIN number_routes r ON r.tenant_id = n.tenant_id AND r.number_id = n.id)

-- name: list_numbers
-- A page of the numbers the company has or is getting, by their digits; `every` shows those it had, too.
SELECT ({{number_json}})::text AS json, n.e164 AS key, n.id
FROM numbers n
WHERE n.tenant_id = :tenant_id
--? current AND n.state NOT IN ('released', 'failed')
--? after_id AND (n.e164, n.id) > (:after_key, :after_id::uuid)
ORDER BY n.e164, n.id
LIMIT :limit

-- name: get_number
SELECT ({{number_json}})::text AS json, n.version FROM numbers n WHERE n.tenant_id = :tenant_id AND n.id = :id

-- name: lock_number
-- The number, held until the transaction ends.
SELECT n.id, n.e164, n.state, n.provider_sid, n.asked_at, n.version, n.user_id, n.team_id, n.label
FROM numbers n WHERE n.tenant_id = :tenant_id AND n.id = :id
FOR UPDATE

-- name: claim
-- Whether the number is this company's to buy.
SELECT number_claim(:e164)

-- name: unclaim
SELECT number_unclaim(:e164)

-- name: insert_number
-- A number that is to be bought; numbers_taken refuses one that the company has.
INSERT INTO numbers (tenant_id, e164, label, country, region, locality, area_code, time_zone, created_by)
VALUES (:tenant_id, :e164, :label, :country, :region, :locality, :area_code, :time_zone, :user_id)
RETURNING id

-- name: ask_number
-- The intent: from here on the provider may have been asked.
UPDATE numbers SET asked_at = now() WHERE tenant_id = :tenant_id AND id = :id

-- name: unask_number
-- The provider was certainly not asked, or certainly does not have it for us.
UPDATE numbers SET asked_at = NULL WHERE tenant_id = :tenant_id AND id = :id AND state = 'buying'

-- name: record_bought
UPDATE numbers SET state = 'active', provider_sid = :sid, voice = :voice, sms = :sms, version = version + 1
WHERE tenant_id = :tenant_id AND id = :id AND state = 'buying'

-- name: record_failed
UPDATE numbers SET state = 'failed', error = :error, version = version + 1
WHERE tenant_id = :tenant_id AND id = :id AND state = 'buying'

-- name: begin_release
UPDATE numbers SET state = 'releasing', version = version + 1 WHERE tenant_id = :tenant_id AND id = :id AND state = 'active'

-- name: record_released
UPDATE numbers SET state = 'released', released_at = now(), user_id = NULL, team_id = NULL, version = version + 1
WHERE tenant_id = :tenant_id AND id = :id AND state = 'releasing'

-- name: keep_number
-- The provider would not let it go.
UPDATE numbers SET state = 'active', error = :error, version = version + 1
WHERE tenant_id = :tenant_id AND id = :id AND state = 'releasing'

-- name: forget_route
-- A number that was given back rings nobody.
UPDATE number_routes SET kind = 'assigned', user_id = NULL, team_id = NULL WHERE tenant_id = :tenant_id AND number_id = :id

-- name: update_number
-- Changes the given fields.
UPDATE numbers SET
--? set_label     label = :label,
--? set_time_zone time_zone = :time_zone,
--? set_user      user_id = :to_user,
--? set_team      team_id = :to_team,
    version = version + 1
WHERE tenant_id = :tenant_id AND id = :id

-- name: ensure_route
INSERT INTO number_routes (tenant_id, number_id) VALUES (:tenant_id, :id) ON CONFLICT DO NOTHING

-- name: update_route
-- Changes the given fields of who answers.
UPDATE number_routes SET
--? set_kind      kind = :kind,
--? set_kind      user_id = :to_user,
--? set_kind      team_id = :to_team,
--? set_hours     hours = :hours::jsonb,
--? set_ring_s    ring_s = :ring_s,
--? set_voicemail voicemail = :voicemail,
--? set_greeting  greeting = :greeting,
--? set_closed_greeting closed_greeting = :closed_greeting,
    number_id = number_id
WHERE tenant_id = :tenant_id AND number_id = :id

-- name: caller_id
-- The number to show: the rep's own first, then one that looks local (area code, then state or country), then their team's.
-- Numbers of other people and of other teams are not theirs to show. `rank` 5 is a number of nobody's that is not local.
SELECT n.id, n.e164, CASE
        WHEN n.user_id IS NOT NULL THEN 1
        WHEN n.country = :country AND n.area_code = :area_code AND n.area_code <> '' THEN 2
        WHEN n.country = :country AND n.region = :region AND (n.region <> '' OR n.area_code = '') THEN 3
        WHEN n.team_id IS NOT NULL THEN 4
        ELSE 5 END AS rank
FROM numbers n
WHERE n.tenant_id = :tenant_id AND n.state = 'active'
  AND (n.user_id = :caller_id OR (n.user_id IS NULL AND (n.team_id IS NULL OR EXISTS (
        SELECT FROM team_members tm WHERE tm.tenant_id = n.tenant_id AND tm.team_id = n.team_id AND tm.user_id = :caller_id))))
--? for_voice AND n.voice
--? for_sms   AND n.sms
ORDER BY rank,
    (n.country = :country AND n.area_code = :area_code) DESC, (n.country = :country AND n.region = :region) DESC, n.created_at, n.id
LIMIT 1

-- name: usable_number
-- A number that this person may call or write from, asked for by its digits.
SELECT n.id FROM numbers n
WHERE n.tenant_id = :tenant_id AND n.e164 = :e164 AND n.state = 'active'
  AND (n.user_id IS NULL OR n.user_id = :caller_id OR :is_manager::boolean)
  AND (n.team_id IS NULL OR :is_manager::boolean OR EXISTS (
        SELECT FROM team_members tm WHERE tm.tenant_id = n.tenant_id AND tm.team_id = n.team_id AND tm.user_id = :caller_id))
LIMIT 1
