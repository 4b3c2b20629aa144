-- What the catalogue must look like for tenants to be isolated. Every row is a violation: (rule, object).
-- Run it as any role that may read the catalogue; tests and `ringside doctor` do.
WITH ours AS (
    SELECT c.oid, c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.relowner, c.reloptions, c.relispartition
    FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
), tables AS (
    SELECT * FROM ours WHERE relkind IN ('r', 'p') AND relname <> 'schema_migrations'
), reachable AS (
    SELECT t.* FROM tables t
    WHERE has_table_privilege('ringside_app', t.oid, 'SELECT, INSERT, UPDATE, DELETE')
       OR has_any_column_privilege('ringside_app', t.oid, 'SELECT, INSERT, UPDATE')
), tenant_column AS (
    SELECT a.attrelid, a.attnum, a.attnotnull, a.atttypid
    FROM pg_attribute a WHERE a.attname = 'tenant_id' AND NOT a.attisdropped
), functions AS (
    SELECT p.oid, p.proname, p.prosecdef, p.proconfig, p.proowner::regrole::text AS owner, p.proacl
    FROM pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
)
SELECT 'row-level security is not enabled and forced' AS rule, relname::text AS object
FROM tables WHERE NOT (relrowsecurity AND relforcerowsecurity)

UNION ALL
SELECT 'the app can reach a table without a tenant_id uuid NOT NULL', r.relname
FROM reachable r LEFT JOIN tenant_column t ON t.attrelid = r.oid
WHERE r.relname <> 'users' AND (t.attnum IS NULL OR NOT t.attnotnull OR t.atttypid <> 'uuid'::regtype)

UNION ALL
SELECT 'no policy ties the app to its tenant for reading and writing', r.relname
FROM reachable r
WHERE r.relname <> 'users' AND NOT EXISTS (
    SELECT FROM pg_policy p
    WHERE p.polrelid = r.oid AND 'ringside_app'::regrole = ANY (p.polroles) AND p.polcmd = '*'
      AND pg_get_expr(p.polqual, p.polrelid) LIKE '%tenant_id = ( SELECT (current_setting(''ringside.tenant_id''%'
      AND pg_get_expr(p.polwithcheck, p.polrelid) LIKE '%tenant_id = ( SELECT (current_setting(''ringside.tenant_id''%')

UNION ALL
SELECT 'a policy for the app other than the tenant policy', r.relname || '.' || p.polname
FROM reachable r JOIN pg_policy p ON p.polrelid = r.oid
WHERE p.polname NOT IN ('tenant_only', 'fellow_members')
  AND ('ringside_app'::regrole = ANY (p.polroles) OR 0::oid = ANY (p.polroles))

UNION ALL
-- Visibility (migration 0029). Enrolments and queue items are read by the thousand from indexes alone: their queries ask.
SELECT 'what hangs on a contact is shown to whoever does not see the contact', r.relname
FROM reachable r
JOIN pg_attribute a ON a.attrelid = r.oid AND a.attname = 'contact_id' AND NOT a.attisdropped
WHERE r.relname NOT IN ('enrolments', 'dial_items', 'import_changes') AND NOT EXISTS (
    SELECT FROM pg_policy p
    WHERE p.polrelid = r.oid AND p.polname = 'tenant_only' AND pg_get_expr(p.polqual, p.polrelid) LIKE '%( SELECT sight()%')

UNION ALL
SELECT 'the primary key or a unique index does not lead with tenant_id', i.indexrelid::regclass::text
FROM pg_index i JOIN reachable r ON r.oid = i.indrelid JOIN tenant_column t ON t.attrelid = r.oid
WHERE i.indisunique AND i.indkey[0] <> t.attnum

UNION ALL
SELECT 'no primary key', r.relname
FROM reachable r WHERE NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = r.oid AND i.indisprimary)

