-- Enrolments and the steps they take.

-- fragment: contact_named
-- A contact by name; needs `contacts c`.
json_build_object('id', c.id, 'name', coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''), nullif(c.company, ''),
    (SELECT m.address FROM contact_emails m WHERE m.tenant_id = c.tenant_id AND m.contact_id = c.id ORDER BY m.position LIMIT 1), ''))

-- fragment: step_named
-- The place of a step; needs `x.step_id` and `x.tenant_id`.
(SELECT json_build_object('id', t.id, 'position', t.position, 'kind', t.kind)
 FROM sequence_steps t WHERE t.tenant_id = x.tenant_id AND t.id = x.step_id)

-- fragment: enrolment_fields
-- An enrolment's fields as clients get them; needs `enrolments x`.
'id', x.id,
'sequence', (SELECT json_build_object('id', s.id, 'name', s.name) FROM sequences s WHERE s.tenant_id = x.tenant_id AND s.id = x.sequence_id),
'contact', coalesce((SELECT {{contact_named}} FROM contacts c WHERE c.tenant_id = x.tenant_id AND c.id = x.contact_id),
    json_build_object('id', x.contact_id, 'name', '')),
'user', (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = x.user_id),
'mailbox', (SELECT json_build_object('id', b.id, 'address', b.address) FROM mailboxes b
    WHERE b.tenant_id = x.tenant_id AND b.id = x.mailbox_id),
'state', x.state, 'phase', x.phase, 'step', {{step_named}}, 'due_at', CASE WHEN x.state = 'active' AND x.phase = 'act' THEN x.due_at END,
'zone', x.zone, 'reason', x.reason, 'words', x.words, 'explanation', x.explanation, 'resume_at', x.resume_at, 'goal_at', x.goal_at,
'created_at', x.created_at, 'finished_at', x.finished_at, 'version', x.version

-- fragment: enrolment_is_seen
-- Whether who asks sees the contact; needs `enrolments x`. The table's policy does not ask: what is planned reads it by the
-- thousand, from indexes alone.
EXISTS (SELECT FROM contacts o WHERE o.tenant_id = x.tenant_id AND o.id = x.contact_id)

-- fragment: run_json
-- A step that was taken as clients get it; needs `step_runs x`.
json_build_object('id', x.id, 'step', {{step_named}},
    'variant', (SELECT json_build_object('id', v.id, 'label', v.label) FROM step_variants v
        WHERE v.tenant_id = x.tenant_id AND v.id = x.variant_id),
    'state', x.state, 'slot_at', x.slot_at, 'done_at', x.done_at, 'send_id', x.send_id, 'task_id', x.task_id,
    'message_id', x.message_id, 'words', x.words, 'explanation', x.explanation, 'replied_at', x.replied_at,
    'bounced_at', x.bounced_at, 'unsubscribed_at', x.unsubscribed_at)

-- name: list_enrolments
-- A page of enrolments in the order they were made.
SELECT json_build_object({{enrolment_fields}})::text AS json, ''::text AS key, x.id
FROM enrolments x
WHERE x.tenant_id = :tenant_id AND {{enrolment_is_seen}}
--? sequence_id AND x.sequence_id = :sequence_id
--? contact_id  AND x.contact_id = :contact_id
--? state       AND x.state = :state
--? after_id    AND x.id > :after_id
ORDER BY x.id
LIMIT :limit

-- name: get_enrolment
SELECT json_build_object({{enrolment_fields}})::text AS json FROM enrolments x WHERE x.tenant_id = :tenant_id AND x.id = :id

-- name: get_enrolments
-- Several enrolments, for events.
SELECT x.id, json_build_object({{enrolment_fields}})::text AS json FROM enrolments x
WHERE x.tenant_id = :tenant_id AND x.id = ANY (:ids::uuid[])

