-- The audit log: who did what to which, when and from where. It only grows: nobody has a grant to change it, and nothing takes
-- entries out but the company's own retention, which keeps at least a month.
--
-- It holds ids, actions and settings, and no names or addresses of contacts: who is erased is erased here as well, and an entry
-- still says what was done. Names are looked up when it is read.
CREATE TABLE audit_entries (
    tenant_id       uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    at              timestamptz NOT NULL DEFAULT clock_timestamp(),
    id              uuid NOT NULL DEFAULT uuidv7(),
    action          text COLLATE "C" NOT NULL CONSTRAINT audit_entries_action_form CHECK (action ~ '^[a-z0-9_]+(\.[a-z0-9_]+)+$'),
    actor_id        uuid,
    session_id      uuid,
    address         text NOT NULL DEFAULT '',
    request_id      text NOT NULL DEFAULT '',
    subject_kind    text NOT NULL DEFAULT '',
    subject_id      uuid,
    details         jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant_id, at, id)
);
CREATE INDEX audit_entries_by_actor ON audit_entries (tenant_id, actor_id, at, id);
CREATE INDEX audit_entries_by_subject ON audit_entries (tenant_id, subject_id, at, id) WHERE subject_id IS NOT NULL;
CREATE INDEX audit_entries_by_action ON audit_entries (tenant_id, action, at, id);
SELECT protect_table('audit_entries');
GRANT SELECT ON audit_entries TO ringside_app;
GRANT INSERT (tenant_id, action, actor_id, session_id, address, request_id, subject_kind, subject_id, details) ON audit_entries
    TO ringside_app;
GRANT SELECT, INSERT, DELETE ON audit_entries TO ringside_system;
SELECT open_table_to('audit_entries', 'ringside_system');

-- Not even a function of ours may rewrite what was written.
CREATE FUNCTION refuse_to_rewrite() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only';
END $$;
REVOKE ALL ON FUNCTION refuse_to_rewrite() FROM PUBLIC;
CREATE TRIGGER audit_entries_stay BEFORE UPDATE ON audit_entries FOR EACH ROW EXECUTE FUNCTION refuse_to_rewrite();

-- What happens before a tenant is known, or without one of its transactions.
CREATE FUNCTION audit_outside(
    p_tenant uuid, p_action text, p_actor uuid, p_address text, p_request_id text, p_subject_kind text, p_subject uuid, p_details jsonb
) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO audit_entries (tenant_id, action, actor_id, address, request_id, subject_kind, subject_id, details)
    VALUES (p_tenant, p_action, p_actor, p_address, p_request_id, p_subject_kind, p_subject, p_details)
$$;
SELECT give_to_system('audit_outside(uuid,text,uuid,text,text,text,uuid,jsonb)');

-- What happens to a person's account, for every company they belong to: a failed sign-in, a changed password.
CREATE FUNCTION audit_person(p_user uuid, p_action text, p_by_them boolean, p_address text, p_request_id text, p_details jsonb)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- Who measures how long a refusal takes must not learn from a wait for the disk that there is such an account.
    PERFORM set_config('synchronous_commit', 'off', true);
    INSERT INTO audit_entries (tenant_id, action, actor_id, address, request_id, subject_kind, subject_id, details)
    SELECT m.tenant_id, p_action, CASE WHEN p_by_them THEN p_user END, p_address, p_request_id, 'member', p_user, p_details
    FROM members m WHERE m.user_id = p_user AND m.status = 'active';
END $$;
SELECT give_to_system('audit_person(uuid,text,boolean,text,text,jsonb)');

-- Sessions write for themselves, by whatever way somebody signed in.
CREATE FUNCTION audit_session() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' OR NEW.tenant_id <> OLD.tenant_id THEN
        INSERT INTO audit_entries (tenant_id, action, actor_id, session_id, address, subject_kind, subject_id, details)
        VALUES (NEW.tenant_id, CASE TG_OP WHEN 'INSERT' THEN 'session.opened' ELSE 'session.switched' END, NEW.user_id, NEW.id,
                NEW.address, 'member', NEW.user_id, jsonb_build_object('device', NEW.user_agent));
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.revoked_at IS NOT NULL AND OLD.revoked_at IS NULL THEN
        INSERT INTO audit_entries (tenant_id, action, actor_id, session_id, subject_kind, subject_id, details)
        VALUES (NEW.tenant_id, 'session.ended', nullif(current_setting('ringside.user_id', true), '')::uuid, NEW.id, 'member',
                NEW.user_id, jsonb_build_object('device', NEW.user_agent, 'reason', NEW.revoked_reason));
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION audit_session() FROM PUBLIC;
CREATE TRIGGER sessions_are_audited AFTER INSERT OR UPDATE OF tenant_id, revoked_at ON sessions
    FOR EACH ROW EXECUTE FUNCTION audit_session();

