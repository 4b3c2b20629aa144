-- Templates, snippets, and what became of the mail that was written from them.

-- fragment: template_json
-- A template with its present text as clients get it; needs `templates t` and `template_versions v`.
json_build_object(
    'id', t.id, 'kind', t.kind, 'name', t.name, 'folder', t.folder, 'shortcut', t.shortcut, 'shared', t.shared,
    'owner', (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = t.owner_id),
    'version', v.version, 'subject', v.subject, 'html', v.html,
    'created_at', t.created_at, 'updated_at', t.updated_at, 'archived_at', t.archived_at)

-- name: sender_facts
-- Who writes, from which mailbox, for which company.
SELECT json_build_object(
    'sender', json_build_object(
        'name', coalesce(nullif(m.display_name, ''), u.name), 'email', coalesce(m.address, u.email), 'signature', m.signature_html,
        'phone', (SELECT n.e164 FROM numbers n WHERE n.tenant_id = c.tenant_id AND n.user_id = u.id
            AND n.state = 'active' ORDER BY n.created_at, n.id LIMIT 1)),
    'company', json_build_object('name', c.name))::text AS json, c.zone
FROM tenants c
LEFT JOIN mailboxes m ON m.tenant_id = c.tenant_id AND m.id = :mailbox_id::uuid
LEFT JOIN users u ON u.id = coalesce(:person_id::uuid, m.user_id)
WHERE c.tenant_id = :tenant_id

-- name: contact_facts
-- What templates know of contacts.
SELECT c.id, json_build_object(
    'first_name', c.first_name, 'last_name', c.last_name, 'name', trim(c.first_name || ' ' || c.last_name),
    'company', c.company, 'title', c.title, 'stage', c.stage, 'custom', c.custom,
    'email', (SELECT e.address FROM contact_emails e WHERE e.tenant_id = :tenant_id AND e.contact_id = c.id ORDER BY e.position LIMIT 1),
    'phone', (SELECT p.e164 FROM contact_phones p WHERE p.tenant_id = :tenant_id AND p.contact_id = c.id ORDER BY p.position LIMIT 1)
    )::text AS json
FROM contacts c
WHERE c.tenant_id = :tenant_id AND c.id = ANY (:contact_ids::uuid[]) AND c.deleted_at IS NULL

-- name: custom_names
-- The names of contacts' own fields, from those changed last.
SELECT DISTINCT k AS name FROM (
    SELECT c.custom FROM contacts c WHERE c.tenant_id = :tenant_id AND c.deleted_at IS NULL ORDER BY c.updated_at DESC, c.id DESC LIMIT 200
) AS recent CROSS JOIN LATERAL jsonb_object_keys(recent.custom) AS k
ORDER BY k LIMIT 100

-- name: list_templates
-- One's own and the shared ones by name.
SELECT ({{template_json}})::text AS json, t.name_lc AS key, t.id
FROM templates t
JOIN template_versions v ON v.tenant_id = t.tenant_id AND v.template_id = t.id AND v.version = t.current_version
WHERE t.tenant_id = :tenant_id AND (t.shared OR t.owner_id = :user_id)
--? live     AND t.archived_at IS NULL
--? archived AND t.archived_at IS NOT NULL
--? kind     AND t.kind = :kind
--? folder   AND t.folder_lc = :folder
--? name     AND t.name_lc >= :name AND t.name_lc < :name || U&'\+10FFFF'
--? after    AND (t.name_lc, t.id) > (:after, :after_id::uuid)
ORDER BY t.name_lc, t.id
LIMIT :limit

-- name: get_template
-- One that this member may see.
SELECT ({{template_json}})::text AS json, t.version AS etag, t.owner_id, t.shared, t.kind, t.archived_at, v.version, v.subject, v.html
FROM templates t
JOIN template_versions v ON v.tenant_id = t.tenant_id AND v.template_id = t.id AND v.version = t.current_version
WHERE t.tenant_id = :tenant_id AND t.id = :id AND (t.shared OR t.owner_id = :user_id OR :sees_all::boolean)