-- name: get_with_runs
-- An enrolment with the steps it took, and the one that is planned.
WITH runs AS (
    SELECT {{run_json}} AS run, x.slot_at, x.id FROM step_runs x WHERE x.tenant_id = :tenant_id AND x.enrolment_id = :id
    UNION ALL
    SELECT json_build_object('id', NULL, 'step', {{step_named}}, 'variant', NULL, 'state', 'planned', 'slot_at', x.due_at,
        'done_at', NULL, 'send_id', NULL, 'task_id', NULL, 'message_id', NULL, 'words', '', 'explanation', x.explanation,
        'replied_at', NULL, 'bounced_at', NULL, 'unsubscribed_at', NULL), x.due_at, x.id
    FROM enrolments x WHERE x.tenant_id = :tenant_id AND x.id = :id AND x.state = 'active' AND x.phase = 'act'
)
SELECT json_build_object({{enrolment_fields}},
    'runs', coalesce((SELECT json_agg(r.run ORDER BY r.slot_at, r.id) FROM runs r), '[]'::json))::text
FROM enrolments x WHERE x.tenant_id = :tenant_id AND x.id = :id AND {{enrolment_is_seen}}

-- name: find_contacts_after
-- Ids of the contacts that a search finds, page by page.
SELECT contact_id FROM search_contacts_after(:query, :after, :limit)

-- name: page_of_contacts
-- The next contacts of a filter, in the order of their ids.
SELECT c.id FROM contacts c
WHERE c.tenant_id = :tenant_id AND c.deleted_at IS NULL
--? found         AND c.id = ANY (:found::uuid[])
--? after         AND c.id > :after
--? owner_id      AND c.owner_id = :owner_id
--? stage         AND c.stage = :stage
--? company       AND c.company_lc >= :company AND c.company_lc < :company || U&'\+10FFFF'
--? updated_since AND c.updated_at >= :updated_since
--? tag           AND c.id IN (SELECT t.contact_id FROM contact_tags t WHERE t.tenant_id = :tenant_id AND t.tag_lc = :tag)
ORDER BY c.id LIMIT :limit

-- name: candidates
-- Contacts as a sequence would take them: their first address, its domain, their zone, and what speaks against it. In the order
-- in which they were asked for. (IS NOT DISTINCT FROM: a contact is in few sequences, a sequence has many contacts.)
SELECT c.id, {{contact_named}} ->> 'name' AS name, m.address, coalesce(m.domain_lc, '') AS domain_lc, coalesce(z.zone, '') AS zone, c.stage,
    c.company, c.title, c.first_name, c.last_name, c.custom::text AS custom, p.contact_id IS NOT NULL AS has_phone,
    coalesce((SELECT true FROM enrolments e WHERE e.tenant_id = :tenant_id AND e.contact_id = c.id AND e.sequence_id = :sequence_id
        AND e.state IN ('active', 'paused') LIMIT 1), false) AS is_in,
    coalesce((SELECT true FROM enrolments e WHERE e.tenant_id = :tenant_id AND e.contact_id = c.id
        AND e.sequence_id IS NOT DISTINCT FROM :sequence_id AND (NOT :again::boolean OR e.created_at >= :since::timestamptz) LIMIT 1), false) AS was_in,
    (SELECT CASE u.kind WHEN 'contact' THEN 'This contact is not to be contacted.'
                        WHEN 'domain' THEN 'Addresses at ' || m.domain_lc || ' are on the suppression list.'
                        WHEN 'company' THEN 'The company is on the suppression list.'
                        ELSE m.address || ' is on the suppression list.' END
     FROM unnest(ARRAY['contact', 'email', 'domain', 'company'], ARRAY[c.id::text, m.address_lc, m.domain_lc, nullif(trim(c.company_lc), '')])
         AS w (kind, value)
     JOIN suppressions u ON u.tenant_id = :tenant_id AND u.kind = w.kind AND u.value_lc = w.value
     WHERE u.channel IN ('all', 'email') AND (u.expires_at IS NULL OR u.expires_at > now())
     LIMIT 1) AS suppressed
FROM unnest(:ids::uuid[]) WITH ORDINALITY AS a (id, place)
JOIN contacts c ON c.tenant_id = :tenant_id AND c.id = a.id AND c.deleted_at IS NULL
LEFT JOIN LATERAL (SELECT f.address, f.address_lc, f.domain_lc FROM contact_emails f
    WHERE f.tenant_id = :tenant_id AND f.contact_id = c.id ORDER BY f.position LIMIT 1) AS m ON true
