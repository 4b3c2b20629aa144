-- Imports: the uploaded file in chunks, how far it has come, what it changed (for the undo), and the rows that failed.

CREATE TABLE imports (
    tenant_id       uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id              uuid NOT NULL DEFAULT uuidv7(),
    filename        text NOT NULL,
    state           text NOT NULL DEFAULT 'uploading' CONSTRAINT imports_state_known
                    CHECK (state IN ('uploading', 'queued', 'running', 'done', 'failed', 'undone')),
    duplicates      text NOT NULL DEFAULT 'update' CONSTRAINT imports_duplicates_known CHECK (duplicates IN ('update', 'skip')),
    region          text NOT NULL DEFAULT 'US',
    mapping         json NOT NULL DEFAULT '{}',
    -- What the file turned out to be, once it was surveyed as a whole.
    encoding        text,
    delimiter       text,
    columns         text[],
    rows            int,
    -- Rows of the file that are dealt with: where a worker goes on after another was killed.
    processed       int NOT NULL DEFAULT 0,
    created         int NOT NULL DEFAULT 0,
    updated         int NOT NULL DEFAULT 0,
    skipped         int NOT NULL DEFAULT 0,
    failed          int NOT NULL DEFAULT 0,
    warnings        int NOT NULL DEFAULT 0,
    -- Contacts an undo left alone because somebody worked on them since.
    kept            int NOT NULL DEFAULT 0,
    undo_asked_at   timestamptz,
    error           text,
    created_by      uuid,
    created_at      timestamptz NOT NULL DEFAULT now(),
    finished_at     timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, created_by) REFERENCES members (tenant_id, user_id)
);
CREATE INDEX imports_newest ON imports (tenant_id, created_at, id);
CREATE INDEX imports_unsent ON imports (created_at) WHERE state = 'uploading';
CREATE INDEX imports_unfinished ON imports (tenant_id) WHERE state IN ('queued', 'running');

CREATE TABLE import_chunks (
    tenant_id   uuid NOT NULL,
    import_id   uuid NOT NULL,
    position    int NOT NULL,
    data        bytea NOT NULL,
    PRIMARY KEY (tenant_id, import_id, position),
    FOREIGN KEY (tenant_id, import_id) REFERENCES imports (tenant_id, id) ON DELETE CASCADE
);
-- Read once and deleted: compressing it would cost more than it saves.
ALTER TABLE import_chunks ALTER COLUMN data SET STORAGE EXTERNAL;

-- One row for each contact an import touched: what it was before (null: it was not there) and its version afterwards.
CREATE TABLE import_changes (
    tenant_id   uuid NOT NULL,
    import_id   uuid NOT NULL,
    contact_id  uuid NOT NULL,
    before      json,
    version     int NOT NULL,
    PRIMARY KEY (tenant_id, import_id, contact_id),
    FOREIGN KEY (tenant_id, import_id) REFERENCES imports (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE import_failures (
    tenant_id   uuid NOT NULL,
    import_id   uuid NOT NULL,
    line        int NOT NULL,
    cells       text[] NOT NULL,
    reason      text NOT NULL,
    PRIMARY KEY (tenant_id, import_id, line),
    FOREIGN KEY (tenant_id, import_id) REFERENCES imports (tenant_id, id) ON DELETE CASCADE
);

SELECT protect_table(t) FROM unnest(ARRAY['imports', 'import_chunks', 'import_changes', 'import_failures']::regclass[]) AS t;
GRANT SELECT, INSERT, UPDATE, DELETE ON imports, import_changes TO ringside_app;
GRANT SELECT, INSERT, DELETE ON import_chunks TO ringside_app;
GRANT SELECT, INSERT ON import_failures TO ringside_app;

GRANT SELECT, DELETE ON imports TO ringside_system;
GRANT SELECT, DELETE ON import_chunks TO ringside_system;
SELECT open_table_to('imports', 'ringside_system'), open_table_to('import_chunks', 'ringside_system');

-- Deletes uploads that were never finished, and the files of imports that are over. Returns how many uploads went.
CREATE FUNCTION imports_sweep(p_unsent interval) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE swept int;
BEGIN
    DELETE FROM import_chunks c USING imports i
    WHERE i.tenant_id = c.tenant_id AND i.id = c.import_id AND i.state IN ('done', 'failed', 'undone');
    DELETE FROM imports i WHERE i.state = 'uploading' AND i.created_at < now() - p_unsent;
    GET DIAGNOSTICS swept = ROW_COUNT;
    RETURN swept;
END $$;
SELECT give_to_system('imports_sweep(interval)');

-- Brings the planner's statistics of the contacts up to date after a bulk change. Without them it takes any index that begins with
-- the tenant for as good as any other.
CREATE FUNCTION contacts_analyze() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    ANALYZE public.contacts, public.contact_emails, public.contact_phones, public.contact_tags, public.contact_search;
END $$;
REVOKE ALL ON FUNCTION contacts_analyze() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION contacts_analyze() TO ringside_app;

-- Imports that wait for a job that nobody will do any more: their last worker died, or somebody dropped the job.
CREATE FUNCTION imports_stuck() RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT i.tenant_id, i.id FROM imports i
    WHERE i.state IN ('queued', 'running') AND NOT EXISTS (
        SELECT FROM jobs j
        WHERE j.tenant_id = i.tenant_id AND j.kind IN ('imports.run', 'imports.undo') AND j.state IN ('ready', 'running')
          AND j.args ->> 'import_id' = i.id::text)
    LIMIT 100
$$;
SELECT give_to_system('imports_stuck()');
