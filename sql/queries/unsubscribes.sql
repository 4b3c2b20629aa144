-- Who wants no more mail.

-- fragment: unsubscribe_json
-- As clients get it; needs `unsubscribes n`.
json_build_object('id', n.id, 'address', n.address_lc,
    'contact', (SELECT json_build_object('id', c.id, 'name', coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''),
        nullif(c.company, ''), n.address_lc)) FROM contacts c WHERE c.tenant_id = n.tenant_id AND c.id = n.contact_id),
    'send_id', n.send_id, 'way', n.way, 'words', n.words, 'at', n.at, 'undone_at', n.undone_at)

-- name: mail_of_token
-- To whom a mail went, for which company, and whether they have unsubscribed.
SELECT t.send_id, t.contact_id, t.address_lc, c.name AS company,
       EXISTS (SELECT FROM unsubscribes n WHERE n.tenant_id = :tenant_id AND n.address_lc = t.address_lc AND n.undone_at IS NULL) AS unsubscribed,
       (SELECT s.id FROM mail_sends s WHERE s.tenant_id = :tenant_id AND s.id = t.send_id) AS known_send
FROM tracked_sends t JOIN tenants c ON c.tenant_id = t.tenant_id
WHERE t.tenant_id = :tenant_id AND t.send_id = :send_id

-- name: unsubscribe
-- No row for who has said it already.
INSERT INTO unsubscribes AS n (tenant_id, send_id, contact_id, address_lc, way, words)
VALUES (:tenant_id, :send_id, :contact_id, :address_lc, :way, :words)
ON CONFLICT (tenant_id, address_lc) WHERE undone_at IS NULL DO NOTHING
RETURNING n.id, ({{unsubscribe_json}})::text AS json

-- name: is_suppressed
-- Whether an address stands on the list already because of it.
SELECT EXISTS (SELECT FROM suppressions s WHERE s.tenant_id = :tenant_id AND s.kind = 'email' AND s.value_lc = :address_lc
    AND s.channel IN ('all', 'email') AND own_word(s.source) AND s.expires_at IS NULL)

-- name: resubscribe
UPDATE unsubscribes n SET undone_at = now()
WHERE n.tenant_id = :tenant_id AND n.address_lc = :address_lc AND n.undone_at IS NULL
RETURNING n.id, ({{unsubscribe_json}})::text AS json

-- name: contacts_of_address
-- Everybody with this address.
SELECT DISTINCT e.contact_id FROM contact_emails e
JOIN contacts c ON c.tenant_id = e.tenant_id AND c.id = e.contact_id AND c.deleted_at IS NULL
WHERE e.tenant_id = :tenant_id AND e.address_lc = :address_lc

-- name: list_unsubscribes
-- A page, newest first.
SELECT ({{unsubscribe_json}})::text AS json, n.at::text AS key, n.id
FROM unsubscribes n
WHERE n.tenant_id = :tenant_id
--? after AND (n.at, n.id) < (:after::timestamptz, :after_id::uuid)
ORDER BY n.at DESC, n.id DESC
LIMIT :limit