UNION ALL
SELECT 'a foreign key between tenant tables leaves the tenant out', k.conrelid::regclass || '.' || k.conname
FROM pg_constraint k
JOIN tenant_column a ON a.attrelid = k.conrelid JOIN tenant_column b ON b.attrelid = k.confrelid
JOIN reachable r ON r.oid = k.conrelid
WHERE k.contype = 'f' AND NOT (a.attnum = ANY (k.conkey) AND b.attnum = ANY (k.confkey)
    AND array_position(k.conkey, a.attnum) = array_position(k.confkey, b.attnum))

UNION ALL
SELECT 'a foreign key leaves the tenant for a table that is not users', k.conrelid::regclass || '.' || k.conname
FROM pg_constraint k JOIN reachable r ON r.oid = k.conrelid
WHERE k.contype = 'f' AND k.confrelid <> 'users'::regclass
  AND NOT EXISTS (SELECT FROM tenant_column b WHERE b.attrelid = k.confrelid)

UNION ALL
SELECT 'the app may TRUNCATE, REFERENCE or put TRIGGERs on it (row-level security does not apply)', relname
FROM ours WHERE has_table_privilege('ringside_app', oid, 'TRUNCATE, REFERENCES, TRIGGER')

UNION ALL
SELECT 'a view runs with its owner''s rights', relname
FROM ours WHERE relkind = 'v' AND NOT coalesce(reloptions @> ARRAY['security_invoker=true'], false)

UNION ALL
SELECT 'a materialized view can''t have row-level security', relname FROM ours WHERE relkind = 'm'

UNION ALL
SELECT 'the app role owns it', relname FROM ours WHERE relowner = 'ringside_app'::regrole

UNION ALL
SELECT 'a SECURITY DEFINER function has no fixed search_path that ends in pg_temp', proname
FROM functions WHERE prosecdef AND NOT EXISTS (
    SELECT FROM unnest(proconfig) AS c WHERE c LIKE 'search\_path=%pg\_temp')

UNION ALL
SELECT 'a SECURITY DEFINER function has an unexpected owner', proname || ' (' || owner || ')'
FROM functions
WHERE prosecdef AND owner NOT IN ('ringside_system', 'ringside_search')
  AND proname NOT IN ('ensure_event_partitions', 'drop_old_events', 'contacts_analyze')

UNION ALL
SELECT 'PUBLIC may execute it', f.proname
FROM functions f WHERE f.proacl IS NULL OR EXISTS (
    SELECT FROM aclexplode(f.proacl) AS a WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE')

UNION ALL
SELECT 'PUBLIC has rights on it', o.relname
FROM ours o JOIN pg_class c ON c.oid = o.oid CROSS JOIN LATERAL aclexplode(c.relacl) AS a WHERE a.grantee = 0

UNION ALL
SELECT 'a role of ours is superuser, bypasses row-level security or creates roles or databases', rolname
FROM pg_roles
WHERE rolname IN ('ringside_app', 'ringside_system', 'ringside_search', 'ringside_owner')
  AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb)

UNION ALL
SELECT 'the app role is a member of another role', b.rolname
FROM pg_auth_members m JOIN pg_roles a ON a.oid = m.member JOIN pg_roles b ON b.oid = m.roleid
WHERE a.rolname = 'ringside_app'

UNION ALL
SELECT 'a role without a password of its own may log in', rolname
FROM pg_roles WHERE rolname IN ('ringside_system', 'ringside_search') AND rolcanlogin

UNION ALL
SELECT 'the app role may create in the schema or make temporary tables', 'ringside_app'
WHERE has_schema_privilege('ringside_app', 'public', 'CREATE') OR has_database_privilege('ringside_app', current_database(), 'TEMP')

UNION ALL
SELECT 'a column type whose comparison leaks under row-level security, or a time without its zone', t.relname || '.' || a.attname
FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid JOIN pg_type y ON y.oid = a.atttypid
WHERE a.attnum > 0 AND NOT a.attisdropped
  AND (y.typtype = 'e' OR a.atttypid IN ('numeric'::regtype, 'timestamp'::regtype, 'money'::regtype))
ORDER BY 1, 2
