-- Imports. A batch of rows is a handful of set-based statements over arrays; COPY is refused under row-level security.

-- fragment: import_json
-- An import as clients get it; needs `imports i`.
json_build_object(
    'id', i.id, 'filename', i.filename, 'state', i.state, 'rows', i.rows, 'processed', i.processed, 'created', i.created,
    'updated', i.updated, 'skipped', i.skipped, 'failed', i.failed, 'warnings', i.warnings, 'kept', i.kept, 'error', i.error,
    'created_at', i.created_at, 'finished_at', i.finished_at, 'created_by', i.created_by)

-- name: begin_upload
-- An import whose file is on its way. Nobody sees it yet.
INSERT INTO imports (tenant_id, filename, created_by) VALUES (:tenant_id, :filename, :user_id) RETURNING id

-- name: add_chunk
-- The next piece of the file.
INSERT INTO import_chunks (tenant_id, import_id, position, data) VALUES (:tenant_id, :id, :position, :data)

-- name: forget_upload
-- An upload that came to nothing.
DELETE FROM imports WHERE tenant_id = :tenant_id AND id = :id AND state = 'uploading'

-- name: queue_import
-- The whole file is here.
UPDATE imports i SET state = 'queued', duplicates = :duplicates, region = :region, mapping = :mapping::json, created_at = now()
WHERE i.tenant_id = :tenant_id AND i.id = :id AND i.state = 'uploading'
RETURNING ({{import_json}})::text AS json

-- name: list_imports
-- A page of imports, newest first.
SELECT ({{import_json}})::text AS json, i.id, i.created_at::text AS key
FROM imports i
WHERE i.tenant_id = :tenant_id AND i.state <> 'uploading'
--? after_key AND (i.created_at, i.id) < (:after_key::timestamptz, :after_id::uuid)
ORDER BY i.created_at DESC, i.id DESC LIMIT :limit

-- name: get_import
-- One import.
SELECT ({{import_json}})::text AS json FROM imports i WHERE i.tenant_id = :tenant_id AND i.id = :id AND i.state <> 'uploading'

-- name: import_columns
-- What the failures of an import are listed under.
SELECT i.columns, i.filename FROM imports i WHERE i.tenant_id = :tenant_id AND i.id = :id AND i.state <> 'uploading'

-- name: failures
-- A page of the rows that failed, in the file's order.
SELECT line, cells, reason FROM import_failures
WHERE tenant_id = :tenant_id AND import_id = :id AND line > :after_line
ORDER BY line LIMIT :limit

-- name: lock_import
-- An import as its worker has it; nobody else may go on with it meanwhile.
SELECT i.state, i.filename, i.duplicates, i.region, i.mapping::text AS mapping, i.encoding, i.delimiter, i.columns, i.rows, i.processed,
       i.undo_asked_at, ({{import_json}})::text AS json
FROM imports i WHERE i.tenant_id = :tenant_id AND i.id = :id AND i.state <> 'uploading'
FOR UPDATE

-- name: one_import_at_a_time
-- Two imports of a company that bring the same new contact would not see each other's: their batches take turns.
SELECT pg_advisory_xact_lock(hashtextextended('imports ' || :tenant_id::uuid::text, 0))

-- name: plan_each_time
-- A plan that was made and kept when the tables were empty would be the wrong one for the rest of an import.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true)

-- name: plan_once
-- For the inserts and the checks of their foreign keys, of which there are thousands.
SELECT set_config('plan_cache_mode', 'auto', true)

-- name: chunk
-- A piece of the file.
SELECT data FROM import_chunks WHERE tenant_id = :tenant_id AND import_id = :id AND position = :position

-- name: forget_chunks
-- The file is not needed any more.
DELETE FROM import_chunks WHERE tenant_id = :tenant_id AND import_id = :id

-- name: begin_run
-- The file was surveyed; the rows come next.
UPDATE imports i SET state = 'running', encoding = :encoding, delimiter = :delimiter, columns = :columns::text[], rows = :rows
WHERE i.tenant_id = :tenant_id AND i.id = :id AND i.state = 'queued'
RETURNING ({{import_json}})::text AS json

-- name: advance
-- A batch is in; `expected` rows were dealt with before it.
UPDATE imports i SET processed = i.processed + :rows::int, created = i.created + :created::int, updated = i.updated + :updated::int,
    skipped = i.skipped + :skipped::int, failed = i.failed + :failed::int, warnings = i.warnings + :warnings::int
WHERE i.tenant_id = :tenant_id AND i.id = :id AND i.state = 'running' AND i.processed = :expected::int
RETURNING ({{import_json}})::text AS json

