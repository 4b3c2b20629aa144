-- Many contacts at once: what belongs to contacts is checked once a statement, and new contacts are noted for the undo once a batch.

-- A foreign key looks its parent up and locks it for each row by a statement of its own, which was a third of what Postgres did
-- during an import. These triggers hold the same promise (docs/adr/0021): who belongs to no contact is refused, a contact that is
-- being deleted is waited for, and what belonged to a deleted contact goes with it.
CREATE FUNCTION contacts_are_there() RETURNS trigger
-- A plan that was made and kept when the table was empty must not read it whole later.
LANGUAGE plpgsql SET enable_seqscan = off SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_wanted bigint;
    v_there bigint;
    v_ours bigint;
BEGIN
    -- OFFSET 0: contact by contact along the primary key.
    SELECT count(*), count(c.made_by), count(*) FILTER (WHERE c.made_by = pg_current_xact_id_if_assigned()::xid)
    INTO v_wanted, v_there, v_ours
    FROM (SELECT DISTINCT n.tenant_id, n.contact_id FROM written n) AS w
    LEFT JOIN LATERAL (
        SELECT k.xmin AS made_by FROM public.contacts k WHERE k.tenant_id = w.tenant_id AND k.id = w.contact_id OFFSET 0
    ) AS c ON true;
    -- Nobody else sees the contacts of this transaction, so nobody can delete them. The others are held until it ends.
    IF v_there = v_wanted AND v_ours < v_wanted THEN
        PERFORM FROM (SELECT DISTINCT n.tenant_id, n.contact_id FROM written n) AS w
        JOIN public.contacts k ON k.tenant_id = w.tenant_id AND k.id = w.contact_id
        FOR KEY SHARE OF k;
        GET DIAGNOSTICS v_there = ROW_COUNT;
    END IF;
    IF v_there < v_wanted THEN
        RAISE foreign_key_violation USING
            MESSAGE = format('a row of %I belongs to a contact that is not there', TG_TABLE_NAME),
            SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, CONSTRAINT = TG_TABLE_NAME || '_contact_is_there';
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION contacts_are_there() FROM PUBLIC;

CREATE FUNCTION contacts_take_along() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    DELETE FROM public.contact_emails d USING gone g WHERE d.tenant_id = g.tenant_id AND d.contact_id = g.id;
    DELETE FROM public.contact_phones d USING gone g WHERE d.tenant_id = g.tenant_id AND d.contact_id = g.id;
    DELETE FROM public.contact_tags d USING gone g WHERE d.tenant_id = g.tenant_id AND d.contact_id = g.id;
    DELETE FROM public.contact_search d USING gone g WHERE d.tenant_id = g.tenant_id AND d.contact_id = g.id;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION contacts_take_along() FROM PUBLIC;

CREATE FUNCTION contacts_keep_their_ids() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF (OLD.tenant_id, OLD.id) IS DISTINCT FROM (NEW.tenant_id, NEW.id) THEN
        RAISE foreign_key_violation USING MESSAGE = 'a contact keeps its id', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION contacts_keep_their_ids() FROM PUBLIC;

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['contact_emails', 'contact_phones', 'contact_tags', 'contact_search'] LOOP
        EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', t, t || '_tenant_id_contact_id_fkey');
        EXECUTE format('CREATE TRIGGER contact_is_there_when_inserted AFTER INSERT ON %I REFERENCING NEW TABLE AS written '
                       'FOR EACH STATEMENT EXECUTE FUNCTION contacts_are_there()', t);
        EXECUTE format('CREATE TRIGGER contact_is_there_when_updated AFTER UPDATE ON %I REFERENCING NEW TABLE AS written '
                       'FOR EACH STATEMENT EXECUTE FUNCTION contacts_are_there()', t);
    END LOOP;
END $$;
CREATE TRIGGER contacts_take_along AFTER DELETE ON contacts REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION contacts_take_along();
-- After the policies, which say no to another company's id in their own words.
CREATE TRIGGER contacts_keep_their_ids AFTER UPDATE OF tenant_id, id ON contacts
    FOR EACH ROW EXECUTE FUNCTION contacts_keep_their_ids();

-- The contacts that an import created, a batch of rows of its file a row; import_changes has those that were there before, or that
-- a later batch changed again.
CREATE TABLE import_created (
    tenant_id   uuid NOT NULL,
    import_id   uuid NOT NULL,
    start       int NOT NULL,
    contact_ids uuid[] NOT NULL,
    -- Whether they have their search words, which are written behind the batch, on another connection.
    is_findable boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant_id, import_id, start),
    FOREIGN KEY (tenant_id, import_id) REFERENCES imports (tenant_id, id) ON DELETE CASCADE
);
SELECT protect_table('import_created');
GRANT SELECT, INSERT, UPDATE, DELETE ON import_created TO ringside_app;
