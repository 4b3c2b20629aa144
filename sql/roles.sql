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
END $$;