-- name: finish_import
-- The end, good or bad.
UPDATE imports i SET state = :state, error = :error, finished_at = now()
WHERE i.tenant_id = :tenant_id AND i.id = :id AND i.state IN ('queued', 'running')
RETURNING ({{import_json}})::text AS json

-- name: members_by_name
-- Who an owner column can mean.
SELECT m.user_id, u.name, u.email_lc FROM members m JOIN users u ON u.id = m.user_id
WHERE m.tenant_id = :tenant_id AND m.status = 'active'
ORDER BY m.created_at DESC

-- name: find_by_email
-- Contacts that have these addresses, oldest first. OFFSET 0 keeps it address by address along the indexes, and keeps the
-- condition on deleted_at from inviting a partial index that begins with the tenant only.
SELECT k.address_lc AS key, e.contact_id
FROM unnest(:addresses::text[]) AS k (address_lc)
CROSS JOIN LATERAL (
    SELECT m.contact_id FROM contact_emails m WHERE m.tenant_id = :tenant_id AND m.address_lc = k.address_lc OFFSET 0) AS e
CROSS JOIN LATERAL (
    SELECT c.created_at, c.deleted_at FROM contacts c WHERE c.tenant_id = :tenant_id AND c.id = e.contact_id OFFSET 0) AS c
WHERE c.deleted_at IS NULL
ORDER BY c.created_at, e.contact_id

-- name: find_by_phone
-- Contacts that have these numbers, oldest first.
SELECT k.e164, k.extension, p.contact_id
FROM unnest(:numbers::text[], :extensions::text[]) AS k (e164, extension)
CROSS JOIN LATERAL (
    SELECT m.contact_id FROM contact_phones m
    WHERE m.tenant_id = :tenant_id AND m.e164 = k.e164 AND m.extension = k.extension OFFSET 0) AS p
CROSS JOIN LATERAL (
    SELECT c.created_at, c.deleted_at FROM contacts c WHERE c.tenant_id = :tenant_id AND c.id = p.contact_id OFFSET 0) AS c
WHERE c.deleted_at IS NULL
ORDER BY c.created_at, p.contact_id

-- name: lock_contacts
-- Contacts with all that an import may change, and the same as JSON for the undo.
SELECT x.id, x.version, x.owner_id, x.is_deleted, row_to_json(x)::text AS before
FROM (
    SELECT c.id, c.version, c.deleted_at IS NOT NULL AS is_deleted, c.first_name, c.last_name, c.company, c.title, c.stage, c.owner_id, c.custom,
        coalesce((SELECT json_agg(json_build_array(e.address, e.label) ORDER BY e.position)
            FROM contact_emails e WHERE e.tenant_id = :tenant_id AND e.contact_id = c.id), '[]'::json) AS emails,
        coalesce((SELECT json_agg(json_build_array(p.e164, p.extension, p.label, p.kind, p.time_zones) ORDER BY p.position)
            FROM contact_phones p WHERE p.tenant_id = :tenant_id AND p.contact_id = c.id), '[]'::json) AS phones,
        coalesce((SELECT json_agg(t.tag ORDER BY t.tag_lc)
            FROM contact_tags t WHERE t.tenant_id = :tenant_id AND t.contact_id = c.id), '[]'::json) AS tags
    FROM contacts c
    WHERE c.tenant_id = :tenant_id AND c.id = ANY (:ids::uuid[])
    ORDER BY c.id FOR UPDATE OF c
) AS x

-- name: insert_contacts
-- New contacts.
INSERT INTO contacts (tenant_id, id, first_name, last_name, company, title, stage, owner_id, custom)
SELECT :tenant_id, x.id, x.first_name, x.last_name, x.company, x.title, x.stage, x.owner_id, x.custom::jsonb
FROM unnest(:ids::uuid[], :first_names::text[], :last_names::text[], :companies::text[], :titles::text[], :stages::text[],
            :owner_ids::uuid[], :customs::text[])
     AS x (id, first_name, last_name, company, title, stage, owner_id, custom)

-- name: update_contacts
-- Contacts that were there, with what the file (or the undo) makes of them.
UPDATE contacts c SET first_name = x.first_name, last_name = x.last_name, company = x.company, title = x.title, stage = x.stage,
    owner_id = x.owner_id, custom = x.custom::jsonb, updated_at = now(), version = c.version + 1
FROM unnest(:ids::uuid[], :first_names::text[], :last_names::text[], :companies::text[], :titles::text[], :stages::text[],
            :owner_ids::uuid[], :customs::text[])
     AS x (id, first_name, last_name, company, title, stage, owner_id, custom)