LEFT JOIN LATERAL (SELECT f.contact_id FROM contact_phones f
    WHERE f.tenant_id = :tenant_id AND f.contact_id = c.id LIMIT 1) AS p ON true
LEFT JOIN LATERAL (SELECT f.time_zones[1] AS zone FROM contact_phones f
    WHERE f.tenant_id = :tenant_id AND f.contact_id = c.id AND cardinality(f.time_zones) = 1 ORDER BY f.position LIMIT 1) AS z ON true
ORDER BY a.place

-- name: insert_enrolments
-- Enrols contacts at a sequence's first step, in the order given; who is in it already stays as they are.
INSERT INTO enrolments (tenant_id, sequence_id, contact_id, user_id, mailbox_id, step_id, base_at, due_at, domain_lc, zone, created_at)
SELECT :tenant_id, :sequence_id, a.contact_id, :for_user, :mailbox_id, :step_id, :at::timestamptz, :at::timestamptz, a.domain_lc, a.zone,
    :at::timestamptz
FROM unnest(:contact_ids::uuid[], :domains::text[], :zones::text[]) WITH ORDINALITY AS a (contact_id, domain_lc, zone, place)
ORDER BY a.place
ON CONFLICT DO NOTHING
RETURNING id

-- name: own_mailboxes
-- The mailboxes that a person writes from: their own, and those of their teams.
SELECT b.id, b.address, b.user_id FROM mailboxes b
WHERE b.tenant_id = :tenant_id AND b.state <> 'disconnected'
  AND (b.user_id = :user_id OR (b.visibility <> 'private' AND (b.visibility = 'everyone' OR EXISTS (
    SELECT FROM team_members tm WHERE tm.tenant_id = b.tenant_id AND tm.team_id = b.team_id AND tm.user_id = :user_id))))
ORDER BY b.user_id <> :user_id, b.address_lc
LIMIT 200

-- name: caps_of
-- The caps of mailboxes, and whether they may send.
SELECT b.id, b.address, b.state, b.owner_gone_at, b.stopped_reason, b.per_hour, b.per_day, b.per_week, b.min_gap_s, b.warm_up::text AS warm_up
FROM mailboxes b WHERE b.tenant_id = :tenant_id AND b.id = ANY (:ids::uuid[])

-- fragment: uses_the_caps_up
-- Whether a mail is one that people wrote (or asked for, as an invitation) and counts; needs `mail_sends m`.
m.source <> 'sequence' AND m.state IN ('scheduled', 'queued', 'sending', 'sent', 'unsure')

-- name: taken_by_mailbox
-- The moments of the last week and of the future that are given away in these mailboxes (with `planned` also those at which
-- nothing happened yet), and those of the mails that people wrote.
SELECT x.mailbox_id, coalesce(array_agg(extract(epoch FROM x.at)::bigint) FILTER (WHERE NOT x.by_people), '{}') AS moments,
    coalesce(array_agg(extract(epoch FROM x.at)::bigint) FILTER (WHERE x.by_people), '{}') AS people
FROM (
    SELECT r.mailbox_id, r.slot_at AS at, false AS by_people FROM step_runs r
    WHERE r.tenant_id = :tenant_id AND r.mailbox_id = ANY (:ids::uuid[]) AND r.slot_at > :since
      AND r.kind = 'email' AND r.state IN ('intended', 'done')
    UNION ALL
    SELECT m.mailbox_id, m.counts_at, true FROM mail_sends m
    WHERE m.tenant_id = :tenant_id AND m.mailbox_id = ANY (:ids::uuid[]) AND m.counts_at > :since AND {{uses_the_caps_up}}
--? planned UNION ALL
--? planned SELECT e.mailbox_id, e.due_at, false FROM enrolments e
--? planned WHERE e.tenant_id = :tenant_id AND e.mailbox_id = ANY (:ids::uuid[]) AND e.due_at > :since
--? planned   AND e.state = 'active' AND e.phase = 'act' AND e.slot_kind = 'email'
) AS x GROUP BY x.mailbox_id