-- Privacy: exports and erasures as jobs with progress, and how long each kind of thing is kept.

CREATE TABLE privacy_requests (
    tenant_id       uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id              uuid NOT NULL DEFAULT uuidv7(),
    kind            text NOT NULL CONSTRAINT privacy_requests_kind_known CHECK (kind IN ('export', 'erasure', 'retention')),
    subject_kind    text NOT NULL CONSTRAINT privacy_requests_subject_known CHECK (subject_kind IN ('contact', 'member', 'company')),
    subject_id      uuid NOT NULL,
    -- Whose data it is, in words; emptied when they are erased.
    label           text NOT NULL DEFAULT '',
    state           text NOT NULL DEFAULT 'waiting' CONSTRAINT privacy_requests_state_known
                    CHECK (state IN ('waiting', 'running', 'done', 'failed', 'canceled')),
    step            text NOT NULL DEFAULT '',
    done            bigint NOT NULL DEFAULT 0,
    total           bigint NOT NULL DEFAULT 0,
    counts          jsonb NOT NULL DEFAULT '{}',
    -- Files of the store that are still to be deleted.
    files           text[] NOT NULL DEFAULT '{}',
    -- What the event log is still to be searched for; emptied with the end.
    needles         text[] NOT NULL DEFAULT '{}',
    object_key      text,
    bytes           bigint,
    due_at          timestamptz NOT NULL DEFAULT now(),
    expires_at      timestamptz,
    error           text,
    created_by      uuid,
    created_at      timestamptz NOT NULL DEFAULT now(),
    finished_at     timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX privacy_requests_one_at_a_time ON privacy_requests (tenant_id, kind, subject_kind, subject_id)
    WHERE state IN ('waiting', 'running');
CREATE INDEX privacy_requests_by_time ON privacy_requests (tenant_id, created_at, id);
SELECT protect_table('privacy_requests');
GRANT SELECT, INSERT, UPDATE ON privacy_requests TO ringside_app;
GRANT SELECT, UPDATE, DELETE ON privacy_requests TO ringside_system;
SELECT open_table_to('privacy_requests', 'ringside_system');

-- How many days what is kept; NULL is for good (events: as long as the installation keeps them).
CREATE TABLE retention_settings (
    tenant_id       uuid PRIMARY KEY REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    mail_days       int CONSTRAINT retention_mail_days CHECK (mail_days BETWEEN 30 AND 36500),
    messages_days   int CONSTRAINT retention_messages_days CHECK (messages_days BETWEEN 30 AND 36500),
    calls_days      int CONSTRAINT retention_calls_days CHECK (calls_days BETWEEN 30 AND 36500),
    recordings_days int CONSTRAINT retention_recordings_days CHECK (recordings_days BETWEEN 1 AND 36500),
    events_days     int CONSTRAINT retention_events_days CHECK (events_days BETWEEN 7 AND 36500),
    audit_days      int CONSTRAINT retention_audit_days CHECK (audit_days BETWEEN 30 AND 36500),
    updated_at      timestamptz NOT NULL DEFAULT now()
);
SELECT protect_table('retention_settings');
GRANT SELECT, INSERT, UPDATE ON retention_settings TO ringside_app;
GRANT SELECT ON retention_settings TO ringside_system;
SELECT open_table_to('retention_settings', 'ringside_system');

-- An erased contact stays as an empty row, for what counts calls and permits; nothing brings it back.
ALTER TABLE contacts ADD COLUMN erased_at timestamptz;

-- What the functions below may erase: every tenant table there is and will be, in the company of the transaction only.
CREATE FUNCTION open_to_erasure(p_table regclass) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    EXECUTE format('GRANT SELECT, UPDATE, DELETE ON %s TO ringside_system', p_table);
    EXECUTE format(
        'CREATE POLICY for_erasure ON %s TO ringside_system '
        'USING (tenant_id = (SELECT nullif(current_setting(''ringside.tenant_id'', true), '''')::uuid)) '
        'WITH CHECK (tenant_id = (SELECT nullif(current_setting(''ringside.tenant_id'', true), '''')::uuid))', p_table);
END $$;
REVOKE ALL ON FUNCTION open_to_erasure(regclass) FROM PUBLIC;

CREATE OR REPLACE FUNCTION protect_table(p_table regclass) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
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
    PERFORM open_to_erasure(p_table);
END $$;

SELECT open_to_erasure(c.oid::regclass)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relrowsecurity;
GRANT SELECT, UPDATE, DELETE ON users TO ringside_system;
GRANT INSERT ON suppressions TO ringside_system;

-- Erases what is known of a contact but the empty row, and the decisions, counts and objections that the law wants kept: call
-- permits without their address, consents withdrawn (unsubscribes, stops, suppressions), and the dialer's statistics. Recordings
-- are made silent before, by their own way. Returns what was erased by kind, and the files to delete.
CREATE FUNCTION erase_contact(p_contact uuid) RETURNS TABLE (counts jsonb, files text[], needles text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    t uuid := current_setting('ringside.tenant_id')::uuid;
    v_words text[];
    v_calls uuid[];
    v_threads uuid[];
    v_mails uuid[];
    v_sends uuid[];
    v_subjects uuid[];
    v_emails text[];
    v_phones text[];
    v_files text[];
    v_counts jsonb := '{}';
    n bigint;
BEGIN
    PERFORM FROM contacts c WHERE c.tenant_id = t AND c.id = p_contact FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    v_emails := ARRAY(SELECT e.address_lc FROM contact_emails e WHERE e.tenant_id = t AND e.contact_id = p_contact);
    v_phones := ARRAY(SELECT p.e164 FROM contact_phones p WHERE p.tenant_id = t AND p.contact_id = p_contact);
    v_calls := ARRAY(SELECT k.id FROM calls k WHERE k.tenant_id = t AND k.contact_id = p_contact);
    v_threads := ARRAY(SELECT h.id FROM mail_threads h WHERE h.tenant_id = t AND h.contact_id = p_contact);
    v_mails := ARRAY(
        SELECT m.id FROM mail_messages m WHERE m.tenant_id = t AND m.thread_id = ANY (v_threads)
        UNION
        SELECT w.message_id FROM mail_message_contacts w WHERE w.tenant_id = t AND w.contact_id = p_contact);
    v_sends := ARRAY(
        SELECT s.id FROM mail_sends s WHERE s.tenant_id = t AND (s.contact_id = p_contact OR s.thread_id = ANY (v_threads))
        UNION
        SELECT m.send_id FROM mail_messages m WHERE m.tenant_id = t AND m.id = ANY (v_mails) AND m.send_id IS NOT NULL);
    v_files := ARRAY(
        SELECT m.object_key FROM mail_messages m WHERE m.tenant_id = t AND m.id = ANY (v_mails) AND m.object_key IS NOT NULL
        UNION
        SELECT x ->> 'key' FROM mail_sends s CROSS JOIN LATERAL jsonb_array_elements(s.attachments) AS x
        WHERE s.tenant_id = t AND s.id = ANY (v_sends) AND x ->> 'key' IS NOT NULL);
    v_subjects := v_calls || v_threads || v_mails || v_sends || p_contact
        || ARRAY(SELECT k.id FROM tasks k WHERE k.tenant_id = t AND k.contact_id = p_contact)
        || ARRAY(SELECT r.id FROM recordings r WHERE r.tenant_id = t AND r.contact_id = p_contact)
        || ARRAY(SELECT m.id FROM messages m WHERE m.tenant_id = t AND m.contact_id = p_contact);
    v_words := v_emails || v_phones || p_contact::text;

    DELETE FROM activities a WHERE a.tenant_id = t AND (a.contact_id = p_contact OR a.mail_message_id = ANY (v_mails));
    GET DIAGNOSTICS n = ROW_COUNT; v_counts := v_counts || jsonb_build_object('activities', n);
    DELETE FROM tasks k WHERE k.tenant_id = t AND k.contact_id = p_contact;
    GET DIAGNOSTICS n = ROW_COUNT; v_counts := v_counts || jsonb_build_object('tasks', n);
    DELETE FROM meetings m WHERE m.tenant_id = t AND m.contact_id = p_contact;
    GET DIAGNOSTICS n = ROW_COUNT; v_counts := v_counts || jsonb_build_object('meetings', n);
    DELETE FROM notifications x WHERE x.tenant_id = t AND x.subject_id = ANY (v_subjects);
    GET DIAGNOSTICS n = ROW_COUNT; v_counts := v_counts || jsonb_build_object('notifications', n);

    DELETE FROM message_threads h WHERE h.tenant_id = t AND h.contact_id = p_contact;
    DELETE FROM messages m WHERE m.tenant_id = t AND m.contact_id = p_contact;
    GET DIAGNOSTICS n = ROW_COUNT; v_counts := v_counts || jsonb_build_object('messages', n);

    DELETE FROM mail_bounces b WHERE b.tenant_id = t AND b.contact_id = p_contact;
    DELETE FROM tracked_sends s WHERE s.tenant_id = t AND (s.contact_id = p_contact OR s.send_id = ANY (v_sends));
    DELETE FROM mail_messages m WHERE m.tenant_id = t AND m.id = ANY (v_mails);
    GET DIAGNOSTICS n = ROW_COUNT; v_counts := v_counts || jsonb_build_object('mail', n);
    DELETE FROM mail_threads h WHERE h.tenant_id = t AND h.id = ANY (v_threads);
    DELETE FROM mail_sends s WHERE s.tenant_id = t AND s.id = ANY (v_sends)
        AND NOT EXISTS (SELECT FROM mail_messages m WHERE m.tenant_id = t AND m.send_id = s.id);
    -- What is left of a conversation with somebody else names them no more.
    UPDATE mail_threads h SET participants = '[]', snippet = '', version = h.version + 1
    WHERE h.tenant_id = t AND EXISTS (
        SELECT FROM unnest(v_emails) AS e (address) WHERE strpos(lower(h.participants::text), e.address) > 0);

    UPDATE calls k SET to_number = CASE k.direction WHEN 'outbound' THEN '' ELSE k.to_number END,
        from_number = CASE k.direction WHEN 'inbound' THEN '' ELSE k.from_number END, note = '', error = NULL
    WHERE k.tenant_id = t AND k.contact_id = p_contact;
    GET DIAGNOSTICS n = ROW_COUNT; v_counts := v_counts || jsonb_build_object('calls', n);
    UPDATE call_audit a SET detail = '{}' WHERE a.tenant_id = t AND a.call_id = ANY (v_calls) AND EXISTS (
        SELECT FROM unnest(v_words) AS w (word) WHERE strpos(a.detail::text, w.word) > 0);
    DELETE FROM transcripts x WHERE x.tenant_id = t AND x.contact_id = p_contact;
    UPDATE recordings r SET announcement = NULL, error = NULL WHERE r.tenant_id = t AND r.contact_id = p_contact;
    GET DIAGNOSTICS n = ROW_COUNT; v_counts := v_counts || jsonb_build_object('recordings', n);

    UPDATE permits p SET address = '', facts = '{}', explanation = '', override_reason = CASE WHEN p.override_by IS NOT NULL THEN '' END
    WHERE p.tenant_id = t AND p.contact_id = p_contact;
    UPDATE dial_items i SET phone = NULL, reason = NULL, name_key = '' WHERE i.tenant_id = t AND i.contact_id = p_contact;
    UPDATE enrolments e SET words = '', explanation = '{}' WHERE e.tenant_id = t AND e.contact_id = p_contact;
    UPDATE step_runs s SET words = '', explanation = '{}' WHERE s.tenant_id = t
        AND s.enrolment_id IN (SELECT e.id FROM enrolments e WHERE e.tenant_id = t AND e.contact_id = p_contact);
    -- Who objected stays objected: the address goes on the list of those who are not to be reached, if it is not there.
    UPDATE unsubscribes u SET words = '' WHERE u.tenant_id = t AND u.contact_id = p_contact;
    INSERT INTO suppressions (tenant_id, kind, value_lc, channel, reason, source)
    SELECT t, CASE c.channel WHEN 'email' THEN 'email' ELSE 'phone' END, v.value, c.channel, 'Said no before they were erased', 'contact'
    FROM consents c CROSS JOIN LATERAL unnest(CASE c.channel WHEN 'email' THEN v_emails ELSE v_phones END) AS v (value)
    WHERE c.tenant_id = t AND c.contact_id = p_contact AND c.state = 'denied'
    ON CONFLICT ON CONSTRAINT suppressions_once DO NOTHING;
    DELETE FROM consents c WHERE c.tenant_id = t AND c.contact_id = p_contact;
    DELETE FROM leases l WHERE l.tenant_id = t AND l.contact_id = p_contact;

    DELETE FROM import_changes i WHERE i.tenant_id = t AND i.contact_id = p_contact;
    DELETE FROM import_failures f WHERE f.tenant_id = t AND EXISTS (
        SELECT FROM unnest(v_emails || v_phones) AS w (word) WHERE strpos(lower(array_to_string(f.cells, ' ')), w.word) > 0);
    GET DIAGNOSTICS n = ROW_COUNT; v_counts := v_counts || jsonb_build_object('import_rows', n);
    DELETE FROM idempotency_keys i WHERE i.tenant_id = t AND EXISTS (
        SELECT FROM unnest(v_words) AS w (word) WHERE strpos(i.body, w.word) > 0);
    DELETE FROM letters l WHERE l.tenant_id = t AND lower(l.to_address) = ANY (v_emails);
    DELETE FROM webhook_deliveries d WHERE d.tenant_id = t AND EXISTS (
        SELECT FROM unnest(v_words) AS w (word) WHERE strpos(d.payload::text, w.word) > 0);

    DELETE FROM contact_search s WHERE s.tenant_id = t AND s.contact_id = p_contact;
    DELETE FROM contact_tags g WHERE g.tenant_id = t AND g.contact_id = p_contact;
    DELETE FROM contact_emails e WHERE e.tenant_id = t AND e.contact_id = p_contact;
    DELETE FROM contact_phones p WHERE p.tenant_id = t AND p.contact_id = p_contact;
    UPDATE contacts c SET first_name = '', last_name = '', company = '', title = '', custom = '{}',
        deleted_at = coalesce(c.deleted_at, now()), erased_at = coalesce(c.erased_at, now()), version = c.version + 1
    WHERE c.tenant_id = t AND c.id = p_contact;

    RETURN QUERY SELECT v_counts, v_files, v_words || ARRAY(SELECT s::text FROM unnest(v_subjects) AS s LIMIT 400);
END $$;
SELECT give_to_system('erase_contact(uuid)');

-- Empties what the log still shows of what was erased, between two places of it; the numbers stay gapless. Returns how many.
CREATE FUNCTION erase_from_events(p_needles text[], p_after bigint, p_upto bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    t uuid := current_setting('ringside.tenant_id')::uuid;
    n bigint;
BEGIN
    UPDATE events e SET type = 'record.erased', subject_kind = 'record', subject_id = NULL, actor_id = NULL,
        frame = '{"seq":' || e.seq || ',"id":"' || e.id || '","type":"record.erased","at":' || to_json(e.at)::text
            || ',"actor":{"kind":"system","id":null,"name":"Ringside"},"subject":{"kind":"record","id":null},"data":{"kind":null,"id":null}}'
    WHERE e.tenant_id = t AND e.seq > p_after AND e.seq <= p_upto AND e.type <> 'record.erased'
      AND EXISTS (SELECT FROM unnest(p_needles) AS w (word) WHERE w.word <> '' AND strpos(e.frame, w.word) > 0);
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n;
END $$;
SELECT give_to_system('erase_from_events(text[],bigint,bigint)');

-- Erases what is personal of somebody who is no member any more: name and address (unless they belong to another company, too),
-- their own numbers, devices and notices, and the mail that only they might read. What they did for the company stays, without
-- a name.
CREATE FUNCTION erase_member(p_user uuid) RETURNS TABLE (counts jsonb, files text[], needles text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    t uuid := current_setting('ringside.tenant_id')::uuid;
    v_person users;
    v_threads uuid[];
    v_files text[];
    v_phones text[];
    v_counts jsonb := '{}';
    n bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM members m WHERE m.tenant_id = t AND m.user_id = p_user AND m.status = 'deactivated') THEN
        RAISE EXCEPTION 'only who is deactivated can be erased';
    END IF;
    SELECT * INTO v_person FROM users u WHERE u.id = p_user;
    v_phones := ARRAY(
        SELECT l.phone_e164 FROM line_choices l WHERE l.tenant_id = t AND l.user_id = p_user AND l.phone_e164 IS NOT NULL);
    v_threads := ARRAY(
        SELECT h.id FROM mail_threads h JOIN mailboxes b ON b.tenant_id = t AND b.id = h.mailbox_id
        WHERE h.tenant_id = t AND b.user_id = p_user AND (h.private OR b.visibility = 'private'));
    v_files := ARRAY(
        SELECT m.object_key FROM mail_messages m
        WHERE m.tenant_id = t AND m.thread_id = ANY (v_threads) AND m.object_key IS NOT NULL);
    DELETE FROM activities a USING mail_messages m
    WHERE a.tenant_id = t AND m.tenant_id = t AND m.thread_id = ANY (v_threads) AND a.mail_message_id = m.id;
    DELETE FROM mail_threads h WHERE h.tenant_id = t AND h.id = ANY (v_threads);
    GET DIAGNOSTICS n = ROW_COUNT; v_counts := v_counts || jsonb_build_object('private_mail', n);
    DELETE FROM notifications x WHERE x.tenant_id = t AND x.user_id = p_user;
    GET DIAGNOSTICS n = ROW_COUNT; v_counts := v_counts || jsonb_build_object('notifications', n);
    DELETE FROM line_choices l WHERE l.tenant_id = t AND l.user_id = p_user;
    UPDATE lines l SET address = '' WHERE l.tenant_id = t AND l.user_id = p_user;
    UPDATE call_legs l SET address = '' WHERE l.tenant_id = t AND l.user_id = p_user;
    UPDATE inbound_rings r SET address = '' WHERE r.tenant_id = t AND r.user_id = p_user;
    UPDATE mailboxes b SET sealed = NULL, signature_html = '', display_name = '' WHERE b.tenant_id = t AND b.user_id = p_user;
    DELETE FROM idempotency_keys i WHERE i.tenant_id = t AND i.user_id = p_user;
    DELETE FROM notification_choices c WHERE c.tenant_id = t AND c.user_id = p_user;
    DELETE FROM notification_hours h WHERE h.tenant_id = t AND h.user_id = p_user;
    DELETE FROM push_subscriptions s WHERE s.tenant_id = t AND s.user_id = p_user;
    DELETE FROM letters l WHERE l.tenant_id = t AND lower(l.to_address) = v_person.email_lc;
    DELETE FROM invitations i WHERE i.tenant_id = t AND i.email_lc = v_person.email_lc;
    DELETE FROM sso_identities i WHERE i.user_id = p_user AND i.tenant_id = t;
    DELETE FROM sessions s WHERE s.user_id = p_user AND s.tenant_id = t;
    GET DIAGNOSTICS n = ROW_COUNT; v_counts := v_counts || jsonb_build_object('sessions', n);
    IF NOT EXISTS (SELECT FROM members m WHERE m.user_id = p_user AND m.tenant_id <> t) THEN
        PERFORM account_forget(p_user);
        DELETE FROM sso_identities i WHERE i.user_id = p_user;
        DELETE FROM signups s WHERE s.email_lc = v_person.email_lc;
        UPDATE users u SET name = 'Erased person', email = 'erased-' || p_user || '@invalid', email_lc = 'erased-' || p_user || '@invalid'
        WHERE u.id = p_user;
        v_counts := v_counts || jsonb_build_object('account', 1);
    END IF;
    RETURN QUERY SELECT v_counts, v_files, ARRAY[v_person.email, v_person.email_lc]::text[] || v_phones
        || ARRAY(SELECT h::text FROM unnest(v_threads) AS h LIMIT 400);
END $$;
SELECT give_to_system('erase_member(uuid)');

-- Erases a company, some thousand rows a table at a time, once its erasure is under way; how many. When there are none, the last
-- step takes what is left: its people (as far as they belong nowhere else) and what they refer to, this request with its job, and
-- the company itself.
CREATE FUNCTION erase_company(p_request uuid, p_limit int, p_last boolean) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    t uuid := current_setting('ringside.tenant_id')::uuid;
    v_last text[] := ARRAY['tenants', 'tenant_counters', 'members', 'jobs', 'privacy_requests', 'access_changes'];
    v_people uuid[];
    v_table regclass;
    v_total bigint := 0;
    v_pass bigint;
    n bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM privacy_requests r WHERE r.tenant_id = t AND r.id = p_request AND r.kind = 'erasure'
                   AND r.subject_kind = 'company' AND r.state = 'running' AND r.due_at <= now()) THEN
        RAISE EXCEPTION 'nobody asked for this company to be erased, or its time has not come';
    END IF;
    IF p_last THEN
        v_people := ARRAY(SELECT m.user_id FROM members m WHERE m.tenant_id = t);
        INSERT INTO access_changes (kind, tenant_id, user_id) SELECT 'member_deactivated', t, p FROM unnest(v_people) AS p;
        DELETE FROM members m WHERE m.tenant_id = t;
    ELSE
        -- These two refer to each other.
        UPDATE dial_sessions s SET next_item_id = NULL WHERE s.tenant_id = t AND s.next_item_id IS NOT NULL;
    END IF;
    LOOP
        v_pass := 0;
        FOR v_table IN
            SELECT c.oid FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
              AND c.relname <> ALL (v_last)
            ORDER BY c.relname
        LOOP
            BEGIN
                EXECUTE format('DELETE FROM %s WHERE (ctid, tableoid) IN (SELECT ctid, tableoid FROM %s WHERE tenant_id = $1 LIMIT $2)',
                               v_table, v_table) USING t, p_limit;
                GET DIAGNOSTICS n = ROW_COUNT;
                v_pass := v_pass + n;
            EXCEPTION WHEN foreign_key_violation THEN
                NULL; -- What refers to it goes first; its turn comes again.
            END;
        END LOOP;
        v_total := v_total + v_pass;
        EXIT WHEN NOT p_last OR v_pass = 0;
    END LOOP;
    IF p_last THEN
        DELETE FROM users u WHERE u.id = ANY (v_people) AND NOT EXISTS (SELECT FROM members m WHERE m.user_id = u.id);
        DELETE FROM jobs j WHERE j.tenant_id = t;
        DELETE FROM privacy_requests r WHERE r.tenant_id = t;
        DELETE FROM tenant_counters c WHERE c.tenant_id = t;
        DELETE FROM tenants c WHERE c.tenant_id = t;
    END IF;
    RETURN v_total;
END $$;
SELECT give_to_system('erase_company(uuid,int,boolean)');

-- Takes what is older than a company keeps, some at a time: how many, and the files to delete. Recordings go by their own way.
CREATE FUNCTION purge_old(p_kind text, p_limit int) RETURNS TABLE (purged bigint, files text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    t uuid := current_setting('ringside.tenant_id')::uuid;
    v_keep retention_settings;
    v_days int;
    v_before timestamptz;
    v_ids uuid[];
    v_files text[] := '{}';
    n bigint := 0;
BEGIN
    SELECT * INTO v_keep FROM retention_settings r WHERE r.tenant_id = t;
    v_days := CASE p_kind WHEN 'mail' THEN v_keep.mail_days WHEN 'messages' THEN v_keep.messages_days
        WHEN 'calls' THEN v_keep.calls_days WHEN 'events' THEN v_keep.events_days WHEN 'audit' THEN v_keep.audit_days END;
    IF v_days IS NULL THEN
        RETURN QUERY SELECT 0::bigint, v_files;
        RETURN;
    END IF;
    v_before := now() - make_interval(days => v_days);
    IF p_kind = 'mail' THEN
        v_ids := ARRAY(SELECT h.id FROM mail_threads h WHERE h.tenant_id = t AND h.last_at < v_before LIMIT p_limit);
        v_files := ARRAY(SELECT m.object_key FROM mail_messages m
            WHERE m.tenant_id = t AND m.thread_id = ANY (v_ids) AND m.object_key IS NOT NULL);
        DELETE FROM mail_threads h WHERE h.tenant_id = t AND h.id = ANY (v_ids);
        GET DIAGNOSTICS n = ROW_COUNT;
        v_ids := ARRAY(SELECT s.id FROM mail_sends s
            WHERE s.tenant_id = t AND s.changed_at < v_before AND s.state IN ('sent', 'failed', 'canceled') AND s.thread_id IS NULL
              AND NOT EXISTS (SELECT FROM mail_messages m WHERE m.tenant_id = t AND m.send_id = s.id) LIMIT p_limit);
        v_files := v_files || ARRAY(SELECT x ->> 'key' FROM mail_sends s CROSS JOIN LATERAL jsonb_array_elements(s.attachments) AS x
            WHERE s.tenant_id = t AND s.id = ANY (v_ids) AND x ->> 'key' IS NOT NULL);
        DELETE FROM mail_sends s WHERE s.tenant_id = t AND s.id = ANY (v_ids);
    ELSIF p_kind = 'messages' THEN
        v_ids := ARRAY(SELECT m.id FROM messages m WHERE m.tenant_id = t AND m.created_at < v_before AND m.state <> 'scheduled'
            LIMIT p_limit);
        DELETE FROM activities a WHERE a.tenant_id = t AND a.message_id = ANY (v_ids);
        DELETE FROM message_threads h WHERE h.tenant_id = t AND h.last_id = ANY (v_ids);
        DELETE FROM messages m WHERE m.tenant_id = t AND m.id = ANY (v_ids);
        GET DIAGNOSTICS n = ROW_COUNT;
    ELSIF p_kind = 'calls' THEN
        v_ids := ARRAY(SELECT k.id FROM calls k WHERE k.tenant_id = t AND k.ended_at < v_before AND NOT EXISTS (
                SELECT FROM recordings r WHERE r.tenant_id = t AND r.call_id = k.id
                  AND (r.state <> 'deleted' OR r.object_gone_at IS NULL)) LIMIT p_limit);
        DELETE FROM activities a WHERE a.tenant_id = t AND a.call_id = ANY (v_ids);
        DELETE FROM recordings r WHERE r.tenant_id = t AND r.call_id = ANY (v_ids);
        DELETE FROM dial_attempts a WHERE a.tenant_id = t AND a.call_id = ANY (v_ids);
        UPDATE dial_items i SET call_id = NULL WHERE i.tenant_id = t AND i.call_id = ANY (v_ids);
        UPDATE dial_sessions i SET call_id = NULL WHERE i.tenant_id = t AND i.call_id = ANY (v_ids);
        UPDATE lines i SET call_id = NULL WHERE i.tenant_id = t AND i.call_id = ANY (v_ids);
        UPDATE presence i SET call_id = NULL WHERE i.tenant_id = t AND i.call_id = ANY (v_ids);
        UPDATE tasks i SET call_id = NULL WHERE i.tenant_id = t AND i.call_id = ANY (v_ids);
        UPDATE leases i SET call_id = NULL WHERE i.tenant_id = t AND i.call_id = ANY (v_ids);
        DELETE FROM calls k WHERE k.tenant_id = t AND k.id = ANY (v_ids);
        GET DIAGNOSTICS n = ROW_COUNT;
    ELSIF p_kind = 'events' THEN
        DELETE FROM events e WHERE e.tenant_id = t AND (e.seq, e.at) IN (
            SELECT x.seq, x.at FROM events x WHERE x.tenant_id = t AND x.at < v_before ORDER BY x.seq LIMIT p_limit);
        GET DIAGNOSTICS n = ROW_COUNT;
    ELSIF p_kind = 'audit' THEN
        DELETE FROM audit_entries a WHERE a.tenant_id = t AND (a.at, a.id) IN (
            SELECT x.at, x.id FROM audit_entries x WHERE x.tenant_id = t AND x.at < v_before ORDER BY x.at LIMIT p_limit);
        GET DIAGNOSTICS n = ROW_COUNT;
    END IF;
    RETURN QUERY SELECT n, v_files;
END $$;
SELECT give_to_system('purge_old(text,int)');

-- The companies that keep something for a time only, and exports whose time is over.
CREATE FUNCTION retention_due() RETURNS TABLE (tenant_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT r.tenant_id FROM retention_settings r
    WHERE coalesce(r.mail_days, r.messages_days, r.calls_days, r.recordings_days, r.events_days, r.audit_days) IS NOT NULL
$$;
CREATE FUNCTION exports_expired(p_limit int) RETURNS TABLE (tenant_id uuid, id uuid, object_key text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT r.tenant_id, r.id, r.object_key FROM privacy_requests r
    WHERE r.object_key IS NOT NULL AND r.expires_at < now() LIMIT p_limit
$$;
SELECT give_to_system('retention_due()'), give_to_system('exports_expired(int)');