-- name: lock_template
-- The same, kept from others' changes until the end of the transaction.
SELECT t.version AS etag, t.owner_id, t.shared, t.kind, t.archived_at, t.current_version, v.subject, v.html
FROM templates t
JOIN template_versions v ON v.tenant_id = t.tenant_id AND v.template_id = t.id AND v.version = t.current_version
WHERE t.tenant_id = :tenant_id AND t.id = :id AND (t.shared OR t.owner_id = :user_id)
FOR UPDATE OF t

-- name: insert_template
INSERT INTO templates (tenant_id, kind, name, folder, shortcut, shared, owner_id)
VALUES (:tenant_id, :kind, :name, :folder, :shortcut, :shared, :user_id)
RETURNING id

-- name: insert_version
INSERT INTO template_versions (tenant_id, template_id, version, subject, html, created_by)
VALUES (:tenant_id, :id, :version, :subject, :html, :user_id)

-- name: update_template
-- What is null stays; `shortcut` goes by its own flag.
UPDATE templates SET
    name = coalesce(:name, name), folder = coalesce(:folder, folder), shared = coalesce(:shared, shared),
    shortcut = CASE WHEN :sets_shortcut::boolean THEN :shortcut ELSE shortcut END,
    current_version = coalesce(:current_version, current_version), version = version + 1, updated_at = now()
WHERE tenant_id = :tenant_id AND id = :id

-- name: archive_template
UPDATE templates SET archived_at = CASE WHEN :archived::boolean THEN now() END, version = version + 1, updated_at = now()
WHERE tenant_id = :tenant_id AND id = :id AND (archived_at IS NULL) = :archived::boolean

-- name: list_versions
-- Every text that a template has had, newest first.
SELECT coalesce(json_agg(json_build_object(
    'version', v.version, 'subject', v.subject, 'html', v.html, 'created_at', v.created_at,
    'created_by', (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = v.created_by)
    ) ORDER BY v.version DESC), '[]'::json)::text
FROM template_versions v WHERE v.tenant_id = :tenant_id AND v.template_id = :id

-- name: note_use
INSERT INTO template_uses (tenant_id, send_id, template_id, version)
VALUES (:tenant_id, :send_id, :template_id, :version)
ON CONFLICT (tenant_id, send_id) DO UPDATE SET template_id = excluded.template_id, version = excluded.version, used_at = now()

-- name: is_own_draft
SELECT EXISTS (SELECT FROM mail_sends s WHERE s.tenant_id = :tenant_id AND s.id = :draft_id AND s.user_id = :user_id AND s.state = 'draft')

-- name: results
-- What became of a template's mail, by version and all together; people's doings only.
SELECT json_build_object('data', coalesce(json_agg(r.json ORDER BY r.version DESC) FILTER (WHERE r.version IS NOT NULL), '[]'::json),
    'total', (array_agg(r.json) FILTER (WHERE r.version IS NULL))[1])::text
FROM (
    SELECT g.version, json_build_object('version', coalesce(g.version, 0), 'sent', count(s.id),
        'delivered', count(s.id) FILTER (WHERE NOT x.bounced), 'opens_tracked', count(*) FILTER (WHERE k.opens),
        'opened', count(*) FILTER (WHERE k.first_opened_at IS NOT NULL), 'clicks_tracked', count(*) FILTER (WHERE k.clicks),
        'clicked', count(*) FILTER (WHERE k.first_clicked_at IS NOT NULL), 'replied', count(*) FILTER (WHERE k.replied_at IS NOT NULL),
        'bounced', count(*) FILTER (WHERE x.bounced), 'unsubscribed', count(*) FILTER (WHERE x.unsubscribed)) AS json
    FROM template_uses g
    LEFT JOIN mail_sends s ON s.tenant_id = g.tenant_id AND s.id = g.send_id AND s.state = 'sent'
    LEFT JOIN tracked_sends k ON k.tenant_id = s.tenant_id AND k.send_id = s.id
    CROSS JOIN LATERAL (SELECT
        EXISTS (SELECT FROM mail_bounces b WHERE b.tenant_id = s.tenant_id AND b.send_id = s.id AND b.kind = 'bounce') AS bounced,
        EXISTS (SELECT FROM unsubscribes n WHERE n.tenant_id = s.tenant_id AND n.send_id = s.id AND n.undone_at IS NULL) AS unsubscribed) AS x
    WHERE g.tenant_id = :tenant_id AND g.template_id = :id
    GROUP BY GROUPING SETS ((g.version), ())
) AS r
