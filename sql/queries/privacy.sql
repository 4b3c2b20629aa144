-- Privacy: exports, erasures, and how long things are kept.

-- fragment: privacy_request_json
-- A request as clients get it; needs `privacy_requests r`.
json_build_object('id', r.id, 'kind', r.kind, 'subject', json_build_object('kind', r.subject_kind, 'id', r.subject_id, 'name', r.label),
    'state', r.state, 'step', r.step, 'done', r.done, 'total', r.total, 'counts', r.counts, 'bytes', r.bytes,
    'has_file', r.object_key IS NOT NULL AND r.expires_at > now(), 'expires_at', r.expires_at, 'due_at', r.due_at, 'error', r.error,
    'created_by', (SELECT json_build_object('id', u.id, 'name', u.name) FROM users u WHERE u.id = r.created_by),
    'created_at', r.created_at, 'finished_at', r.finished_at)

-- name: list_requests
-- A page of the requests, newest first.
SELECT ({{privacy_request_json}})::text AS json, r.created_at::text AS key, r.id
FROM privacy_requests r
WHERE r.tenant_id = :tenant_id
--? after AND (r.created_at, r.id) < (:after::timestamptz, :after_id::uuid)
ORDER BY r.created_at DESC, r.id DESC
LIMIT :limit

-- name: get_request
SELECT ({{privacy_request_json}})::text AS json, r.id, r.kind, r.subject_kind, r.subject_id, r.label, r.state, r.step, r.done, r.total, r.files, r.object_key, r.bytes,
    r.due_at, r.expires_at, r.created_by, r.object_key IS NOT NULL AND r.expires_at > now() AS has_file
FROM privacy_requests r
WHERE r.tenant_id = :tenant_id AND r.id = :id

-- name: lock_request
SELECT r.id, r.kind, r.subject_kind, r.subject_id, r.label, r.state, r.files, r.needles, r.object_key, r.created_by, r.due_at <= now() AS is_due
FROM privacy_requests r
WHERE r.tenant_id = :tenant_id AND r.id = :id
FOR UPDATE

-- name: insert_request
-- One of a kind for a subject at a time: no row when there is one under way.
INSERT INTO privacy_requests (tenant_id, kind, subject_kind, subject_id, label, created_by, due_at)
VALUES (:tenant_id, :kind, :subject_kind, :subject_id, :label, :user_id, now() + make_interval(secs => :wait_s::int))
ON CONFLICT (tenant_id, kind, subject_kind, subject_id) WHERE state IN ('waiting', 'running') DO NOTHING
RETURNING id, due_at

-- name: request_under_way
-- The erasure that waits, due now.
UPDATE privacy_requests SET due_at = now()
WHERE tenant_id = :tenant_id AND kind = 'erasure' AND subject_kind = :subject_kind AND subject_id = :id AND state IN ('waiting', 'running')
RETURNING id

-- name: set_progress
UPDATE privacy_requests SET state = 'running', step = :step, done = :done, total = :total
WHERE tenant_id = :tenant_id AND id = :id AND state IN ('waiting', 'running')

-- name: note_erased
-- What was erased, and which files are still to go. From here on nothing names them.
UPDATE privacy_requests SET label = '', counts = CASE WHEN counts = '{}' THEN :counts::jsonb ELSE counts END, files = files || :files::text[],
    needles = needles || :needles::text[]
WHERE tenant_id = :tenant_id AND id = :id

-- name: settle_request
-- Its end. Of an erasure no name is kept.
UPDATE privacy_requests SET state = :state, step = '', error = :error, finished_at = now(), files = '{}', needles = '{}',
    label = CASE WHEN kind = 'erasure' AND :state = 'done' THEN '' ELSE label END,
    counts = coalesce(:counts::jsonb, counts), object_key = coalesce(:object_key, object_key), bytes = coalesce(:bytes, bytes),
    expires_at = CASE WHEN :object_key::text IS NULL THEN expires_at ELSE now() + make_interval(days => :keep_days::int) END
WHERE tenant_id = :tenant_id AND id = :id AND state IN ('waiting', 'running')

-- name: forget_exports
-- Earlier exports of who was erased name them no more, and the files in which they are go, the whole company's among them.
UPDATE privacy_requests SET expires_at = least(expires_at, now()),
    label = CASE WHEN subject_kind = :subject_kind AND subject_id = :subject_id THEN '' ELSE label END