-- name: taken_by_domain
-- The same by the recipients' domains, over all mailboxes.
SELECT x.domain_lc, coalesce(array_agg(extract(epoch FROM x.at)::bigint) FILTER (WHERE NOT x.by_people), '{}') AS moments,
    coalesce(array_agg(extract(epoch FROM x.at)::bigint) FILTER (WHERE x.by_people), '{}') AS people
FROM (
    SELECT r.domain_lc, r.slot_at AS at, false AS by_people FROM step_runs r
    WHERE r.tenant_id = :tenant_id AND r.domain_lc = ANY (:domains::text[]) AND r.slot_at > :since
      AND r.kind = 'email' AND r.state IN ('intended', 'done')
    UNION ALL
    SELECT d.domain_lc, d.counts_at, true FROM mail_send_domains d
    JOIN mail_sends m ON m.tenant_id = d.tenant_id AND m.id = d.send_id AND {{uses_the_caps_up}}
    WHERE d.tenant_id = :tenant_id AND d.domain_lc = ANY (:domains::text[]) AND d.counts_at > :since
--? planned UNION ALL
--? planned SELECT e.domain_lc, e.due_at, false FROM enrolments e
--? planned WHERE e.tenant_id = :tenant_id AND e.domain_lc = ANY (:domains::text[]) AND e.due_at > :since
--? planned   AND e.state = 'active' AND e.phase = 'act' AND e.slot_kind = 'email'
) AS x GROUP BY x.domain_lc

-- name: people_wrote
-- Whether people wrote mail themselves, lately or soon, through this mailbox or to this domain.
SELECT EXISTS (SELECT FROM mail_sends m WHERE m.tenant_id = :tenant_id AND m.mailbox_id = :mailbox_id AND m.counts_at > :since
        AND {{uses_the_caps_up}}) AS in_mailbox,
    EXISTS (SELECT FROM mail_send_domains d WHERE d.tenant_id = :tenant_id AND d.domain_lc = :domain AND d.counts_at > :since) AS to_domain

-- name: sequences_to_plan
SELECT tenant_id FROM sequences_to_plan(:now, :limit)

-- name: enrolments_due
SELECT tenant_id, id FROM enrolments_due(:now, :limit)

-- name: enrolments_to_resume
SELECT tenant_id, id FROM enrolments_to_resume(:now, :limit)

-- name: claim_to_plan
-- Enrolments whose next step needs a moment, the oldest wish first; nobody else takes them meanwhile. The simulation has the
-- same order.
SELECT e.id, e.sequence_id, e.contact_id, e.mailbox_id, e.step_id, e.base_at, e.zone, e.domain_lc, e.explanation::text AS explanation
FROM enrolments e
JOIN sequences s ON s.tenant_id = e.tenant_id AND s.id = e.sequence_id AND s.state = 'active' AND s.deleted_at IS NULL
WHERE e.tenant_id = :tenant_id AND e.state = 'active' AND e.phase = 'plan' AND e.due_at <= :now
ORDER BY e.base_at, e.contact_id, e.id
LIMIT :limit
FOR UPDATE OF e SKIP LOCKED

-- name: save_plans
-- Writes down the moments that were found, and why not sooner.
UPDATE enrolments e SET phase = p.phase, due_at = p.due_at, slot_kind = p.slot_kind, caps_key = p.caps_key,
    explanation = p.explanation::jsonb, changed_at = now(), version = e.version + 1
FROM unnest(:ids::uuid[], :phases::text[], :dues::timestamptz[], :slot_kinds::text[], :caps_keys::text[], :explanations::text[])
    AS p (id, phase, due_at, slot_kind, caps_key, explanation)
WHERE e.tenant_id = :tenant_id AND e.id = p.id

-- name: lock_enrolment
-- An enrolment with what its next move needs, held until the transaction ends.
SELECT e.id, e.sequence_id, e.contact_id, e.user_id, e.mailbox_id, e.state, e.phase, e.step_id, e.base_at, e.due_at, e.domain_lc,
    e.caps_key, e.zone, e.reason, e.words, e.explanation::text AS explanation, e.resume_at, e.version, e.slot_kind
FROM enrolments e WHERE e.tenant_id = :tenant_id AND e.id = :id
    AND EXISTS (SELECT FROM contacts o WHERE o.tenant_id = e.tenant_id AND o.id = e.contact_id)
