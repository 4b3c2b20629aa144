-- The canaries: two companies of the system's own that keep trying to reach each other, and what came of it.

-- Which companies they are, and what lies in them to be found: {contact, call, recording, ...} and ids.
CREATE TABLE canaries (
    tenant_id   uuid PRIMARY KEY REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    side        text NOT NULL CONSTRAINT canaries_side_taken UNIQUE CONSTRAINT canaries_side_known CHECK (side IN ('left', 'right')),
    user_id     uuid NOT NULL REFERENCES users (id),
    planted     jsonb NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- Every way that was found from one company into another, until an operator's clean run clears it.
CREATE TABLE isolation_breaches (
    id          uuid PRIMARY KEY DEFAULT uuidv7(),
    layer       text NOT NULL,
    tried       text NOT NULL,
    came_back   text NOT NULL,
    found_at    timestamptz NOT NULL DEFAULT now(),
    cleared_at  timestamptz
);
CREATE UNIQUE INDEX isolation_breaches_open ON isolation_breaches (layer, tried) WHERE cleared_at IS NULL;

-- When everything was last tried without a gap; one row.
CREATE TABLE isolation_checks (
    one         boolean PRIMARY KEY DEFAULT true CONSTRAINT isolation_checks_one CHECK (one),
    checked_at  timestamptz,
    attempts    int NOT NULL DEFAULT 0
);
INSERT INTO isolation_checks DEFAULT VALUES;

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['canaries', 'isolation_breaches', 'isolation_checks'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
        PERFORM open_table_to(t::regclass, 'ringside_system');
        EXECUTE format('GRANT SELECT, INSERT, UPDATE ON %I TO ringside_system', t);
    END LOOP;
END $$;

-- The two canaries, made now if there are none.
CREATE FUNCTION canary_pair() RETURNS TABLE (tenant_id uuid, side text, user_id uuid, planted text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_side text;
    v_tenant uuid;
BEGIN
    PERFORM pg_advisory_xact_lock(7246024);
    FOREACH v_side IN ARRAY ARRAY['left', 'right'] LOOP
        CONTINUE WHEN EXISTS (SELECT FROM canaries c WHERE c.side = v_side);
        v_tenant := create_company('Isolation canary, ' || v_side);
        -- Nobody can have this address (RFC 6761) and no password has this hash: only the system makes tokens for it.
        INSERT INTO canaries (tenant_id, side, user_id)
        VALUES (v_tenant, v_side,
                create_member(v_tenant, 'canary-' || v_tenant || '@ringside.invalid', 'Canary ' || v_tenant, '!', 'owner'));
    END LOOP;
    RETURN QUERY SELECT c.tenant_id, c.side, c.user_id, c.planted::text FROM canaries c ORDER BY c.side;
END $$;

-- Notes what lies in a canary now.
CREATE FUNCTION canary_planted(p_tenant uuid, p_planted jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    UPDATE canaries SET planted = p_planted WHERE tenant_id = p_tenant
$$;

-- Notes what a look found: [{"layer", "tried", "came_back"}]; `p_whole` when everything could be tried.
CREATE FUNCTION isolation_note(p_breaches jsonb, p_attempts int, p_whole boolean) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO isolation_breaches (layer, tried, came_back)
    SELECT b ->> 'layer', b ->> 'tried', b ->> 'came_back' FROM jsonb_array_elements(p_breaches) AS b
    ON CONFLICT (layer, tried) WHERE cleared_at IS NULL DO NOTHING;
    UPDATE isolation_checks SET checked_at = now(), attempts = p_attempts WHERE p_whole;
$$;

-- An operator's word that what was found is mended; how many there were.
CREATE FUNCTION isolation_clear() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    WITH cleared AS (UPDATE isolation_breaches SET cleared_at = now() WHERE cleared_at IS NULL RETURNING 1)
    SELECT count(*) FROM cleared
$$;

-- What is open, by layer, and when everything was last tried.
CREATE FUNCTION isolation_standing() RETURNS TABLE (breaches bigint, said text, checked_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT (SELECT count(*) FROM isolation_breaches b WHERE b.cleared_at IS NULL),
           (SELECT string_agg(x.layer || ': ' || x.tried, '; ')
            FROM (SELECT b.layer, b.tried FROM isolation_breaches b WHERE b.cleared_at IS NULL ORDER BY b.found_at LIMIT 3) AS x),
           c.checked_at
    FROM isolation_checks c
$$;

SELECT give_to_system(f) FROM unnest(ARRAY['canary_pair()', 'canary_planted(uuid,jsonb)', 'isolation_note(jsonb,int,boolean)',
    'isolation_clear()', 'isolation_standing()']::regprocedure[]) AS f;

-- Shell commands and alerts know of no canaries.
CREATE OR REPLACE FUNCTION find_companies(p_name text)
RETURNS TABLE (tenant_id uuid, name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT t.tenant_id, t.name FROM tenants t
    WHERE (p_name IS NULL OR t.name = p_name) AND NOT EXISTS (SELECT FROM canaries c WHERE c.tenant_id = t.tenant_id)
    ORDER BY t.created_at
$$;
CREATE OR REPLACE FUNCTION alerts_tenants() RETURNS TABLE (tenant_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    (SELECT p.tenant_id FROM presence p WHERE p.state <> 'offline'
     UNION
     SELECT a.tenant_id FROM alerts a WHERE a.cleared_at IS NULL)
    EXCEPT
    SELECT c.tenant_id FROM canaries c
$$;

-- The attempts in SQL. They run with the rights of whoever calls them, which is the app role, in the context of `p_own`;
-- whatever they change is undone at once.

-- Runs one statement and undoes it: the rows it touched, or -1 and the error.
CREATE FUNCTION isolation_attempt(p_sql text, OUT touched bigint, OUT code text, OUT said text)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    EXECUTE p_sql;
    GET DIAGNOSTICS touched = ROW_COUNT;
    code := '00000';
    said := touched || ' rows';
    RAISE SQLSTATE 'RS024';
EXCEPTION
    WHEN SQLSTATE 'RS024' THEN NULL;
    WHEN OTHERS THEN
        touched := -1;
        code := SQLSTATE;
        said := SQLERRM;
END $$;

-- What a statement that should touch nothing of the other's came to. `p_must_fail`: it has to be refused, and for its tenant
-- alone: a statement that is refused for another reason, a missing value say, came past the policy.
CREATE FUNCTION isolation_verdict(p_touched bigint, p_code text, p_must_fail boolean) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT CASE
        WHEN p_code = '42501' OR (p_touched = 0 AND NOT p_must_fail) THEN 'closed'
        WHEN p_touched > 0 OR (p_must_fail AND left(p_code, 2) = '23') THEN 'open'
        ELSE 'unchecked' END
$$;

-- Every way into one table that has a tenant. No table may be read whole for it, however few rows the planner hopes to pass.
CREATE FUNCTION isolation_try_table(p_table regclass, p_own uuid, p_other uuid)
RETURNS TABLE (tried text, came_back text, verdict text)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    v_kind text := (SELECT c.relkind FROM pg_class c WHERE c.oid = p_table);
    v_column text := (SELECT quote_ident(a.attname) FROM pg_attribute a
        WHERE a.attrelid = p_table AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = ''
          AND has_column_privilege(p_table, a.attnum, 'UPDATE') AND has_column_privilege(p_table, a.attnum, 'SELECT')
        ORDER BY a.attname <> 'tenant_id', a.attnum LIMIT 1);
    -- A row of a partitioned table is first put into its partition, and refused there if it fits into none.
    v_when text := (SELECT quote_ident(a.attname) FROM pg_partitioned_table p
        JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
        WHERE p.partrelid = p_table AND a.atttypid = 'timestamptz'::regtype);
    v_sql text;
    v_must_fail boolean;
    r record;
BEGIN
    FOR v_sql, v_must_fail IN
        SELECT format(s.sql, p_table, p_other, p_own, coalesce(v_column, 'tenant_id')), s.must_fail FROM (VALUES
            (true, 'SELECT FROM %1$s WHERE tenant_id = %2$L LIMIT 1', false),
            (true, 'SELECT FROM %1$s WHERE tenant_id <> %3$L LIMIT 1', false),
            (v_kind IN ('r', 'p'), 'UPDATE %1$s SET %4$s = %4$s WHERE tenant_id = %2$L', false),
            (v_kind IN ('r', 'p'), 'DELETE FROM %1$s WHERE tenant_id = %2$L', false),
            (v_kind IN ('r', 'p'), CASE WHEN v_when IS NULL THEN 'INSERT INTO %1$s (tenant_id) VALUES (%2$L)'
                ELSE 'INSERT INTO %1$s (tenant_id, ' || v_when || ') VALUES (%2$L, now())' END, true)
        ) AS s (applies, sql, must_fail) WHERE s.applies
    LOOP
        r := isolation_attempt(v_sql);
        RETURN QUERY SELECT v_sql, r.said, isolation_verdict(r.touched, r.code, v_must_fail);
    END LOOP;
    IF v_kind NOT IN ('r', 'p') THEN
        RETURN;
    END IF;
    v_sql := format('UPDATE %s SET tenant_id = %L WHERE tenant_id = %L', p_table, p_other, p_own);
    r := isolation_attempt(v_sql);
    RETURN QUERY SELECT v_sql, r.said, isolation_verdict(r.touched, r.code, r.touched <> 0);
    PERFORM set_config('ringside.tenant_id', '', true);
    v_sql := format('SELECT FROM %s LIMIT 1', p_table);
    r := isolation_attempt(v_sql);
    PERFORM set_config('ringside.tenant_id', p_own::text, true);
    RETURN QUERY SELECT v_sql || ' without a context', r.said, CASE WHEN r.touched > 0 THEN 'open' ELSE 'closed' END;
END $$;

-- A foreign key of two columns: a row of one's own that points at the other's.
CREATE FUNCTION isolation_try_reference(p_key oid, p_own uuid, p_other uuid)
RETURNS TABLE (tried text, came_back text, verdict text)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
DECLARE
    k record;
    v_id text;
    v_sql text;
    r record;
BEGIN
    SELECT c.conrelid::regclass AS from_table, c.confrelid::regclass AS to_table, f.attname AS from_column, t.attname AS to_column,
           has_column_privilege(c.conrelid, f.attnum, 'UPDATE') AND has_table_privilege(c.conrelid, 'SELECT') AS may
    INTO k
    FROM pg_constraint c
    JOIN LATERAL unnest(c.conkey, c.confkey) AS n (here, there) ON true
    JOIN pg_attribute f ON f.attrelid = c.conrelid AND f.attnum = n.here
    JOIN pg_attribute t ON t.attrelid = c.confrelid AND t.attnum = n.there
    WHERE c.oid = p_key AND f.attname <> 'tenant_id' AND f.attgenerated = '';
    IF NOT FOUND OR NOT k.may OR NOT has_table_privilege(k.to_table, 'SELECT') THEN
        RETURN;
    END IF;
    PERFORM set_config('ringside.tenant_id', p_other::text, true);
    EXECUTE format('SELECT %I::text FROM %s WHERE tenant_id = %L LIMIT 1', k.to_column, k.to_table, p_other) INTO v_id;
    PERFORM set_config('ringside.tenant_id', p_own::text, true);
    IF v_id IS NULL THEN
        RETURN;
    END IF;
    v_sql := format('UPDATE %s SET %I = %L WHERE tenant_id = %L', k.from_table, k.from_column, v_id, p_own);
    r := isolation_attempt('SET CONSTRAINTS ALL IMMEDIATE; ' || v_sql);
    IF r.touched <> 0 THEN
        -- Another rule that stands before the key refuses it just as well.
        RETURN QUERY SELECT v_sql, r.said, CASE WHEN r.touched > 0 THEN 'open' ELSE 'closed' END;
    END IF;
END $$;

-- A SECURITY DEFINER function, given the other's words and ids: nothing of the other's may come out.
CREATE FUNCTION isolation_try_function(p_function regprocedure, p_words text, p_ids uuid[], p_secrets text[])
RETURNS TABLE (tried text, came_back text, verdict text)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_id uuid;
    v_sql text;
    v_out text;
BEGIN
    FOREACH v_id IN ARRAY NULL::uuid || p_ids LOOP
        SELECT format('SELECT string_agg(x::text, '' '') FROM %s(%s) AS x', p.oid::regproc, string_agg(
            CASE a.type
                WHEN 'text'::regtype THEN format('%L::text', p_words)
                WHEN 'uuid'::regtype THEN format('%L::uuid', v_id)
                WHEN 'uuid[]'::regtype THEN format('%L::uuid[]', p_ids)
                WHEN 'text[]'::regtype THEN format('ARRAY[%L]', p_words)
                WHEN 'boolean'::regtype THEN 'true'
                WHEN 'tsquery'::regtype THEN format('plainto_tsquery(''simple'', %L)', p_words)
                WHEN 'int'::regtype THEN '100'
                WHEN 'bigint'::regtype THEN '100'
                ELSE format('NULL::%s', format_type(a.type, NULL)) END, ', ' ORDER BY a.place))
        INTO v_sql
        FROM pg_proc p LEFT JOIN LATERAL unnest(p.proargtypes::oid[]) WITH ORDINALITY AS a (type, place) ON true
        WHERE p.oid = p_function GROUP BY p.oid;
        IF p_function::text LIKE '%()' THEN
            v_sql := format('SELECT string_agg(x::text, '' '') FROM %s() AS x', p_function::oid::regproc);
        END IF;
        BEGIN
            EXECUTE v_sql INTO v_out;
            RAISE SQLSTATE 'RS024';
        EXCEPTION
            WHEN SQLSTATE 'RS024' THEN
                RETURN QUERY SELECT v_sql, coalesce(left(v_out, 200), 'nothing'),
                    CASE WHEN EXISTS (SELECT FROM unnest(p_secrets) AS s WHERE strpos(v_out, s) > 0) THEN 'open' ELSE 'closed' END;
            WHEN OTHERS THEN
                RETURN QUERY SELECT v_sql, SQLERRM, 'closed';
        END;
    END LOOP;
END $$;

-- What there is to try: tables and views with a tenant, foreign keys between them, and functions that run with others' rights.
CREATE FUNCTION isolation_targets() RETURNS TABLE (kind text, id oid, name text)
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT 'table', c.oid, c.relname::text FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    UNION ALL
    SELECT 'reference', k.oid, k.conname::text FROM pg_constraint k
    JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attname = 'tenant_id' AND NOT a.attisdropped
    WHERE k.connamespace = 'public'::regnamespace AND k.contype = 'f' AND k.conparentid = 0 AND k.confrelid <> 'tenants'::regclass
      AND cardinality(k.conkey) <= 2
    UNION ALL
    SELECT 'function', p.oid, p.proname::text FROM pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef AND p.prokind = 'f' AND has_function_privilege(p.oid, 'EXECUTE')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
$$;

GRANT EXECUTE ON FUNCTION isolation_attempt(text), isolation_verdict(bigint, text, boolean),
    isolation_try_table(regclass, uuid, uuid), isolation_try_reference(oid, uuid, uuid),
    isolation_try_function(regprocedure, text, uuid[], text[]), isolation_targets() TO ringside_app;
