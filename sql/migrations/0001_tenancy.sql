-- Tenancy: companies, people, memberships, and the one helper that puts a table under row-level security.

CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gin;
CREATE EXTENSION IF NOT EXISTS unaccent;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO ringside_app, ringside_system, ringside_search;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- Before Postgres 18 there is no built-in uuidv7(): RFC 9562, 48 bits of milliseconds, version 7, random rest.
DO $$
BEGIN
    IF current_setting('server_version_num')::int < 180000 THEN
        CREATE FUNCTION public.uuidv7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $f$
            SELECT encode(
                set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
                    PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
                    FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid
        $f$;
        GRANT EXECUTE ON FUNCTION public.uuidv7() TO ringside_app, ringside_system;
    END IF;
END $$;

-- Puts a tenant table under row-level security: enabled, forced, one policy for the app role.
-- The sub-select is evaluated once for a query, not once for a row; an unset context raises.
CREATE FUNCTION protect_table(p_table regclass) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', p_table);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', p_table);
    EXECUTE format(
        'CREATE POLICY tenant_only ON %s TO ringside_app '
        'USING (tenant_id = (SELECT current_setting(''ringside.tenant_id'')::uuid)) '
        'WITH CHECK (tenant_id = (SELECT current_setting(''ringside.tenant_id'')::uuid))', p_table);
    -- Statistics of tenant_id would tell the planner that a new company has next to no rows; any index that begins with
    -- the tenant then looks as good as the right one, and a bulk import turns quadratic. Without them it takes every
    -- company for one of many, and plans the same way for all.
    EXECUTE format('ALTER TABLE %s ALTER COLUMN tenant_id SET STATISTICS 0', p_table);
END $$;

-- Lets the owner of the pre-tenant (or search) functions see a table; the app role gains nothing by it.
CREATE FUNCTION open_table_to(p_table regclass, p_role regrole) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    EXECUTE format('CREATE POLICY %I ON %s TO %s USING (true) WITH CHECK (true)', 'for_' || p_role::text, p_table, p_role);
END $$;

-- Hands a SECURITY DEFINER function to its narrow owner and lets the app role, and nobody else, call it.
CREATE FUNCTION give_function_to(p_function regprocedure, p_role regrole) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', p_function);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO ringside_app', p_function);
    EXECUTE format('GRANT CREATE ON SCHEMA public TO %s', p_role);
    EXECUTE format('ALTER FUNCTION %s OWNER TO %s', p_function, p_role);
    EXECUTE format('REVOKE CREATE ON SCHEMA public FROM %s', p_role);
END $$;

CREATE FUNCTION give_to_system(p_function regprocedure) RETURNS void LANGUAGE sql AS $$
    SELECT give_function_to(p_function, 'ringside_system')
$$;

CREATE TABLE tenants (
    tenant_id   uuid PRIMARY KEY DEFAULT uuidv7(),
    name        text NOT NULL CONSTRAINT tenants_name_length CHECK (length(name) BETWEEN 1 AND 200),
    created_at  timestamptz NOT NULL DEFAULT now()
);
SELECT protect_table('tenants');
GRANT SELECT ON tenants TO ringside_app;

-- People. One person may belong to several companies, so this is no tenant table: the app sees those who are
-- members of the current company, and nobody's credentials.
CREATE TABLE users (
    id          uuid PRIMARY KEY DEFAULT uuidv7(),
    email       text NOT NULL,
    email_lc    text COLLATE "C" NOT NULL CONSTRAINT users_email_key UNIQUE,
    name        text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE members (
    tenant_id   uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    user_id     uuid NOT NULL REFERENCES users (id),
    role        text NOT NULL CONSTRAINT members_role_known CHECK (role IN ('owner', 'admin', 'manager', 'rep')),
    status      text NOT NULL DEFAULT 'active' CONSTRAINT members_status_known CHECK (status IN ('active', 'deactivated')),
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, user_id)
);
CREATE INDEX members_by_user ON members (user_id);
SELECT protect_table('members');
GRANT SELECT, UPDATE ON members TO ringside_app;

ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
CREATE POLICY fellow_members ON users FOR SELECT TO ringside_app USING (
    EXISTS (SELECT FROM members m
            WHERE m.tenant_id = (SELECT current_setting('ringside.tenant_id')::uuid) AND m.user_id = users.id));
GRANT SELECT ON users TO ringside_app;

GRANT SELECT, INSERT ON tenants, users, members TO ringside_system;
SELECT open_table_to('tenants', 'ringside_system'), open_table_to('users', 'ringside_system'), open_table_to('members', 'ringside_system');
