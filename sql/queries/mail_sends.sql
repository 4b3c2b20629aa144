-- Mail that we send: drafts, what waits, what is on its way.

-- fragment: mail_send_columns
'id', s.id, 'state', s.state,
'mailbox', (SELECT json_build_object('id', x.id, 'address', x.address) FROM mailboxes x WHERE x.tenant_id = s.tenant_id AND x.id = s.mailbox_id),
'user', (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = s.user_id),
'contact', (SELECT {{mail_contact_json}} FROM contacts n WHERE n.tenant_id = s.tenant_id AND n.id = s.contact_id),
'thread_id', s.thread_id, 'reply_to_message_id', s.reply_to_message_id, 'subject', s.subject, 'to', s.recipients_to,
'source', s.source, 'send_at', s.send_at, 'undo_until', s.undo_until, 'error', s.error, 'created_at', s.created_at,
'sent_at', s.sent_at, 'version', s.version

-- fragment: mail_send_json
-- A mail on its way; needs `mail_sends s`.
json_build_object({{mail_send_columns}})

-- fragment: mail_draft_json
-- A mail being written, with everything in it; needs `mail_sends s`. Where its files lie is nobody's to know.
json_build_object({{mail_send_columns}}, 'cc', s.recipients_cc, 'bcc', s.recipients_bcc, 'html', s.html, 'text', s.body_text,
    'attachments', coalesce((SELECT jsonb_agg(f - 'key') FROM jsonb_array_elements(s.attachments) AS f), '[]'))

-- name: list_drafts
-- A page of one's own drafts, newest first.
SELECT ({{mail_draft_json}})::text AS json, s.created_at::text AS key, s.id
FROM mail_sends s
WHERE s.tenant_id = :tenant_id AND s.user_id = :user_id AND s.state = 'draft'
--? after AND (s.created_at, s.id) < (:after::timestamptz, :after_id::uuid)
ORDER BY s.created_at DESC, s.id DESC
LIMIT :limit

-- name: list_sends
-- A page of sends, newest first: one's own.
SELECT ({{mail_send_json}})::text AS json, s.created_at::text AS key, s.id
FROM mail_sends s
WHERE s.tenant_id = :tenant_id AND s.user_id = :user_id AND s.state <> 'draft'
--? state      AND s.state = :state
--? mailbox_id AND s.mailbox_id = :mailbox_id
--? after      AND (s.created_at, s.id) < (:after::timestamptz, :after_id::uuid)
ORDER BY s.created_at DESC, s.id DESC
LIMIT :limit

-- name: get_draft
SELECT ({{mail_draft_json}})::text AS json, s.id, s.mailbox_id, s.version, s.state, s.attachments::text AS attachments, s.recipients_to::text AS to,
    s.contact_id
FROM mail_sends s
WHERE s.tenant_id = :tenant_id AND s.id = :id AND s.user_id = :user_id AND s.state = 'draft'

-- name: lock_draft
SELECT s.id, s.mailbox_id, s.version, s.state, s.attachments::text AS attachments, s.recipients_to::text AS to, s.recipients_cc::text AS cc,
    s.recipients_bcc::text AS bcc, s.contact_id, s.user_id, s.subject, s.asked_at, s.provider_draft_id, s.step_run_id
FROM mail_sends s
WHERE s.tenant_id = :tenant_id AND s.id = :id AND s.user_id = :user_id AND s.state = 'draft'
FOR UPDATE

-- name: get_send
-- One's own mail.
SELECT ({{mail_send_json}})::text AS json FROM mail_sends s
WHERE s.tenant_id = :tenant_id AND s.id = :id AND s.user_id = :user_id AND s.state <> 'draft'

-- name: send_for_event
SELECT ({{mail_send_json}})::text AS json, coalesce(s.user_id, b.user_id) AS person_id
FROM mail_sends s JOIN mailboxes b ON b.tenant_id = s.tenant_id AND b.id = s.mailbox_id
WHERE s.tenant_id = :tenant_id AND s.id = :id

-- name: lock_send
-- The mail, held until the transaction ends, so that states move one at a time.
SELECT s.id, s.mailbox_id, s.user_id, s.contact_id, s.thread_id, s.reply_to_message_id, s.follows_send_id, s.state, s.source,
    s.recipients_to::text AS to, s.recipients_cc::text AS cc, s.recipients_bcc::text AS bcc, s.subject, s.html, s.body_text,
    s.headers::text AS headers, s.invitation, s.attachments::text AS attachments, s.send_at, s.undo_until, s.message_id, s.asked_at,
    s.provider_id, s.step_run_id, s.provider_draft_id, s.unwanted, s.created_at, s.version, now() AS now