WHERE tenant_id = :tenant_id AND id <> :id AND kind = 'export'
  AND (subject_kind = 'company' OR subject_kind = :subject_kind AND subject_id = :subject_id)
RETURNING object_key

-- name: forget_file
UPDATE privacy_requests SET object_key = NULL WHERE tenant_id = :tenant_id AND id = :id

-- name: contact_label
-- Called as everywhere else: by the name, or else by the first thing known.
SELECT coalesce(nullif(trim(c.first_name || ' ' || c.last_name), ''), nullif(c.company, ''),
    (SELECT e.address FROM contact_emails e WHERE e.tenant_id = c.tenant_id AND e.contact_id = c.id ORDER BY e.position LIMIT 1),
    (SELECT p.e164 FROM contact_phones p WHERE p.tenant_id = c.tenant_id AND p.contact_id = c.id ORDER BY p.position LIMIT 1),
    'Unnamed contact') AS label, c.erased_at IS NOT NULL AS is_erased
FROM contacts c WHERE c.tenant_id = :tenant_id AND c.id = :id

-- name: member_label
SELECT u.name AS label, m.status, m.role FROM members m JOIN users u ON u.id = m.user_id
WHERE m.tenant_id = :tenant_id AND m.user_id = :id

-- name: company_label
SELECT t.name AS label FROM tenants t WHERE t.tenant_id = :tenant_id

-- name: what_costs_money
-- What others would go on to charge for when the company is gone: a plan that renews, and numbers.
SELECT EXISTS (SELECT FROM billing_accounts b WHERE b.tenant_id = :tenant_id AND b.subscription_id IS NOT NULL
           AND b.ended_at IS NULL AND b.cancel_at IS NULL) AS plan,
    EXISTS (SELECT FROM numbers n WHERE n.tenant_id = :tenant_id AND n.provider_sid IS NOT NULL AND n.released_at IS NULL) AS numbers

-- name: live_calls
-- Calls with a contact that are not over: nothing can be erased under them.
SELECT true FROM calls k WHERE k.tenant_id = :tenant_id AND k.contact_id = :id AND k.state IN ('queued', 'dialing', 'ringing', 'in_progress') LIMIT 1

-- name: running_imports
SELECT true FROM imports i WHERE i.tenant_id = :tenant_id AND i.state NOT IN ('done', 'failed', 'undone') LIMIT 1

-- name: recordings_of_contact
SELECT r.id FROM recordings r WHERE r.tenant_id = :tenant_id AND r.contact_id = :id AND r.state <> 'deleted'

-- name: old_recordings
-- Recordings that are kept for longer than the company wants.
SELECT r.id FROM recordings r JOIN retention_settings s ON s.tenant_id = r.tenant_id
WHERE r.tenant_id = :tenant_id AND r.state IN ('stored', 'failed') AND r.created_at < now() - make_interval(days => s.recordings_days)
LIMIT :limit

-- name: log_bounds
-- The oldest event that is kept, and the last.
SELECT coalesce((SELECT e.seq FROM events e WHERE e.tenant_id = :tenant_id ORDER BY e.seq LIMIT 1), 0) AS first,
    (SELECT c.seq FROM tenant_counters c WHERE c.tenant_id = :tenant_id) AS last

-- name: erase_contact
SELECT counts::text AS counts, files, needles FROM erase_contact(:id)

-- name: erase_member
SELECT counts::text AS counts, files, needles FROM erase_member(:id)

-- name: erase_traces
SELECT erase_traces(:words::text[], :account)

-- name: erase_from_events
SELECT erase_from_events(:needles::text[], :after::bigint, :upto::bigint)

-- name: erase_company
SELECT erase_company(:id, :limit::int, :last)

-- name: purge_old
SELECT purged, files FROM purge_old(:kind, :limit::int)

-- name: retention_due
-- The companies that keep something for a time only.
SELECT tenant_id FROM retention_due()

-- name: exports_expired
SELECT tenant_id, id, object_key FROM exports_expired(:limit::int)

