-- What an arriving message means.

-- name: written_to
-- Those of these contacts whom this mailbox has written to.
SELECT DISTINCT c.contact_id FROM mail_message_contacts c
JOIN mail_messages m ON m.tenant_id = c.tenant_id AND m.id = c.message_id
WHERE c.tenant_id = :tenant_id AND c.contact_id = ANY (:contact_ids::uuid[]) AND c.role = 'recipient'
  AND m.mailbox_id = :mailbox_id AND m.direction = 'outbound'

-- name: copied_contacts
-- The contacts with this address, when it is one that a mail of ours went to, though not its contact's.
SELECT DISTINCT e.contact_id
FROM mail_sends s
JOIN contact_emails e ON e.tenant_id = s.tenant_id AND e.address_lc = :address_lc
WHERE s.tenant_id = :tenant_id AND s.id = :send_id AND e.contact_id IS DISTINCT FROM s.contact_id
  AND EXISTS (SELECT FROM jsonb_array_elements(s.recipients_to || s.recipients_cc || s.recipients_bcc) AS r
              WHERE lower(r ->> 'address') = :address_lc)
LIMIT 20

-- name: contact_of_send
-- Whom a mail of ours went to.
SELECT s.contact_id FROM mail_sends s WHERE s.tenant_id = :tenant_id AND s.id = :send_id AND s.contact_id IS NOT NULL

-- name: address_of_send
-- The address that a mail of ours went to.
SELECT lower(s.recipients_to -> 0 ->> 'address') FROM mail_sends s WHERE s.tenant_id = :tenant_id AND s.id = :send_id

-- name: contact_name
-- How a contact is called.
SELECT coalesce(nullif(trim(n.first_name || ' ' || n.last_name), ''), nullif(n.company, ''),
    (SELECT e.address FROM contact_emails e WHERE e.tenant_id = n.tenant_id AND e.contact_id = n.id ORDER BY e.position LIMIT 1), '')
FROM contacts n WHERE n.tenant_id = :tenant_id AND n.id = :contact_id

-- name: whose_enrolments
-- Who had enrolled whom, so that they hear why it ended.
SELECT e.user_id, e.contact_id, string_agg(DISTINCT s.name, ', ') AS sequences
FROM enrolments e JOIN sequences s ON s.tenant_id = e.tenant_id AND s.id = e.sequence_id
WHERE e.tenant_id = :tenant_id AND e.id = ANY (:ids::uuid[])
GROUP BY e.user_id, e.contact_id

-- name: member_name
SELECT u.name FROM users u WHERE u.id = :person_id
