-- Contacts. Every statement repeats the tenant, so that the planner sees it as a constant and not as a policy's sub-select.

-- fragment: contact_json
-- A contact as clients get it; needs `contacts c`. Arrays of what hangs on it cost half of what aggregates of it would.
(SELECT row_to_json(x) FROM (SELECT c.id, c.first_name, c.last_name, c.company, c.title,
    ARRAY(SELECT json_build_object('address', e.address, 'label', e.label)
        FROM contact_emails e WHERE e.tenant_id = c.tenant_id AND e.contact_id = c.id ORDER BY e.position) AS emails,
    ARRAY(SELECT json_build_object('e164', p.e164, 'label', p.label, 'kind', p.kind,
            'time_zones', p.time_zones, 'extension', p.extension)
        FROM contact_phones p WHERE p.tenant_id = c.tenant_id AND p.contact_id = c.id ORDER BY p.position) AS phones,
    ARRAY(SELECT t.tag FROM contact_tags t WHERE t.tenant_id = c.tenant_id AND t.contact_id = c.id ORDER BY t.tag_lc) AS tags,
    c.stage, c.owner_id, c.custom, c.created_at, c.updated_at) AS x)

-- name: list_contacts
-- A page of contacts in one of eight orders as one text, and the key and id of its last for when more follow. What is aggregated
-- comes in the order of the page, which is sorted below (Postgres' manual, section 9.21). A page of the usual length says so in
-- the text: of a length it does not know Postgres expects a tenth of the table, and would plan each page anew, a fifth of its cost.
SELECT coalesce(array_to_string((array_agg(l.json))[1 : :limit], ','), '') AS data,
       (array_agg(l.key))[:limit] AS key, (array_agg(l.id))[:limit] AS id, count(*) > :limit AS more
FROM (
    SELECT ({{contact_json}})::text AS json, c.id,
--? sort_created_at      c.created_at::text AS key
--? sort_created_at_desc c.created_at::text AS key
--? sort_updated_at      c.updated_at::text AS key
--? sort_updated_at_desc c.updated_at::text AS key
--? sort_name            c.name_lc AS key
--? sort_name_desc       c.name_lc AS key
--? sort_company         c.company_lc AS key
--? sort_company_desc    c.company_lc AS key
    FROM contacts c
    WHERE c.tenant_id = :tenant_id AND c.deleted_at IS NULL
--? owner_id      AND c.owner_id = :owner_id
--? stage         AND c.stage = :stage
--? company       AND c.company_lc >= :company AND c.company_lc < :company || U&'\+10FFFF'
--? updated_since AND c.updated_at >= :updated_since
--? tag           AND c.id IN (SELECT t.contact_id FROM contact_tags t WHERE t.tenant_id = :tenant_id AND t.tag_lc = :tag)
--? after_created_at      AND (c.created_at, c.id) > (:after_created_at::timestamptz, :after_id::uuid)
--? after_created_at_desc AND (c.created_at, c.id) < (:after_created_at_desc::timestamptz, :after_id::uuid)
--? after_updated_at      AND (c.updated_at, c.id) > (:after_updated_at::timestamptz, :after_id::uuid)
--? after_updated_at_desc AND (c.updated_at, c.id) < (:after_updated_at_desc::timestamptz, :after_id::uuid)
--? after_name            AND (c.name_lc, c.id) > (:after_name, :after_id::uuid)
--? after_name_desc       AND (c.name_lc, c.id) < (:after_name_desc, :after_id::uuid)
--? after_company         AND (c.company_lc, c.id) > (:after_company, :after_id::uuid)
--? after_company_desc    AND (c.company_lc, c.id) < (:after_company_desc, :after_id::uuid)
--? sort_created_at      ORDER BY c.created_at, c.id
--? sort_created_at_desc ORDER BY c.created_at DESC, c.id DESC
--? sort_updated_at      ORDER BY c.updated_at, c.id
--? sort_updated_at_desc ORDER BY c.updated_at DESC, c.id DESC
--? sort_name            ORDER BY c.name_lc, c.id
--? sort_name_desc       ORDER BY c.name_lc DESC, c.id DESC
--? sort_company         ORDER BY c.company_lc, c.id
--? sort_company_desc    ORDER BY c.company_lc DESC, c.id DESC
    LIMIT
--? usual_limit 51
--? other_limit :limit + 1
) AS l

-- name: get_contact
-- One contact and its version.
SELECT ({{contact_json}})::text AS json, c.version
FROM contacts c
WHERE c.tenant_id = :tenant_id AND c.id = :id AND c.deleted_at IS NULL

-- name: search_contacts
-- What search_contacts() found, read again under row-level security, best first.
SELECT ({{contact_json}})::text AS json
FROM search_contacts(:query, :limit) WITH ORDINALITY AS s (contact_id, rank, place)
JOIN contacts c ON c.tenant_id = :tenant_id AND c.id = s.contact_id
WHERE c.deleted_at IS NULL
ORDER BY s.rank, s.place

-- name: facets
-- The values there are to filter by: distinct stages and tags by hopping along their indexes, and the members.
WITH RECURSIVE stages AS (
    (SELECT stage FROM contacts WHERE tenant_id = :tenant_id AND deleted_at IS NULL ORDER BY stage LIMIT 1)
    UNION ALL
    SELECT (SELECT c.stage FROM contacts c
            WHERE c.tenant_id = :tenant_id AND c.deleted_at IS NULL AND c.stage > s.stage ORDER BY c.stage LIMIT 1)
    FROM stages s WHERE s.stage IS NOT NULL
), tags AS (
    (SELECT tag_lc, tag FROM contact_tags WHERE tenant_id = :tenant_id ORDER BY tag_lc LIMIT 1)
    UNION ALL
    SELECT n.tag_lc, n.tag FROM tags s CROSS JOIN LATERAL (
        SELECT t.tag_lc, t.tag FROM contact_tags t
        WHERE t.tenant_id = :tenant_id AND t.tag_lc > s.tag_lc ORDER BY t.tag_lc LIMIT 1) AS n
)
SELECT json_build_object(
    'stages', coalesce((SELECT json_agg(x.stage) FROM (SELECT stage FROM stages WHERE stage <> '' LIMIT 500) AS x), '[]'::json),
    'tags', coalesce((SELECT json_agg(x.tag) FROM (SELECT tag FROM tags LIMIT 500) AS x), '[]'::json),
    'owners', coalesce((SELECT json_agg(json_build_object('id', u.id, 'name', u.name) ORDER BY u.name)
        FROM members m JOIN users u ON u.id = m.user_id WHERE m.tenant_id = :tenant_id), '[]'::json))::text

-- name: insert_contact
-- The contact's own row.
INSERT INTO contacts (tenant_id, first_name, last_name, company, title, stage, owner_id, custom)
VALUES (:tenant_id, :first_name, :last_name, :company, :title, :stage, :owner_id, :custom::jsonb)
RETURNING id

-- name: update_contact
-- Changes the given fields; null entries of custom are taken out (RFC 7396). No row when it is gone or was changed meanwhile.
UPDATE contacts SET
--? set_first_name first_name = :first_name,
--? set_last_name  last_name = :last_name,
--? set_company    company = :company,
--? set_title      title = :title,
--? set_stage      stage = :stage,
--? set_owner_id   owner_id = :owner_id,
--? set_custom     custom = jsonb_strip_nulls(custom || :custom::jsonb),
    updated_at = now(), version = version + 1
WHERE tenant_id = :tenant_id AND id = :id AND deleted_at IS NULL
--? version AND version = :version
RETURNING id

-- name: moves_out_of_sight
-- Whether others see this contact once it is somebody else's.
SELECT true FROM contacts c JOIN tenants t ON t.tenant_id = c.tenant_id
WHERE c.tenant_id = :tenant_id AND c.id = :id AND c.owner_id IS DISTINCT FROM :owner_id AND t.visibility <> 'everyone'

-- name: delete_contact
-- Soft, so that it can be undone.
UPDATE contacts SET deleted_at = now(), updated_at = now(), version = version + 1
WHERE tenant_id = :tenant_id AND id = :id AND deleted_at IS NULL
RETURNING id

-- name: restore_contact
-- Undoes a delete.
UPDATE contacts SET deleted_at = NULL, updated_at = now(), version = version + 1
WHERE tenant_id = :tenant_id AND id = :id AND deleted_at IS NOT NULL AND erased_at IS NULL
RETURNING id

-- name: clear_emails
DELETE FROM contact_emails WHERE tenant_id = :tenant_id AND contact_id = :id

-- name: clear_phones
DELETE FROM contact_phones WHERE tenant_id = :tenant_id AND contact_id = :id

-- name: clear_tags
DELETE FROM contact_tags WHERE tenant_id = :tenant_id AND contact_id = :id

-- name: forget_search
-- A deleted contact is not found.
DELETE FROM contact_search WHERE tenant_id = :tenant_id AND contact_id = :id

-- name: add_emails
INSERT INTO contact_emails (tenant_id, contact_id, position, address, label)
SELECT :tenant_id, :id, x.position, x.address, x.label
FROM json_to_recordset(:emails::json) AS x (position int, address text, label text)

-- name: add_phones
INSERT INTO contact_phones (tenant_id, contact_id, position, e164, extension, label, kind, time_zones)
SELECT :tenant_id, :id, x.position, x.e164, x.extension, x.label, x.kind,
       ARRAY(SELECT json_array_elements_text(x.time_zones))
FROM json_to_recordset(:phones::json)
     AS x (position int, e164 text, extension text, label text, kind text, time_zones json)

-- name: add_tags
INSERT INTO contact_tags (tenant_id, contact_id, tag)
SELECT :tenant_id, :id, t FROM json_array_elements_text(:tags::json) AS t
ON CONFLICT DO NOTHING

-- name: refresh_search
-- Rebuilds what the contact is found by: its words, its addresses and their domains, and the digits of its numbers.
INSERT INTO contact_search (tenant_id, contact_id, terms)
SELECT c.tenant_id, c.id, ' ' || search_fold(concat_ws(' ', c.first_name, c.last_name, c.company, c.title,
    (SELECT string_agg(e.address_lc || ' ' || e.domain_lc, ' ' ORDER BY e.position)
     FROM contact_emails e WHERE e.tenant_id = c.tenant_id AND e.contact_id = c.id),
    (SELECT string_agg(ltrim(p.e164, '+'), ' ' ORDER BY p.position)
     FROM contact_phones p WHERE p.tenant_id = c.tenant_id AND p.contact_id = c.id)))
FROM contacts c
WHERE c.tenant_id = :tenant_id AND c.id = :id AND c.deleted_at IS NULL
ON CONFLICT (tenant_id, contact_id) DO UPDATE SET terms = excluded.terms

-- name: contact_phone
-- The number to call: the one that was asked for, if it is the contact's, else the first.
SELECT p.e164 FROM contact_phones p
JOIN contacts c ON c.tenant_id = p.tenant_id AND c.id = p.contact_id
WHERE p.tenant_id = :tenant_id AND p.contact_id = :id AND c.deleted_at IS NULL
--? e164 AND p.e164 = :e164
ORDER BY p.position LIMIT 1

-- name: contact_exists
SELECT true FROM contacts WHERE tenant_id = :tenant_id AND id = :id AND deleted_at IS NULL