-- name: get_retention
SELECT json_build_object('mail_days', r.mail_days, 'messages_days', r.messages_days, 'calls_days', r.calls_days,
    'recordings_days', r.recordings_days, 'events_days', r.events_days, 'audit_days', r.audit_days, 'updated_at', r.updated_at)::text
FROM (VALUES (1)) AS x (n) LEFT JOIN retention_settings r ON r.tenant_id = :tenant_id

-- name: set_retention
INSERT INTO retention_settings (tenant_id, mail_days, messages_days, calls_days, recordings_days, events_days, audit_days, updated_at)
VALUES (:tenant_id, :mail_days, :messages_days, :calls_days, :recordings_days, :events_days, :audit_days, now())
ON CONFLICT (tenant_id) DO UPDATE SET mail_days = excluded.mail_days, messages_days = excluded.messages_days,
    calls_days = excluded.calls_days, recordings_days = excluded.recordings_days, events_days = excluded.events_days,
    audit_days = excluded.audit_days, updated_at = now()

-- name: company_files
-- The files of a company in the store, some of them.
SELECT r.object_key FROM recordings r WHERE r.tenant_id = :tenant_id AND r.object_key IS NOT NULL AND r.object_gone_at IS NULL
UNION ALL
SELECT m.object_key FROM mail_messages m WHERE m.tenant_id = :tenant_id AND m.object_key IS NOT NULL
UNION ALL
SELECT d.object_key FROM voicemail_drops d WHERE d.tenant_id = :tenant_id
UNION ALL
SELECT x ->> 'key' FROM mail_sends s CROSS JOIN LATERAL jsonb_array_elements(s.attachments) AS x
WHERE s.tenant_id = :tenant_id AND x ->> 'key' IS NOT NULL
UNION ALL
SELECT r.object_key FROM privacy_requests r WHERE r.tenant_id = :tenant_id AND r.object_key IS NOT NULL

-- name: tables
-- The company's tables that the app may read, with their columns and the key to page by. What looks like a secret is left out.
SELECT c.relname::text AS name,
    ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
    ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
          AND a.attname ~ '(hash|sealed|secret|token|seed|password|cursor|endpoint|private_key)') AS secrets,
    ARRAY(SELECT a.attname::text FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int[]) WITH ORDINALITY AS k (n, ord)
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.n
          WHERE i.indrelid = c.oid AND i.indisprimary AND a.attname <> 'tenant_id' ORDER BY k.ord) AS key
FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND has_table_privilege(c.oid, 'SELECT')
  AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped)
ORDER BY c.relname

-- name: person
-- A person as the company sees them.
SELECT json_build_object('id', u.id, 'email', u.email, 'name', u.name, 'created_at', u.created_at)::text FROM users u WHERE u.id = :id

-- name: people
-- The people of the company.
SELECT json_build_object('id', u.id, 'email', u.email, 'name', u.name, 'role', m.role, 'status', m.status)::text AS json
FROM members m JOIN users u ON u.id = m.user_id WHERE m.tenant_id = :tenant_id ORDER BY u.name, u.id

-- name: files_to_export
-- The sound and the original mail of a contact, or of the company; never what only one person may read.
SELECT 'recordings/' || r.id || '.wav' AS name, r.object_key FROM recordings r
WHERE r.tenant_id = :tenant_id AND r.state = 'stored' AND (:contact_id::uuid IS NULL OR r.contact_id = :contact_id)
UNION ALL
SELECT 'mail/' || m.id || '.eml', m.object_key
FROM mail_messages m JOIN mail_threads t ON t.tenant_id = m.tenant_id AND t.id = m.thread_id
JOIN mailboxes b ON b.tenant_id = m.tenant_id AND b.id = m.mailbox_id
WHERE m.tenant_id = :tenant_id AND m.object_key IS NOT NULL AND NOT m.private AND NOT t.private AND b.visibility <> 'private'
  AND (:contact_id::uuid IS NULL OR EXISTS (
      SELECT FROM mail_message_contacts w WHERE w.tenant_id = m.tenant_id AND w.message_id = m.id AND w.contact_id = :contact_id))

-- name: close_member
-- A restored backup may know somebody as a member who was erased since.
UPDATE members SET status = 'deactivated' WHERE tenant_id = :tenant_id AND user_id = :id AND status = 'active'

-- name: note_closed
SELECT access_note_member(:id, 'member_deactivated')