FOR UPDATE

-- name: claim_enrolment
-- The same, unless somebody else has it in hand.
SELECT e.id, e.sequence_id, e.contact_id, e.user_id, e.mailbox_id, e.state, e.phase, e.step_id, e.base_at, e.due_at, e.domain_lc,
    e.caps_key, e.zone, e.reason, e.words, e.explanation::text AS explanation, e.resume_at, e.version, e.slot_kind,
    s.state AS sequence_state
FROM enrolments e
JOIN sequences s ON s.tenant_id = e.tenant_id AND s.id = e.sequence_id
WHERE e.tenant_id = :tenant_id AND e.id = :id
FOR UPDATE OF e SKIP LOCKED

-- name: live_of_contacts
-- The live enrolments of contacts, held until the transaction ends.
SELECT e.id, e.sequence_id, e.contact_id, e.user_id, e.state, e.phase, e.step_id, e.due_at, e.zone, e.mailbox_id, e.domain_lc,
    e.reason, e.resume_at, e.explanation::text AS explanation
FROM enrolments e
WHERE e.tenant_id = :tenant_id AND e.contact_id = ANY (:contact_ids::uuid[]) AND e.state IN ('active', 'paused')
ORDER BY e.id
FOR UPDATE

-- name: live_of_sequence
-- Some of the live enrolments of a sequence, held until the transaction ends.
SELECT e.id, e.sequence_id, e.state, e.phase, e.step_id, e.due_at, e.mailbox_id, e.domain_lc, e.explanation::text AS explanation
FROM enrolments e
WHERE e.tenant_id = :tenant_id AND e.sequence_id = :id AND e.state IN ('active', 'paused')
ORDER BY e.id LIMIT :limit
FOR UPDATE

-- name: stage_of
-- Stages of contacts.
SELECT c.id, c.stage FROM contacts c WHERE c.tenant_id = :tenant_id AND c.id = ANY (:ids::uuid[])

-- name: move_enrolment
-- Sets the fields that are given. The time is when it is held, not when the transaction began, which may have waited for a mail
-- to be begun: that was before.
UPDATE enrolments SET changed_at = clock_timestamp(), version = version + 1
--? set_state       , state = :state
--? set_phase       , phase = :phase
--? set_step_id     , step_id = :step_id
--? set_base_at     , base_at = :base_at
--? set_due_at      , due_at = :due_at
--? set_mailbox_id  , mailbox_id = :mailbox_id
--? set_reason      , reason = :reason
--? set_words       , words = :words
--? set_explanation , explanation = :explanation::jsonb
--? set_resume_at   , resume_at = :resume_at
--? set_goal_at     , goal_at = coalesce(goal_at, :goal_at)
--? set_finished_at , finished_at = :finished_at
WHERE tenant_id = :tenant_id AND id = :id

-- name: facts_now
-- A contact as the next step finds them, with the member and the mailbox that act; no row for a contact that was deleted.
SELECT c.id, c.stage, c.company, c.title, c.first_name, c.last_name, c.custom::text AS custom, m.address, {{contact_named}} ->> 'name' AS name,
    EXISTS (SELECT FROM contact_phones p WHERE p.tenant_id = c.tenant_id AND p.contact_id = c.id) AS has_phone,
    EXISTS (SELECT FROM members w WHERE w.tenant_id = c.tenant_id AND w.user_id = :person_id AND w.status = 'active') AS is_active_member,
    (SELECT u.name FROM users u WHERE u.id = :person_id) AS person
FROM contacts c
LEFT JOIN LATERAL (SELECT f.address FROM contact_emails f
    WHERE f.tenant_id = c.tenant_id AND f.contact_id = c.id ORDER BY f.position LIMIT 1) AS m ON true
WHERE c.tenant_id = :tenant_id AND c.id = :id AND c.deleted_at IS NULL

-- name: insert_run
-- Writes down that a step is taken. No row when it was taken before.
INSERT INTO step_runs (tenant_id, enrolment_id, sequence_id, step_id, variant_id, kind, state, slot_at, done_at, mailbox_id, domain_lc,
    template_id, template_version, words, explanation)
