-- Mail that came back, and complaints.

-- fragment: bounce_json
-- As clients get it; needs `mail_bounces b`.
json_build_object('id', b.id, 'kind', b.kind, 'address', b.address_lc, 'permanent', b.permanent, 'status', b.status,
    'diagnostic', b.diagnostic, 'at', b.at, 'send_id', b.send_id,
    'mailbox', (SELECT json_build_object('id', m.id, 'address', m.address) FROM mailboxes m WHERE m.tenant_id = b.tenant_id AND m.id = b.mailbox_id),
    'contact', (SELECT json_build_object('id', c.id, 'name', coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''),
        nullif(c.company, ''), b.address_lc)) FROM contacts c WHERE c.tenant_id = b.tenant_id AND c.id = b.contact_id))

-- name: sent_to
-- Whom a mail was sent to, for reports that do not say, with those who write from the mailbox.
SELECT s.contact_id, lower(s.recipients_to -> 0 ->> 'address') AS address_lc,
       coalesce((SELECT d.private FROM mail_threads d WHERE d.tenant_id = s.tenant_id AND d.id = s.thread_id), false) AS private
FROM mail_sends s WHERE s.tenant_id = :tenant_id AND s.id = :send_id

-- name: add_bounce
-- No row for a report that came before.
INSERT INTO mail_bounces AS b (tenant_id, kind, mailbox_id, send_id, contact_id, address_lc, permanent, status, diagnostic,
    private, at)
VALUES (:tenant_id, :kind, :mailbox_id, (SELECT s.id FROM mail_sends s WHERE s.tenant_id = :tenant_id AND s.id = :send_id),
    :contact_id, :address_lc, :permanent, :status, :diagnostic, :private, coalesce(:at::timestamptz, now()))
ON CONFLICT (tenant_id, send_id, kind, address_lc) WHERE send_id IS NOT NULL DO NOTHING
RETURNING b.id, ({{bounce_json}})::text AS json

-- name: soft_bounces
-- How often mail to an address came back for the time being, lately.
SELECT count(*) FROM mail_bounces b
WHERE b.tenant_id = :tenant_id AND b.address_lc = :address_lc AND b.at > coalesce(:at::timestamptz, now()) - interval '30 days'
  AND b.kind = 'bounce' AND NOT b.permanent

-- name: rate_of_mailbox
-- Of a mailbox's last mails since it was stopped last, how many came back for good or were complained about.
SELECT b.bounce_limit_permille AS limit_permille, b.stopped_reason, count(*) AS sent,
       count(*) FILTER (WHERE EXISTS (SELECT FROM mail_bounces x WHERE x.tenant_id = :tenant_id AND x.send_id = last.id
           AND (x.permanent OR x.kind = 'complaint'))) AS bad
FROM mailboxes b
CROSS JOIN LATERAL (
    SELECT s.id FROM mail_sends s
    WHERE s.tenant_id = :tenant_id AND s.mailbox_id = b.id AND s.state = 'sent'
      AND s.sent_at > coalesce((SELECT max(y.at) FROM mail_bounces y
          WHERE y.tenant_id = :tenant_id AND y.mailbox_id = b.id AND y.stopped_it), '-infinity')
    ORDER BY s.sent_at DESC LIMIT :of) AS last
WHERE b.tenant_id = :tenant_id AND b.id = :mailbox_id
GROUP BY b.bounce_limit_permille, b.stopped_reason

-- name: note_stop
UPDATE mail_bounces SET stopped_it = true WHERE tenant_id = :tenant_id AND id = :id

-- name: list_bounces
-- A page of what came back to the mailboxes that a person sees, newest first.
SELECT ({{bounce_json}})::text AS json, b.at::text AS key, b.id
FROM mail_bounces b
WHERE b.tenant_id = :tenant_id
  AND (b.mailbox_id IS NULL OR b.mailbox_id = ANY (ARRAY(
      SELECT m.id FROM mailboxes m
      WHERE m.tenant_id = :tenant_id AND (m.user_id = :user_id OR m.visibility = 'everyone' OR (m.visibility = 'team' AND EXISTS (
          SELECT FROM team_members t WHERE t.tenant_id = :tenant_id AND t.team_id = m.team_id AND t.user_id = :user_id))))))
  AND (NOT b.private OR b.mailbox_id = ANY (ARRAY(
      SELECT m.id FROM mailboxes m WHERE m.tenant_id = :tenant_id AND m.user_id = :user_id)))
--? mailbox_id AND b.mailbox_id = :mailbox_id
--? after      AND (b.at, b.id) < (:after::timestamptz, :after_id::uuid)
ORDER BY b.at DESC, b.id DESC
LIMIT :limit