WHERE c.tenant_id = :tenant_id AND c.id = x.id

-- name: clear_emails
DELETE FROM contact_emails WHERE tenant_id = :tenant_id AND contact_id = ANY (:ids::uuid[])

-- name: clear_phones
DELETE FROM contact_phones WHERE tenant_id = :tenant_id AND contact_id = ANY (:ids::uuid[])

-- name: clear_tags
DELETE FROM contact_tags WHERE tenant_id = :tenant_id AND contact_id = ANY (:ids::uuid[])

-- name: clear_search
DELETE FROM contact_search WHERE tenant_id = :tenant_id AND contact_id = ANY (:ids::uuid[])

-- name: add_emails
INSERT INTO contact_emails (tenant_id, contact_id, position, address, label)
SELECT :tenant_id, x.id, x.position, x.address, x.label
FROM unnest(:ids::uuid[], :positions::int[], :addresses::text[], :labels::text[]) AS x (id, position, address, label)

-- name: add_phones
INSERT INTO contact_phones (tenant_id, contact_id, position, e164, extension, label, kind, time_zones)
SELECT :tenant_id, x.id, x.position, x.e164, x.extension, x.label, x.kind, string_to_array(x.zones, ',')
FROM unnest(:ids::uuid[], :positions::int[], :numbers::text[], :extensions::text[], :labels::text[], :kinds::text[], :zones::text[])
     AS x (id, position, e164, extension, label, kind, zones)

-- name: add_tags
INSERT INTO contact_tags (tenant_id, contact_id, tag)
SELECT :tenant_id, x.id, x.tag FROM unnest(:ids::uuid[], :tags::text[]) AS x (id, tag)
ON CONFLICT DO NOTHING

-- name: add_search
-- What contacts are found by, for those that have nothing yet. Plain ASCII comes folded already: search_fold() would only cost time.
INSERT INTO contact_search (tenant_id, contact_id, terms)
SELECT :tenant_id, x.id, ' ' || CASE WHEN x.folded THEN x.terms ELSE search_fold(x.terms) END
FROM unnest(:ids::uuid[], :terms::text[], :folded::boolean[]) AS x (id, terms, folded)
ON CONFLICT DO NOTHING

-- name: note_findable
-- The contacts of this batch have their search words.
UPDATE import_created SET is_findable = true WHERE tenant_id = :tenant_id AND import_id = :id AND start = :start

-- name: not_findable
-- Batches whose contacts wait for their search words.
SELECT start, contact_ids FROM import_created WHERE tenant_id = :tenant_id AND import_id = :id AND NOT is_findable ORDER BY start

-- name: make_findable
-- What contacts are found by, from what is stored of them; as contacts.refresh_search does it for one.
INSERT INTO contact_search (tenant_id, contact_id, terms)
SELECT c.tenant_id, c.id, ' ' || search_fold(concat_ws(' ', c.first_name, c.last_name, c.company, c.title,
    (SELECT string_agg(e.address_lc || ' ' || e.domain_lc, ' ' ORDER BY e.position)
     FROM contact_emails e WHERE e.tenant_id = c.tenant_id AND e.contact_id = c.id),
    (SELECT string_agg(ltrim(p.e164, '+'), ' ' ORDER BY p.position)
     FROM contact_phones p WHERE p.tenant_id = c.tenant_id AND p.contact_id = c.id)))
FROM contacts c
WHERE c.tenant_id = :tenant_id AND c.id = ANY (:ids::uuid[]) AND c.deleted_at IS NULL
ON CONFLICT DO NOTHING

-- name: note_changes
-- For the undo: what each contact was before this import first touched it, and its version now.
INSERT INTO import_changes AS n (tenant_id, import_id, contact_id, before, version)
SELECT :tenant_id, :id, x.contact_id, x.before::json, x.version
FROM unnest(:ids::uuid[], :befores::text[], :versions::int[]) AS x (contact_id, before, version)
ON CONFLICT (tenant_id, import_id, contact_id) DO UPDATE SET version = excluded.version

-- name: note_created
-- For the undo: the contacts that a batch created.
INSERT INTO import_created (tenant_id, import_id, start, contact_ids) VALUES (:tenant_id, :id, :start, :ids::uuid[])

-- name: add_failures
INSERT INTO import_failures (tenant_id, import_id, line, cells, reason)
SELECT :tenant_id, :id, x.line, ARRAY(SELECT json_array_elements_text(x.cells)), x.reason
FROM json_to_recordset(:failures::json) AS x (line int, cells json, reason text)