FROM mail_sends s WHERE s.tenant_id = :tenant_id AND s.id = :id
FOR UPDATE

-- name: mailbox_to_write_from
-- A mailbox that who asks may write from: their own, their team's, or one that everybody has.
SELECT b.id, b.address, b.display_name, b.state, b.signature_html FROM mailboxes b
WHERE b.tenant_id = :tenant_id AND b.id = :mailbox_id AND b.state <> 'disconnected' AND {{mail_box_is_open}}

-- name: mailbox_is_there
SELECT b.address FROM mailboxes b WHERE b.tenant_id = :tenant_id AND b.id = :mailbox_id

-- name: insert_send
-- A mail to send, or a draft; a step's is written once.
INSERT INTO mail_sends (tenant_id, id, mailbox_id, user_id, contact_id, thread_id, reply_to_message_id, follows_send_id, state, source,
    recipients_to, recipients_cc, recipients_bcc, subject, html, body_text, headers, invitation, attachments, send_at, undo_until,
    message_id, step_run_id, counts_at, look_at)
VALUES (:tenant_id, :id, :mailbox_id, :person_id, :contact_id, :thread_id, :reply_to_message_id, :follows_send_id, :state, :source,
    :to::jsonb, :cc::jsonb, :bcc::jsonb, :subject, :html, :body_text, :headers::jsonb, :invitation, :attachments::jsonb, :send_at::timestamptz,
    now() + make_interval(secs => nullif(:undo_s::double precision, 0)), :message_id, :step_run_id, :send_at::timestamptz,
    now() + make_interval(secs => 60 + :undo_s::double precision))
ON CONFLICT ON CONSTRAINT mail_sends_one_for_a_step DO NOTHING
RETURNING id, undo_until

-- name: send_of_step
SELECT id FROM mail_sends WHERE tenant_id = :tenant_id AND step_run_id = :step_run_id

-- name: contact_of_address
SELECT e.contact_id FROM contact_emails e JOIN contacts c ON c.tenant_id = e.tenant_id AND c.id = e.contact_id
WHERE e.tenant_id = :tenant_id AND e.address_lc = :address_lc AND c.deleted_at IS NULL
ORDER BY e.position, c.id LIMIT 1

-- name: update_draft
UPDATE mail_sends SET
    mailbox_id = coalesce(:mailbox_id, mailbox_id), recipients_to = coalesce(:to::jsonb, recipients_to),
    recipients_cc = coalesce(:cc::jsonb, recipients_cc), recipients_bcc = coalesce(:bcc::jsonb, recipients_bcc),
    subject = coalesce(:subject, subject), html = coalesce(:html, html), contact_id = coalesce(:contact_id, contact_id),
    attachments = coalesce(:attachments::jsonb, attachments), version = version + 1, changed_at = now()
WHERE tenant_id = :tenant_id AND id = :id

-- name: delete_draft
DELETE FROM mail_sends WHERE tenant_id = :tenant_id AND id = :id AND state = 'canceled' AND asked_at IS NULL

-- fragment: mail_domains_of
-- The domains that the mail `sent` goes to, as contact_emails has them.
SELECT DISTINCT lower(split_part(r ->> 'address', '@', 2)) AS domain_lc
FROM jsonb_array_elements(sent.recipients_to || sent.recipients_cc || sent.recipients_bcc) AS r

-- fragment: mail_domains_counted
-- Has the mail `sent` count at a moment for each domain that it goes to.
INSERT INTO mail_send_domains AS c (tenant_id, send_id, domain_lc, counts_at)
SELECT :tenant_id, sent.id, d.domain_lc, sent.counts_at FROM sent CROSS JOIN LATERAL ({{mail_domains_of}}) AS d
WHERE sent.source <> 'sequence'
ON CONFLICT (tenant_id, send_id, domain_lc) DO UPDATE SET counts_at = excluded.counts_at

-- name: launch_send
-- A draft goes: at a time of its own, or soon, with a while to take it back. From now on it counts into the caps.
WITH sent AS (
    UPDATE mail_sends SET send_at = :send_at::timestamptz, undo_until = now() + make_interval(secs => nullif(:undo_s::double precision, 0)),
        contact_id = :contact_id, look_at = now() + make_interval(secs => 60 + :undo_s::double precision),
        counts_at = coalesce(:send_at::timestamptz, :now::timestamptz), version = version + 1
    WHERE tenant_id = :tenant_id AND id = :id
    RETURNING id, source, counts_at, recipients_to, recipients_cc, recipients_bcc, undo_until
), counted AS ({{mail_domains_counted}})
SELECT undo_until FROM sent

