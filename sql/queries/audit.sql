-- The audit log.

-- name: has_lately
-- Did who acts do this to the same thing in this sitting?
SELECT true FROM audit_entries a
WHERE a.tenant_id = :tenant_id AND a.subject_id = :subject_id AND a.at > now() - make_interval(secs => :sitting_s::int)
  AND a.actor_id = :user_id AND a.action = :action
LIMIT 1

-- name: audit_outside
SELECT audit_outside(:tenant, :action, :actor, :address, :request_id, :subject_kind, :subject, :details::jsonb)

-- name: audit_person
SELECT audit_person(:user, :action, :by_them, :address, :request_id, :details::jsonb)

-- fragment: subject_name
-- What the subject of an entry is called now; null for what is gone, and for mail, whose subject may be private. Needs `a`.
CASE a.subject_kind
    WHEN 'member' THEN (SELECT u.name FROM users u WHERE u.id = a.subject_id)
    WHEN 'contact' THEN (SELECT coalesce(nullif(trim(n.first_name || ' ' || n.last_name), ''), nullif(n.company, ''))
        FROM contacts n WHERE n.tenant_id = a.tenant_id AND n.id = a.subject_id)
    WHEN 'call' THEN (SELECT coalesce(nullif(trim(n.first_name || ' ' || n.last_name), ''), nullif(n.company, ''))
        FROM calls k JOIN contacts n ON n.tenant_id = k.tenant_id AND n.id = k.contact_id
        WHERE k.tenant_id = a.tenant_id AND k.id = a.subject_id)
    WHEN 'recording' THEN (SELECT coalesce(nullif(trim(n.first_name || ' ' || n.last_name), ''), nullif(n.company, ''))
        FROM recordings r JOIN contacts n ON n.tenant_id = r.tenant_id AND n.id = r.contact_id
        WHERE r.tenant_id = a.tenant_id AND r.id = a.subject_id)
    WHEN 'mailbox' THEN (SELECT b.address FROM mailboxes b WHERE b.tenant_id = a.tenant_id AND b.id = a.subject_id)
    WHEN 'mail_thread' THEN (SELECT b.address FROM mail_threads t JOIN mailboxes b ON b.tenant_id = t.tenant_id AND b.id = t.mailbox_id
        WHERE t.tenant_id = a.tenant_id AND t.id = a.subject_id)
    WHEN 'mail_message' THEN (SELECT b.address FROM mail_messages m JOIN mailboxes b ON b.tenant_id = m.tenant_id AND b.id = m.mailbox_id
        WHERE m.tenant_id = a.tenant_id AND m.id = a.subject_id)
    WHEN 'team' THEN (SELECT t.name FROM teams t WHERE t.tenant_id = a.tenant_id AND t.id = a.subject_id)
    WHEN 'number' THEN (SELECT p.e164 FROM numbers p WHERE p.tenant_id = a.tenant_id AND p.id = a.subject_id)
    WHEN 'sequence' THEN (SELECT s.name FROM sequences s WHERE s.tenant_id = a.tenant_id AND s.id = a.subject_id)
    WHEN 'import' THEN (SELECT i.filename FROM imports i WHERE i.tenant_id = a.tenant_id AND i.id = a.subject_id)
END

-- fragment: audit_entry_json
-- An entry as clients get it; needs `audit_entries a`.
json_build_object('id', a.id, 'at', a.at, 'action', a.action,
    'actor', CASE WHEN a.actor_id IS NOT NULL THEN json_build_object('id', a.actor_id,
        'name', (SELECT u.name FROM users u WHERE u.id = a.actor_id)) END,
    'address', a.address,
    'subject', CASE WHEN a.subject_kind <> '' THEN json_build_object('kind', a.subject_kind, 'id', a.subject_id, 'name', {{subject_name}}) END,
    'details', a.details, 'request_id', a.request_id)

-- name: list_entries
-- A page of the log, newest first, by person, by action or what it begins with, by subject and by time.
SELECT ({{audit_entry_json}})::text AS json, a.at::text AS key, a.id
FROM audit_entries a
WHERE a.tenant_id = :tenant_id
--? actor_id   AND a.actor_id = :actor_id
--? action     AND a.action ^@ :action
--? subject_id AND a.subject_id = :subject_id
--? since      AND a.at >= :since::timestamptz
--? until      AND a.at < :until::timestamptz
--? after      AND (a.at, a.id) < (:after::timestamptz, :after_id::uuid)
ORDER BY a.at DESC, a.id DESC
LIMIT :limit

-- name: export_entries
-- The same, as lines of a CSV are made of.
SELECT a.at, a.id, a.action, a.actor_id, (SELECT u.name FROM users u WHERE u.id = a.actor_id) AS actor, a.address,
    a.subject_kind, a.subject_id, {{subject_name}} AS subject, a.details::text AS details, a.request_id
FROM audit_entries a
WHERE a.tenant_id = :tenant_id
--? actor_id   AND a.actor_id = :actor_id
--? action     AND a.action ^@ :action
--? subject_id AND a.subject_id = :subject_id
--? since      AND a.at >= :since::timestamptz
--? until      AND a.at < :until::timestamptz
--? after      AND (a.at, a.id) < (:after::timestamptz, :after_id::uuid)
ORDER BY a.at DESC, a.id DESC
LIMIT :limit

-- name: list_actions
-- Which actions there are in the log, for its filter: one step of the index each, not a walk through the log.
WITH RECURSIVE known AS (
    (SELECT a.action FROM audit_entries a WHERE a.tenant_id = :tenant_id ORDER BY a.action LIMIT 1)
    UNION ALL
    SELECT (SELECT a.action FROM audit_entries a WHERE a.tenant_id = :tenant_id AND a.action > k.action ORDER BY a.action LIMIT 1)
    FROM known k WHERE k.action IS NOT NULL
)
SELECT k.action FROM known k WHERE k.action IS NOT NULL
