-- Contacts with their addresses, numbers and tags, and the search over them.

CREATE TABLE contacts (
    tenant_id   uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id          uuid NOT NULL DEFAULT uuidv7(),
    first_name  text NOT NULL DEFAULT '',
    last_name   text NOT NULL DEFAULT '',
    company     text NOT NULL DEFAULT '',
    title       text NOT NULL DEFAULT '',
    stage       text COLLATE "C" NOT NULL DEFAULT '',
    owner_id    uuid,
    custom      jsonb NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    deleted_at  timestamptz,
    version     int NOT NULL DEFAULT 1,
    name_lc     text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(trim(first_name || ' ' || last_name))) STORED,
    last_name_lc text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(last_name)) STORED,
    company_lc  text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(company)) STORED,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT contacts_owner_is_member FOREIGN KEY (tenant_id, owner_id) REFERENCES members (tenant_id, user_id)
);
CREATE INDEX contacts_newest ON contacts (tenant_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX contacts_changed ON contacts (tenant_id, updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX contacts_by_name ON contacts (tenant_id, name_lc, id) WHERE deleted_at IS NULL;
CREATE INDEX contacts_by_last_name ON contacts (tenant_id, last_name_lc) WHERE deleted_at IS NULL;
CREATE INDEX contacts_by_company ON contacts (tenant_id, company_lc, id) WHERE deleted_at IS NULL;
CREATE INDEX contacts_by_stage ON contacts (tenant_id, stage, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX contacts_by_owner ON contacts (tenant_id, owner_id, created_at, id) WHERE deleted_at IS NULL;

CREATE TABLE contact_emails (
    tenant_id   uuid NOT NULL,
    contact_id  uuid NOT NULL,
    position    smallint NOT NULL,
    address     text NOT NULL,
    label       text NOT NULL DEFAULT 'work',
    address_lc  text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(address)) STORED,
    domain_lc   text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(split_part(address, '@', 2))) STORED,
    PRIMARY KEY (tenant_id, contact_id, position),
    FOREIGN KEY (tenant_id, contact_id) REFERENCES contacts (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX contact_emails_by_address ON contact_emails (tenant_id, address_lc, contact_id);
CREATE INDEX contact_emails_by_domain ON contact_emails (tenant_id, domain_lc, contact_id);

CREATE TABLE contact_phones (
    tenant_id   uuid NOT NULL,
    contact_id  uuid NOT NULL,
    position    smallint NOT NULL,
    e164        text COLLATE "C" NOT NULL CONSTRAINT contact_phones_e164_shape CHECK (e164 ~ '^\+[1-9][0-9]{5,14}$'),
    extension   text NOT NULL DEFAULT '',
    label       text NOT NULL DEFAULT 'work',
    kind        text NOT NULL DEFAULT 'unknown',
    time_zones  text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant_id, contact_id, position),
    FOREIGN KEY (tenant_id, contact_id) REFERENCES contacts (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX contact_phones_by_number ON contact_phones (tenant_id, e164, contact_id);

CREATE TABLE contact_tags (
    tenant_id   uuid NOT NULL,
    contact_id  uuid NOT NULL,
    tag         text NOT NULL,
    tag_lc      text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(tag)) STORED,
    PRIMARY KEY (tenant_id, contact_id, tag_lc),
    FOREIGN KEY (tenant_id, contact_id) REFERENCES contacts (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX contact_tags_by_tag ON contact_tags (tenant_id, tag_lc, contact_id);

-- What a contact can be found by, in one lower-case, unaccented text: words separated and preceded by one space.
CREATE TABLE contact_search (
    tenant_id   uuid NOT NULL,
    contact_id  uuid NOT NULL,
    terms       text NOT NULL,
    PRIMARY KEY (tenant_id, contact_id),
    FOREIGN KEY (tenant_id, contact_id) REFERENCES contacts (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX contact_search_terms ON contact_search USING gin (tenant_id, terms gin_trgm_ops);

SELECT protect_table(t) FROM unnest(ARRAY['contacts', 'contact_emails', 'contact_phones', 'contact_tags', 'contact_search']::regclass[]) AS t;
GRANT SELECT, INSERT, UPDATE ON contacts TO ringside_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON contact_emails, contact_phones, contact_tags, contact_search TO ringside_app;
GRANT SELECT ON contacts, contact_emails, contact_phones, contact_search TO ringside_search;
SELECT open_table_to(t, 'ringside_search') FROM unnest(ARRAY['contacts', 'contact_emails', 'contact_phones', 'contact_search']::regclass[]) AS t;

-- Lower case, no accents, single spaces: how terms and queries are compared.
CREATE FUNCTION search_fold(p_text text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT trim(regexp_replace(lower(unaccent('public.unaccent', p_text)), '\s+', ' ', 'g'))
$$;
GRANT EXECUTE ON FUNCTION search_fold(text) TO ringside_app, ringside_search;

-- Ids of the current tenant's contacts that match what was typed, best first: those where a name, company, address or number
-- begins with it, then those where every word begins or (from three letters) stands inside one of their words.
-- Operators that may leak are allowed here because the tenant is fixed by this function and only ids leave it.
CREATE FUNCTION search_contacts(p_query text, p_limit int)
RETURNS TABLE (contact_id uuid, rank int)
-- ROWS: with the planner's usual thousand the contacts would be read whole to join them.
LANGUAGE plpgsql STABLE ROWS 20 SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_tenant uuid := current_setting('ringside.tenant_id')::uuid;
    v_limit int := least(greatest(p_limit, 1), 100);
    -- Punctuation at the ends says nothing, and '.com' alone would stand in half of all contacts.
    v_query text := trim(both '.,;:-_@()+ ' from search_fold(left(p_query, 200)));
    v_is_number boolean := p_query ~ '^[-+().\s0-9]+$';
    v_upper text;
    v_digits text := ltrim(regexp_replace(p_query, '[^0-9]', '', 'g'), '0');
    v_ids uuid[];
    v_words text[];
    v_where text := '';
BEGIN
    IF v_query = '' THEN
        RETURN;
    END IF;
    v_upper := v_query || U&'\+10FFFF';
    SELECT array_agg(q.id ORDER BY q.place, q.id) INTO v_ids FROM (
        SELECT p.id, min(p.place) AS place FROM (
            (SELECT c.id, 1 FROM contacts c WHERE c.tenant_id = v_tenant AND c.deleted_at IS NULL
                AND c.name_lc >= v_query AND c.name_lc < v_upper ORDER BY c.name_lc LIMIT v_limit)
            UNION ALL
            (SELECT c.id, 2 FROM contacts c WHERE c.tenant_id = v_tenant AND c.deleted_at IS NULL
                AND c.last_name_lc >= v_query AND c.last_name_lc < v_upper ORDER BY c.last_name_lc LIMIT v_limit)
            UNION ALL
            (SELECT c.id, 3 FROM contacts c WHERE c.tenant_id = v_tenant AND c.deleted_at IS NULL
                AND c.company_lc >= v_query AND c.company_lc < v_upper ORDER BY c.company_lc LIMIT v_limit)
            UNION ALL
            (SELECT e.contact_id, 4 FROM contact_emails e WHERE e.tenant_id = v_tenant
                AND e.address_lc >= v_query AND e.address_lc < v_upper ORDER BY e.address_lc LIMIT v_limit)
            UNION ALL
            (SELECT e.contact_id, 5 FROM contact_emails e WHERE e.tenant_id = v_tenant
                AND e.domain_lc >= v_query AND e.domain_lc < v_upper ORDER BY e.domain_lc LIMIT v_limit)
            UNION ALL
            (SELECT n.contact_id, 6 FROM contact_phones n WHERE v_digits <> '' AND v_is_number AND n.tenant_id = v_tenant
                AND n.e164 >= '+' || v_digits AND n.e164 < '+' || v_digits || ':' ORDER BY n.e164 LIMIT v_limit)
        ) AS p (id, place) GROUP BY p.id
    ) AS q;
    v_ids := coalesce(v_ids[1:v_limit], '{}');
    RETURN QUERY SELECT u.id, 0 FROM unnest(v_ids) WITH ORDINALITY AS u (id, place) ORDER BY u.place;
    IF cardinality(v_ids) >= v_limit THEN
        RETURN;
    END IF;

    -- A number however it is written is one word of digits; anything else is cut at the spaces.
    IF v_is_number THEN
        IF length(v_digits) < 3 THEN
            RETURN;
        END IF;
        v_words := ARRAY['%' || v_digits || '%'];
    ELSE
        SELECT array_agg(CASE WHEN length(w) >= 3 THEN '%' || w || '%' ELSE '% ' || w || '%' END ORDER BY length(w) DESC)
        INTO v_words
        FROM (SELECT DISTINCT replace(replace(replace(x, '\', '\\'), '%', '\%'), '_', '\_') AS w
              FROM regexp_split_to_table(v_query, ' ') AS x LIMIT 6) AS split;
        IF cardinality(v_words) = 1 AND length(v_query) < 3 THEN
            RETURN;
        END IF;
    END IF;
    FOR i IN 1 .. cardinality(v_words) LOOP
        v_where := v_where || format(' AND s.terms LIKE $1[%s]', i);
    END LOOP;
    RETURN QUERY EXECUTE
        'SELECT m.contact_id, CASE WHEN m.terms LIKE $4 THEN 1 ELSE 2 END FROM ('
        ' SELECT s.contact_id, s.terms FROM contact_search s WHERE s.tenant_id = $2' || v_where ||
        ' AND s.contact_id <> ALL ($3) LIMIT 300) AS m ORDER BY 2, m.terms LIMIT $5'
        USING v_words, v_tenant, v_ids, '% ' || replace(replace(replace(v_query, '\', '\\'), '%', '\%'), '_', '\_') || '%',
              v_limit - cardinality(v_ids);
END $$;
SELECT give_function_to('search_contacts(text,int)', 'ringside_search');