VALUES (:tenant_id, :enrolment_id, :sequence_id, :step_id, :variant_id, :kind, :state, :slot_at, :done_at, :mailbox_id, :domain_lc,
    :template_id, :template_version, :words, :explanation::jsonb)
ON CONFLICT ON CONSTRAINT step_runs_once DO NOTHING
RETURNING id

-- name: had_step
SELECT EXISTS (SELECT FROM step_runs WHERE tenant_id = :tenant_id AND enrolment_id = :enrolment_id AND step_id = :step_id)

-- name: steps_had
SELECT step_id FROM step_runs WHERE tenant_id = :tenant_id AND enrolment_id = :enrolment_id

-- name: note_run
-- What a step came to.
UPDATE step_runs SET state = :state
--? set_send_id    , send_id = :send_id
--? set_task_id    , task_id = :task_id
--? set_message_id , message_id = :message_id
--? set_done_at    , done_at = :done_at
--? set_words      , words = :words
--? set_look_at    , look_at = :look_at
--? set_slot_at    , slot_at = :slot_at
WHERE tenant_id = :tenant_id AND id = :id

-- name: take_run_up
-- A mail that was given up is sent after all. `done_at` stays, and says that it once was.
UPDATE step_runs SET state = 'intended', words = '', look_at = now()
WHERE tenant_id = :tenant_id AND id = :id AND kind = 'email' AND state IN ('failed', 'canceled')

-- name: may_go_on
-- What would keep an enrolment from going on after this step: a later step, an answer, or that the contact is in the sequence anew.
SELECT NOT EXISTS (SELECT FROM step_runs n WHERE n.tenant_id = e.tenant_id AND n.enrolment_id = e.id
        AND n.id > :run_id) AND e.step_id = (SELECT r.step_id FROM step_runs r WHERE r.tenant_id = e.tenant_id AND r.id = :run_id) AS is_last,
    EXISTS (SELECT FROM enrolments o WHERE o.tenant_id = e.tenant_id AND o.contact_id = e.contact_id
        AND o.sequence_id = e.sequence_id AND o.state IN ('active', 'paused')) AS is_elsewhere,
    EXISTS (SELECT FROM step_runs n WHERE n.tenant_id = e.tenant_id AND n.enrolment_id = e.id
        AND (n.replied_at IS NOT NULL OR n.bounced_at IS NOT NULL OR n.unsubscribed_at IS NOT NULL)) AS was_answered
FROM enrolments e WHERE e.tenant_id = :tenant_id AND e.id = :id

-- name: runs_to_settle
SELECT tenant_id, id FROM step_runs_to_settle(:limit)

-- name: enrolment_of_run
SELECT enrolment_id FROM step_runs WHERE tenant_id = :tenant_id AND id = :id

-- name: claim_run
-- A step that is under way, with how its mail or task stands. Its enrolment is held before it, by everybody.
SELECT r.id, r.enrolment_id, r.kind, r.slot_at, r.send_id, r.task_id, r.created_at, m.state AS mail_state, m.error AS mail_error,
    m.sent_at, m.counts_at, r.done_at IS NOT NULL AS was_given_up, k.done_at AS task_done_at, k.id IS NOT NULL AS task_is_there
FROM step_runs r
LEFT JOIN mail_sends m ON m.tenant_id = r.tenant_id AND m.id = r.send_id
LEFT JOIN tasks k ON k.tenant_id = r.tenant_id AND k.id = r.task_id
WHERE r.tenant_id = :tenant_id AND r.id = :id AND r.state = 'intended'
FOR UPDATE OF r

-- name: open_runs_of
-- The steps of enrolments that are under way, held until the transaction ends.
SELECT r.id, r.enrolment_id, r.send_id, r.task_id FROM step_runs r
WHERE r.tenant_id = :tenant_id AND r.enrolment_id = ANY (:ids::uuid[]) AND r.state = 'intended'
ORDER BY r.id
FOR UPDATE

-- name: waiting_messages_of
-- The text messages of enrolments that were written and are not on their way yet.
SELECT r.id, r.message_id FROM step_runs r
JOIN messages g ON g.tenant_id = r.tenant_id AND g.id = r.message_id AND g.state IN ('scheduled', 'queued') AND g.asked_at IS NULL
WHERE r.tenant_id = :tenant_id AND r.enrolment_id = ANY (:ids::uuid[]) AND r.kind = 'sms' AND r.state = 'done'
ORDER BY r.id
FOR UPDATE OF r

