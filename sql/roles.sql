-- Cluster roles, run by `ringside migrate` as an administrator (superuser or CREATEROLE). Safe to repeat.
-- ringside_owner   owns the schema, runs the migrations
-- ringside_app     the server and the workers: owns nothing, bypasses nothing
-- ringside_system  owns the functions that run before a tenant is known
-- ringside_search  owns the search functions
DO $$
DECLARE r text;
BEGIN
    PERFORM pg_advisory_xact_lock(7246001);
    FOREACH r IN ARRAY ARRAY['ringside_owner', 'ringside_app'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE', r);
        END IF;
    END LOOP;
    FOREACH r IN ARRAY ARRAY['ringside_system', 'ringside_search'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE', r);
        END IF;
        IF NOT pg_has_role('ringside_owner', r, 'MEMBER') THEN
            EXECUTE format('GRANT %I TO ringside_owner', r);
        END IF;
    END LOOP;
    -- Bounds that hold whoever opens the session, behind a pooler as well. The last is of Postgres 17; a transaction
    -- must end before hub/realtime/access.py stops looking back for it (90 s).
    BEGIN
        ALTER ROLE ringside_app SET statement_timeout = '15s';
        ALTER ROLE ringside_app SET lock_timeout = '10s';
        ALTER ROLE ringside_app SET idle_in_transaction_session_timeout = '10s';
        IF current_setting('server_version_num')::int >= 170000 THEN
            ALTER ROLE ringside_app SET transaction_timeout = '80s';
        END IF;
    EXCEPTION WHEN insufficient_privilege THEN
        RAISE NOTICE 'the timeouts of ringside_app are not set: this role may not; see docs/operations.md';
    END;
END $$;
