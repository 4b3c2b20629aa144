-- Meetings that invitations speak of.

-- fragment: meeting_json
-- A meeting as clients get it; needs `meetings m`.
json_build_object(
    'id', m.id, 'contact_id', m.contact_id, 'direction', m.direction, 'state', m.state, 'summary', m.summary, 'note', m.note,
    'location', m.location, 'start_at', m.start_at, 'end_at', m.end_at, 'all_day', m.all_day, 'recurrence', m.recurrence,
    'organizer', m.organizer, 'attendees', m.attendees, 'answer', m.answer,
    'user', (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = m.user_id),
    'mailbox', (SELECT json_build_object('id', b.id, 'address', b.address)
        FROM mailboxes b WHERE b.tenant_id = m.tenant_id AND b.id = m.mailbox_id),
    'private', m.private,
    'thread_id', (SELECT g.thread_id FROM mail_messages g WHERE g.tenant_id = m.tenant_id AND g.id = m.mail_message_id),
    'send_id', m.mail_send_id, 'created_at', m.created_at)

-- fragment: meeting_is_seen
-- Whether who asks sees `meetings m`: it is theirs, or it went through a mailbox that they see and is not private.
(m.user_id = :user_id OR EXISTS (SELECT FROM mailboxes b WHERE b.tenant_id = m.tenant_id AND b.id = m.mailbox_id
    AND {{visible_mailbox}} AND (NOT m.private OR b.user_id = :user_id)))

-- name: list_meetings
-- A page of the meetings with a contact, the one that begins last first; one that went through several mailboxes is shown once.
SELECT ({{meeting_json}})::text AS json, m.start_at::text AS key, m.id
FROM meetings m
WHERE m.tenant_id = :tenant_id AND m.contact_id = :contact_id AND {{meeting_is_seen}}
--? upcoming AND m.end_at > :now AND m.state IN ('tentative', 'confirmed')
--? after    AND (m.start_at, m.id) < (:after::timestamptz, :after_id::uuid)
ORDER BY m.start_at DESC, m.id DESC
LIMIT :limit

-- name: get_meeting
-- One meeting, if who asks sees it.
SELECT ({{meeting_json}})::text AS json, m.version FROM meetings m
WHERE m.tenant_id = :tenant_id AND m.id = :id AND {{meeting_is_seen}}

-- name: meeting_told
-- A meeting for its event, whoever sees it, and who those are: its mailbox's owner, its team's members, or everybody.
SELECT ({{meeting_json}})::text AS json, m.private, m.user_id, b.user_id AS owner_id, b.visibility,
    CASE WHEN b.visibility = 'team' AND NOT m.private THEN ARRAY(
        SELECT tm.user_id FROM team_members tm JOIN members e ON e.tenant_id = tm.tenant_id AND e.user_id = tm.user_id
        WHERE tm.tenant_id = b.tenant_id AND tm.team_id = b.team_id AND e.status = 'active' ORDER BY tm.user_id LIMIT 200) END AS people
FROM meetings m JOIN mailboxes b ON b.tenant_id = m.tenant_id AND b.id = m.mailbox_id
WHERE m.tenant_id = :tenant_id AND m.id = :id

-- name: lock_meeting
-- A meeting that who asks sees, held until the transaction ends.
SELECT m.id, m.contact_id, m.mailbox_id, m.user_id, m.uid, m.sequence, m.direction, m.state, m.summary, m.note, m.location,
    m.start_at, m.end_at, m.all_day, m.recurrence, m.organizer, m.attendees, m.answer, m.mail_message_id, m.mail_send_id, m.version
FROM meetings m WHERE m.tenant_id = :tenant_id AND m.id = :id AND {{meeting_is_seen}}
FOR UPDATE

-- name: lock_known
-- What is known of an invitation in a mailbox, by contact, held until the transaction ends.
SELECT m.id, m.contact_id, m.user_id, m.sequence, m.direction, m.state, m.start_at, m.end_at, m.summary, m.attendees, m.mail_send_id
FROM meetings m WHERE m.tenant_id = :tenant_id AND m.mailbox_id = :mailbox_id AND m.uid = :uid
ORDER BY m.id
FOR UPDATE

-- name: insert_meeting
-- No row when another transaction was quicker.
INSERT INTO meetings (tenant_id, id, contact_id, mailbox_id, user_id, uid, sequence, direction, state, summary, note, location,
    start_at, end_at, all_day, recurrence, organizer, attendees, private, mail_message_id, mail_send_id)
VALUES (:tenant_id, coalesce(:id, uuidv7()), :contact_id, :mailbox_id,
    coalesce(:whose_id, (SELECT b.user_id FROM mailboxes b WHERE b.tenant_id = :tenant_id AND b.id = :mailbox_id)), :uid, :sequence, :direction, :state, :summary,
    :note, :location, :start_at, :end_at, :all_day, :recurrence, :organizer::jsonb, :attendees::jsonb,
    coalesce((SELECT g.private FROM mail_messages g WHERE g.tenant_id = :tenant_id AND g.id = :mail_message_id), false),
    :mail_message_id, :mail_send_id)
ON CONFLICT ON CONSTRAINT meetings_once DO NOTHING
RETURNING id

-- name: update_meeting
-- The given fields of a meeting; who organizes and what is private about it stays.
UPDATE meetings SET changed_at = now(), version = version + 1
--? sequence        , sequence = :sequence
--? state           , state = :state
--? summary         , summary = :summary
--? note            , note = :note
--? location        , location = :location
--? start_at        , start_at = :start_at
--? end_at          , end_at = :end_at
--? set_all_day     , all_day = :all_day
--? recurrence      , recurrence = :recurrence
--? attendees       , attendees = :attendees::jsonb
--? answer          , answer = :answer
--? mail_message_id , mail_message_id = :mail_message_id
--? mail_send_id    , mail_send_id = :mail_send_id
WHERE tenant_id = :tenant_id AND id = :id

-- name: mailbox_to_invite_from
-- The mailbox asked for, or the first of one's own that works: one's own, one's team's, or everybody's shared one.
SELECT b.id, b.address, b.display_name, b.state, u.name AS user_name
FROM mailboxes b JOIN users u ON u.id = b.user_id
WHERE b.tenant_id = :tenant_id AND b.state <> 'disconnected' AND (b.user_id = :user_id OR b.visibility IN ('team', 'everyone') AND EXISTS (
    SELECT FROM team_members t WHERE t.tenant_id = b.tenant_id AND t.team_id = b.team_id AND t.user_id = :user_id))
--? mailbox_id AND b.id = :mailbox_id
ORDER BY (b.user_id = :user_id) DESC, (b.state IN ('active', 'syncing')) DESC, b.id
LIMIT 1

-- name: contact_to_invite
-- The contact's name, and the address asked for if it is theirs, else their first.
SELECT trim(c.first_name || ' ' || c.last_name) AS name, e.address
FROM contacts c LEFT JOIN LATERAL (
    SELECT e.address FROM contact_emails e WHERE e.tenant_id = c.tenant_id AND e.contact_id = c.id
--? to AND e.address_lc = :to
    ORDER BY e.position LIMIT 1) AS e ON true
WHERE c.tenant_id = :tenant_id AND c.id = :contact_id AND c.deleted_at IS NULL