-- name: last_mail
-- The last mail of an enrolment that went out.
SELECT r.id, r.send_id, r.template_id FROM step_runs r
WHERE r.tenant_id = :tenant_id AND r.enrolment_id = :enrolment_id AND r.kind = 'email' AND r.state = 'done' AND r.send_id IS NOT NULL
ORDER BY r.slot_at DESC, r.id DESC LIMIT 1

-- name: mark_send
-- Notes an answer, a bounce or an unsubscription at the mail it is to.
UPDATE step_runs SET send_id = send_id
--? reply       , replied_at = coalesce(replied_at, now())
--? bounce      , bounced_at = coalesce(bounced_at, now())
--? unsubscribe , unsubscribed_at = coalesce(unsubscribed_at, now())
WHERE tenant_id = :tenant_id AND send_id = :send_id

-- name: mark_last
-- The same at the last mail (or text message) of an enrolment, where nothing says which one was meant.
UPDATE step_runs r SET send_id = r.send_id
--? reply       , replied_at = coalesce(r.replied_at, now())
--? bounce      , bounced_at = coalesce(r.bounced_at, now())
--? unsubscribe , unsubscribed_at = coalesce(r.unsubscribed_at, now())
WHERE r.tenant_id = :tenant_id AND r.id = (
    SELECT n.id FROM step_runs n
    WHERE n.tenant_id = :tenant_id AND n.enrolment_id = :enrolment_id AND n.kind = :kind AND n.state IN ('done', 'intended')
    ORDER BY n.slot_at DESC, n.id DESC LIMIT 1)

-- name: position_of
-- The place after a step, where it was taken away: the one it had.
SELECT position FROM sequence_steps WHERE tenant_id = :tenant_id AND id = :id

-- name: kind_of_step
SELECT kind FROM sequence_steps WHERE tenant_id = :tenant_id AND id = :id

-- name: mails_of
-- What became of the mails of an enrolment so far.
SELECT coalesce(bool_or(k.open_count > 0), false) AS opened, coalesce(bool_or(k.click_count > 0), false) AS clicked,
    coalesce(bool_or(r.replied_at IS NOT NULL), false) AS replied
FROM step_runs r
LEFT JOIN tracked_sends k ON k.tenant_id = r.tenant_id AND k.send_id = r.send_id
WHERE r.tenant_id = :tenant_id AND r.enrolment_id = :enrolment_id AND r.kind = 'email' AND r.state = 'done'

-- name: replan_sequence
-- Has the planned steps of a sequence planned anew, those at the steps named if any are; how many is the count.
UPDATE enrolments SET phase = 'plan', due_at = :now, slot_kind = NULL, changed_at = now(), version = version + 1
WHERE tenant_id = :tenant_id AND sequence_id = :id AND state = 'active' AND phase = 'act'

-- name: leave_step
-- Lets those who stand at a step that was taken away go on at another; those who are under way are left to settle.
UPDATE enrolments SET step_id = :to_step, phase = CASE WHEN state = 'active' THEN 'plan' ELSE phase END,
    due_at = CASE WHEN state = 'active' THEN :now::timestamptz ELSE due_at END, slot_kind = NULL, changed_at = now(), version = version + 1
WHERE tenant_id = :tenant_id AND sequence_id = :sequence_id AND step_id = :step_id AND state IN ('active', 'paused') AND phase <> 'settle'

-- name: end_at_step
-- Finishes those who stand at a step that was taken away, with none after it.
UPDATE enrolments SET state = 'finished', finished_at = :now, slot_kind = NULL, words = 'The rest of the sequence was taken away.',
    reason = 'end', changed_at = now(), version = version + 1
WHERE tenant_id = :tenant_id AND sequence_id = :sequence_id AND step_id = :step_id AND state IN ('active', 'paused') AND phase <> 'settle'

-- name: contacts_to_stop
SELECT tenant_id, contact_id, why, words FROM contacts_to_stop(:since, :limit)