-- name: back_to_draft
-- It may go to others in the end.
WITH forgotten AS (DELETE FROM mail_send_domains WHERE tenant_id = :tenant_id AND send_id = :id)
UPDATE mail_sends SET send_at = NULL, undo_until = NULL, counts_at = NULL, version = version + 1 WHERE tenant_id = :tenant_id AND id = :id

-- name: move_send
-- The one statement that moves a mail; hub.mail.states decides whether it may.
UPDATE mail_sends SET state = :state, error = :error, changed_at = now() WHERE tenant_id = :tenant_id AND id = :id

-- name: hold_send
-- It waits, and why; the sweep looks again.
UPDATE mail_sends SET error = :error, held = true, look_at = now() + make_interval(secs => :wait_s), changed_at = now()
WHERE tenant_id = :tenant_id AND id = :id

-- name: look_later
-- Somebody sees to it now.
UPDATE mail_sends SET look_at = now() + make_interval(secs => :wait_s), held = false WHERE tenant_id = :tenant_id AND id = :id

-- name: ask_send
-- The intent: from here on the provider may have it. It counts into the caps at `now`, of the clock that schedules go by.
WITH sent AS (
    UPDATE mail_sends SET asked_at = clock_timestamp(), permit_id = :permit_id, counts_at = :now, changed_at = now()
    WHERE tenant_id = :tenant_id AND id = :id
    RETURNING id, source, counts_at, recipients_to, recipients_cc, recipients_bcc, asked_at
), counted AS ({{mail_domains_counted}})
SELECT asked_at FROM sent

-- name: unask_send
-- The provider was certainly not asked, or certainly does not have it. Who has it sent again all the same wants it.
UPDATE mail_sends SET asked_at = NULL, changed_at = now(), unwanted = CASE state WHEN 'sending' THEN unwanted END WHERE tenant_id = :tenant_id AND id = :id AND provider_id IS NULL

-- name: want_no_more
-- It is on its way, and should go out only if it has already.
UPDATE mail_sends SET unwanted = :reason WHERE tenant_id = :tenant_id AND id = :id AND state = 'sending'

-- name: adopt_provider_id
UPDATE mail_sends SET provider_id = coalesce(provider_id, :provider_id), sent_at = coalesce(sent_at, :sent_at), asked_at = coalesce(asked_at, :sent_at)
WHERE tenant_id = :tenant_id AND id = :id

-- name: thread_of_send
UPDATE mail_sends SET thread_id = :thread_id WHERE tenant_id = :tenant_id AND id = :id

-- name: set_provider_draft
UPDATE mail_sends SET provider_draft_id = :draft_id WHERE tenant_id = :tenant_id AND id = :id

-- name: message_to_answer
-- What an answer goes below: its ids, its thread at the provider, and whose mailbox it lies in.
SELECT m.id, m.thread_id, m.mailbox_id, m.message_id, m.in_reply_to, m.refs, m.provider_thread_id, m.subject, m.direction, m.from_name,
    m.from_address, m.recipients::text AS recipients
FROM mail_messages m WHERE m.tenant_id = :tenant_id AND m.id = :id

-- name: last_of_send
-- The last message of the thread of a mail of ours; where its own message is not here yet, nothing.
SELECT m.id, m.thread_id, m.mailbox_id, m.message_id, m.in_reply_to, m.refs, m.provider_thread_id, m.subject, m.direction, m.from_name,
    m.from_address, m.recipients::text AS recipients
FROM mail_messages own
JOIN mail_messages m ON m.tenant_id = own.tenant_id AND m.thread_id = own.thread_id AND NOT m.trashed
    AND m.kind IN ('human', 'calendar')
WHERE own.tenant_id = :tenant_id AND own.send_id = :id
ORDER BY m.sent_at DESC, m.id DESC LIMIT 1

-- name: state_of_send
SELECT s.state, s.mailbox_id, s.message_id, s.subject FROM mail_sends s WHERE s.tenant_id = :tenant_id AND s.id = :id

-- name: suppressed_of
-- Which of these addresses are on the suppression list for mail, by address or by domain.
SELECT s.value_lc FROM suppressions s
WHERE s.tenant_id = :tenant_id AND s.channel IN ('all', 'email') AND (s.expires_at IS NULL OR s.expires_at > now())
  AND ((s.kind = 'email' AND s.value_lc = ANY (:addresses::text[])) OR (s.kind = 'domain' AND s.value_lc = ANY (:domains::text[])))
LIMIT 1

-- name: sends_due
-- Of any tenant.
SELECT tenant_id, id FROM mail_sends_due(:now, :limit)

-- name: sends_unsettled
-- Of any tenant.
SELECT tenant_id, id FROM mail_sends_unsettled(:limit)