-- name: ask_undo
-- The undo begins.
UPDATE imports i SET state = 'running', undo_asked_at = now(), error = NULL, finished_at = NULL
WHERE i.tenant_id = :tenant_id AND i.id = :id AND i.state IN ('done', 'failed')
RETURNING ({{import_json}})::text AS json

-- name: next_changes
-- The next contacts to take back, with the version they have now and whether somebody called them or wrote about them.
-- OFFSET 0 keeps the planner from reading all activities and calls once instead of a few by their index.
SELECT n.contact_id, n.before::text AS before, n.version, c.version AS version_now, c.deleted_at IS NOT NULL AS is_deleted,
    (n.before IS NULL AND (
        EXISTS (SELECT FROM activities a WHERE a.tenant_id = :tenant_id AND a.contact_id = n.contact_id OFFSET 0)
        OR EXISTS (SELECT FROM calls k WHERE k.tenant_id = :tenant_id AND k.contact_id = n.contact_id OFFSET 0))) AS is_used
FROM import_changes n
JOIN contacts c ON c.tenant_id = :tenant_id AND c.id = n.contact_id
WHERE n.tenant_id = :tenant_id AND n.import_id = :id
ORDER BY n.contact_id LIMIT :limit
FOR UPDATE OF c

-- name: next_created
-- A batch of contacts that the import created.
SELECT start, contact_ids FROM import_created WHERE tenant_id = :tenant_id AND import_id = :id ORDER BY start LIMIT 1

-- name: created_contacts
-- These contacts as next_changes has them. The version they should have is 1, or what a later batch of the import left.
SELECT c.id AS contact_id, NULL AS before, coalesce(n.version, 1) AS version, c.version AS version_now, c.deleted_at IS NOT NULL AS is_deleted,
    (EXISTS (SELECT FROM activities a WHERE a.tenant_id = :tenant_id AND a.contact_id = c.id OFFSET 0)
     OR EXISTS (SELECT FROM calls k WHERE k.tenant_id = :tenant_id AND k.contact_id = c.id OFFSET 0)) AS is_used
FROM contacts c
LEFT JOIN import_changes n ON n.tenant_id = :tenant_id AND n.import_id = :id AND n.contact_id = c.id
WHERE c.tenant_id = :tenant_id AND c.id = ANY (:ids::uuid[])
FOR UPDATE OF c

-- name: forget_created
-- This batch is dealt with.
DELETE FROM import_created WHERE tenant_id = :tenant_id AND import_id = :id AND start = :start

-- name: delete_contacts
-- Softly, as everywhere.
UPDATE contacts SET deleted_at = now(), updated_at = now(), version = version + 1
WHERE tenant_id = :tenant_id AND id = ANY (:ids::uuid[])

-- name: known_owners
-- Those of these members who are still there to own contacts.
SELECT user_id FROM members WHERE tenant_id = :tenant_id AND user_id = ANY (:ids::uuid[])

-- name: forget_changes
-- These contacts are dealt with.
DELETE FROM import_changes WHERE tenant_id = :tenant_id AND import_id = :id AND contact_id = ANY (:ids::uuid[])

-- name: count_kept
-- Contacts that were left alone.
UPDATE imports i SET kept = i.kept + :kept::int
WHERE i.tenant_id = :tenant_id AND i.id = :id AND i.state = 'running' AND i.undo_asked_at IS NOT NULL
RETURNING ({{import_json}})::text AS json

-- name: finish_undo
-- Everything that could be taken back is.
UPDATE imports i SET state = 'undone', finished_at = now()
WHERE i.tenant_id = :tenant_id AND i.id = :id AND i.state = 'running' AND i.undo_asked_at IS NOT NULL
RETURNING ({{import_json}})::text AS json

-- name: refresh_statistics
-- So that the planner knows of the contacts at once, and not when autovacuum comes round.
SELECT contacts_analyze()

-- name: sweep_uploads
-- Uploads that nobody finished, and files that nobody needs.
SELECT imports_sweep(:unsent::interval)

-- name: stuck_imports
-- Imports that wait for a job that nobody will do any more.
SELECT tenant_id, id FROM imports_stuck()

-- name: companies
-- Companies by name, or all of them, for the shell.
SELECT tenant_id, name FROM find_companies(:name)

-- name: import_job
-- The job that runs an import, while it is not finished.
SELECT id, state FROM jobs WHERE tenant_id = :tenant_id AND kind = 'imports.run' AND key = :key
