-- Visibility: whether everybody sees all contacts and what hangs on them, or only their teams', or only their own.
-- It is the policies that hide, and the log that tells nobody else; as long as everybody sees everything, both ask one word a
-- statement and go on as before.

ALTER TABLE tenants ADD COLUMN visibility text COLLATE "C" NOT NULL DEFAULT 'everyone'
    CONSTRAINT tenants_visibility_known CHECK (visibility IN ('everyone', 'team', 'own'));

-- Whoever manages a team sees what is its members', also where the others see only their own.
ALTER TABLE team_members ADD COLUMN is_manager boolean NOT NULL DEFAULT false;

-- `narrow` says with the counter itself, which every event waits for, that visibility is not 'everyone': no event slips through
-- between the old setting and the new one. What was logged up to `log_from` was addressed under other rules and is read no more.
ALTER TABLE tenant_counters ADD COLUMN narrow boolean NOT NULL DEFAULT false, ADD COLUMN log_from bigint NOT NULL DEFAULT 0;

ALTER TABLE events DROP CONSTRAINT events_audience_known;
ALTER TABLE events ADD CONSTRAINT events_audience_known CHECK (
    audience IN ('tenant', 'managers') OR audience ~ '^(user|team):[0-9a-f-]{36}$'
    OR audience ~ '^seen:[0-9a-f-]{36}(,[0-9a-f-]{36})*$') NOT VALID;

-- What the functions below look up, and no more of it.
GRANT SELECT ON team_members, call_legs, inbound_rings, tenant_counters TO ringside_system;
GRANT UPDATE (epoch, narrow, log_from) ON tenant_counters TO ringside_system;
GRANT UPDATE (visibility) ON tenants TO ringside_system;
GRANT SELECT (tenant_id, id, owner_id) ON contacts TO ringside_system;
GRANT SELECT (tenant_id, id, contact_id, actor_id) ON activities TO ringside_system;
GRANT SELECT (tenant_id, id, call_id) ON recordings TO ringside_system;
GRANT SELECT (tenant_id, id, contact_id, user_id) ON messages, enrolments, mail_sends, meetings, permits TO ringside_system;
GRANT SELECT (mailbox_id) ON mail_sends, meetings TO ringside_system;
GRANT SELECT (tenant_id, id, contact_id, assignee_id, created_by) ON tasks TO ringside_system;
GRANT SELECT (tenant_id, id, contact_id, assignee_id, mailbox_id) ON mail_threads TO ringside_system;
GRANT SELECT (tenant_id, id, thread_id) ON mail_messages TO ringside_system;
GRANT SELECT (tenant_id, id, contact_id, mailbox_id, send_id) ON mail_bounces TO ringside_system;
GRANT SELECT (tenant_id, id, contact_id, send_id) ON unsubscribes TO ringside_system;
GRANT SELECT (tenant_id, id, user_id) ON mailboxes, dial_sessions TO ringside_system;
-- As in 0001; a table that is open to the role already stays so.
CREATE OR REPLACE FUNCTION open_table_to(p_table regclass, p_role regrole) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = p_table AND p.polname = 'for_' || p_role::text) THEN
        EXECUTE format('CREATE POLICY %I ON %s TO %s USING (true) WITH CHECK (true)', 'for_' || p_role::text, p_table, p_role);
    END IF;
END $$;
SELECT open_table_to(t, 'ringside_system')
FROM unnest(ARRAY['team_members', 'call_legs', 'inbound_rings', 'contacts', 'activities', 'recordings', 'messages', 'enrolments',
    'mail_sends', 'meetings', 'permits', 'tasks', 'mail_threads', 'mail_messages', 'mail_bounces', 'unsubscribes', 'mailboxes',
    'dial_sessions']::regclass[]) AS t;

-- Whose contacts a member sees, besides those that are nobody's: null for everybody's. Owners and admins see all; who is no
-- active member sees nobody's.
CREATE FUNCTION sight_of(p_tenant uuid, p_user uuid) RETURNS uuid[]
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_role text;
    v_visibility text := (SELECT t.visibility FROM tenants t WHERE t.tenant_id = p_tenant);
BEGIN
    IF v_visibility = 'everyone' THEN
        RETURN NULL;
    END IF;
    SELECT m.role INTO v_role FROM members m WHERE m.tenant_id = p_tenant AND m.user_id = p_user AND m.status = 'active';
    IF v_role IN ('owner', 'admin') THEN
        RETURN NULL;
    ELSIF v_role IS NULL THEN
        RETURN '{}';
    END IF;
    RETURN ARRAY(
        SELECT p_user
        UNION
        SELECT o.user_id FROM team_members mine
        JOIN team_members o ON o.tenant_id = mine.tenant_id AND o.team_id = mine.team_id
        WHERE mine.tenant_id = p_tenant AND mine.user_id = p_user AND (v_visibility = 'team' OR mine.is_manager));
END $$;

-- The same of who acts.
CREATE FUNCTION seen_people() RETURNS uuid[]
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1 SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN sight_of(current_setting('ringside.tenant_id')::uuid, nullif(current_setting('ringside.user_id', true), '')::uuid);
END $$;

-- Whether who acts sees 'all' or only 'some': the one word that every statement asks, of each table that can be narrow. It is
-- found out once a transaction and kept in a setting that ends with it ("all", or those whose things are seen), since to call a
-- SECURITY DEFINER function costs as much as to read a contact. The system sees all, and so does what says so (decide_outreach).
-- What the planner makes of `sight() <> 'some'` is that it is nearly always so.
CREATE FUNCTION sight() RETURNS text LANGUAGE plpgsql STABLE COST 1 AS $$
DECLARE v_known text := current_setting('ringside.sight', true);
BEGIN
    IF v_known IS NULL OR v_known = '' THEN
        v_known := 'all';
        IF coalesce(current_setting('ringside.user_id', true), '') <> '' AND (
               SELECT t.visibility FROM public.tenants t WHERE t.tenant_id = current_setting('ringside.tenant_id')::uuid
           ) IS DISTINCT FROM 'everyone' THEN
            v_known := coalesce(public.seen_people()::text, 'all');
        END IF;
        PERFORM set_config('ringside.sight', v_known, true);
    END IF;
    RETURN CASE v_known WHEN 'all' THEN 'all' ELSE 'some' END;
END $$;

-- Those whose things who acts sees, once sight() said that it is only some.
CREATE FUNCTION sighted() RETURNS uuid[] LANGUAGE sql STABLE COST 1 AS $$
    SELECT current_setting('ringside.sight')::uuid[]
$$;

-- Whether who sees only what is `p_seen`'s sees something of this contact that is, besides, these people's doing: the contact is
-- nobody's or one of theirs, or the doing is. Of no contact and nobody's doing everybody sees it.
CREATE FUNCTION sees(p_contact uuid, p_people uuid[], p_seen uuid[]) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1 SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE v_owner uuid;
BEGIN
    IF p_people && p_seen THEN
        RETURN true;
    ELSIF p_contact IS NULL THEN
        RETURN cardinality(array_remove(p_people, NULL)) = 0;
    END IF;
    SELECT c.owner_id INTO v_owner FROM contacts c
    WHERE c.tenant_id = current_setting('ringside.tenant_id')::uuid AND c.id = p_contact;
    RETURN v_owner IS NULL OR v_owner = ANY (p_seen);
END $$;

-- sight(), of a member, whoever asks; and whether one who sees only some sees a contact.
CREATE FUNCTION sight_of_member(p_user uuid) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1 SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN CASE WHEN sight_of(current_setting('ringside.tenant_id')::uuid, p_user) IS NULL THEN 'all' ELSE 'some' END;
END $$;
CREATE FUNCTION member_sees(p_user uuid, p_contact uuid) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1 SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE v_seen uuid[] := sight_of(current_setting('ringside.tenant_id')::uuid, p_user);
BEGIN
    RETURN v_seen IS NULL OR sees(p_contact, NULL, v_seen);
END $$;

-- Whose something is, of those kinds that can be hidden: the contact's owner and whoever does it. Null where everybody sees it.
-- The policies below and this say the same of each kind; tests/visibility holds them together.
CREATE FUNCTION people_of(p_tenant uuid, p_kind text, p_id uuid, p_data text) RETURNS uuid[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_contact uuid;
    v_owner uuid;
    v_people uuid[];
    v_id uuid := p_id;
    v_task json;
BEGIN
    CASE p_kind
    WHEN 'contact' THEN
        v_contact := p_id;
    WHEN 'call', 'recording' THEN
        IF p_kind = 'recording' THEN
            SELECT r.call_id INTO v_id FROM recordings r WHERE r.tenant_id = p_tenant AND r.id = p_id;
        END IF;
        SELECT k.contact_id, ARRAY[k.user_id]
               || ARRAY(SELECT l.user_id FROM call_legs l WHERE l.tenant_id = p_tenant AND l.call_id = v_id)
               || ARRAY(SELECT r.user_id FROM inbound_rings r WHERE r.tenant_id = p_tenant AND r.call_id = v_id)
        INTO v_contact, v_people FROM calls k WHERE k.tenant_id = p_tenant AND k.id = v_id;
    WHEN 'activity' THEN
        SELECT a.contact_id, ARRAY[a.actor_id] INTO v_contact, v_people FROM activities a WHERE a.tenant_id = p_tenant AND a.id = p_id;
    WHEN 'message' THEN
        SELECT g.contact_id, ARRAY[g.user_id] INTO v_contact, v_people FROM messages g WHERE g.tenant_id = p_tenant AND g.id = p_id;
    WHEN 'enrolment' THEN
        SELECT e.contact_id INTO v_contact FROM enrolments e WHERE e.tenant_id = p_tenant AND e.id = p_id;
    WHEN 'permit' THEN
        SELECT p.contact_id, ARRAY[p.user_id] INTO v_contact, v_people FROM permits p WHERE p.tenant_id = p_tenant AND p.id = p_id;
    WHEN 'task' THEN
        -- One that was deleted speaks for itself.
        SELECT t.contact_id, ARRAY[t.assignee_id, t.created_by] INTO v_contact, v_people
        FROM tasks t WHERE t.tenant_id = p_tenant AND t.id = p_id;
        IF NOT FOUND THEN
            v_task := p_data::json -> 'task';
            v_contact := (v_task #>> '{contact,id}')::uuid;
            v_people := ARRAY[v_task #>> '{assignee,id}', v_task #>> '{created_by,id}']::uuid[];
        END IF;
    WHEN 'meeting' THEN
        SELECT m.contact_id, ARRAY[m.user_id, b.user_id] INTO v_contact, v_people
        FROM meetings m JOIN mailboxes b ON b.tenant_id = p_tenant AND b.id = m.mailbox_id WHERE m.tenant_id = p_tenant AND m.id = p_id;
    WHEN 'mail_thread', 'mail_message' THEN
        IF p_kind = 'mail_message' THEN
            SELECT m.thread_id INTO v_id FROM mail_messages m WHERE m.tenant_id = p_tenant AND m.id = p_id;
        END IF;
        SELECT t.contact_id, ARRAY[t.assignee_id, b.user_id] INTO v_contact, v_people
        FROM mail_threads t JOIN mailboxes b ON b.tenant_id = p_tenant AND b.id = t.mailbox_id WHERE t.tenant_id = p_tenant AND t.id = v_id;
        IF v_contact IS NULL THEN
            RETURN NULL;
        END IF;
    WHEN 'mail_send' THEN
        SELECT s.contact_id, ARRAY[s.user_id, b.user_id] INTO v_contact, v_people
        FROM mail_sends s JOIN mailboxes b ON b.tenant_id = p_tenant AND b.id = s.mailbox_id WHERE s.tenant_id = p_tenant AND s.id = p_id;
        IF v_contact IS NULL THEN
            RETURN NULL;
        END IF;
    WHEN 'mail_bounce' THEN
        SELECT x.contact_id, ARRAY[s.user_id, b.user_id] INTO v_contact, v_people FROM mail_bounces x
        LEFT JOIN mail_sends s ON s.tenant_id = p_tenant AND s.id = x.send_id
        LEFT JOIN mailboxes b ON b.tenant_id = p_tenant AND b.id = x.mailbox_id WHERE x.tenant_id = p_tenant AND x.id = p_id;
    WHEN 'unsubscribe' THEN
        SELECT u.contact_id, ARRAY[s.user_id] INTO v_contact, v_people FROM unsubscribes u
        LEFT JOIN mail_sends s ON s.tenant_id = p_tenant AND s.id = u.send_id WHERE u.tenant_id = p_tenant AND u.id = p_id;
    WHEN 'dial_session' THEN
        -- It shows the contacts that are in a rep's hands.
        SELECT ARRAY[s.user_id] INTO v_people FROM dial_sessions s WHERE s.tenant_id = p_tenant AND s.id = p_id;
    ELSE
        RETURN NULL;
    END CASE;
    v_people := array_remove(v_people, NULL);
    IF v_contact IS NOT NULL THEN
        SELECT c.owner_id INTO v_owner FROM contacts c WHERE c.tenant_id = p_tenant AND c.id = v_contact;
        IF v_owner IS NULL THEN
            RETURN NULL;
        END IF;
        v_people := v_people || v_owner;
    END IF;
    RETURN nullif(ARRAY(SELECT DISTINCT x FROM unnest(v_people) AS x), '{}');
END $$;

-- Whether who sees only what is `p_seen`'s sees a call: as above, or one of them is in it, or was, or was rung for it.
CREATE FUNCTION sees_call(p_call uuid, p_contact uuid, p_user uuid, p_seen uuid[]) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1 SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE v_tenant uuid := current_setting('ringside.tenant_id')::uuid;
BEGIN
    RETURN sees(p_contact, ARRAY[p_user], p_seen)
        OR EXISTS (SELECT FROM call_legs l WHERE l.tenant_id = v_tenant AND l.call_id = p_call AND l.user_id = ANY (p_seen))
        OR EXISTS (SELECT FROM inbound_rings r WHERE r.tenant_id = v_tenant AND r.call_id = p_call AND r.user_id = ANY (p_seen));
END $$;

-- Whether who sees only what is `p_seen`'s sees this, as people_of() has it.
CREATE FUNCTION sees_thing(p_kind text, p_id uuid, p_seen uuid[]) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1 SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE v_people uuid[] := people_of(current_setting('ringside.tenant_id')::uuid, p_kind, p_id, 'null');
BEGIN
    RETURN v_people IS NULL OR v_people && p_seen;
END $$;

-- The same of a member, whoever asks.
CREATE FUNCTION member_sees_thing(p_user uuid, p_kind text, p_id uuid) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1 SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE v_seen uuid[] := sight_of(current_setting('ringside.tenant_id')::uuid, p_user);
BEGIN
    RETURN v_seen IS NULL OR sees_thing(p_kind, p_id, v_seen);
END $$;

-- Whether an event that was logged for those who see some people's things is for who acts.
CREATE FUNCTION audience_is_mine(p_audience text) RETURNS boolean
LANGUAGE plpgsql STABLE COST 1 SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RETURN p_audience LIKE 'seen:%' AND (sight() = 'all' OR string_to_array(substr(p_audience, 6), ',')::uuid[] && sighted());
END $$;

-- For whom the current company's events are to be logged where visibility is narrow, by their places: what is somebody's is for
-- those who see it, what is for managers is for those of them who do, and what is for one member stays so if they do. `audience`
-- is null where it stays what it is. Everybody may know that somebody is in a call (is_bare), and only those who see that call in
-- which.
CREATE FUNCTION narrow_events(p_types text[], p_audiences text[], p_subject_kinds text[], p_subject_ids uuid[], p_data text[])
RETURNS TABLE (place int, audience text, is_bare boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_tenant uuid := current_setting('ringside.tenant_id')::uuid;
    v_people uuid[];
    v_seen uuid[];
    v_call json;
    v_manager uuid;
BEGIN
    FOR i IN 1 .. cardinality(p_types) LOOP
        place := i; audience := NULL; is_bare := false; v_people := NULL; v_call := NULL;
        IF p_types[i] = 'presence.changed' THEN
            v_call := p_data[i]::json #> '{person,call}';
            IF json_typeof(v_call) = 'object' THEN
                v_people := people_of(v_tenant, 'call', (v_call ->> 'id')::uuid, NULL);
            END IF;
            IF v_people IS NOT NULL THEN
                is_bare := true;
                RETURN NEXT;
                is_bare := false;
            END IF;
        -- Who is rung is told by whom; and everybody that a contact is somebody else's now.
        ELSIF p_types[i] NOT IN ('inbound.offered', 'inbound.withdrawn', 'contact.handed_over') THEN
            v_people := people_of(v_tenant, p_subject_kinds[i], p_subject_ids[i], p_data[i]);
        END IF;
        IF v_people IS NOT NULL AND p_audiences[i] LIKE 'user:%' THEN
            v_seen := sight_of(v_tenant, substr(p_audiences[i], 6)::uuid);
            CONTINUE WHEN v_seen IS NOT NULL AND NOT v_people && v_seen;
        ELSIF v_people IS NOT NULL AND p_audiences[i] = 'managers' THEN
            FOR v_manager IN
                SELECT m.user_id FROM members m
                WHERE m.tenant_id = v_tenant AND m.status = 'active' AND m.role IN ('owner', 'admin', 'manager')
            LOOP
                v_seen := sight_of(v_tenant, v_manager);
                CONTINUE WHEN v_seen IS NOT NULL AND NOT v_people && v_seen;
                audience := 'user:' || v_manager;
                RETURN NEXT;
            END LOOP;
            CONTINUE;
        ELSIF v_people IS NOT NULL THEN
            audience := 'seen:' || array_to_string(v_people, ',');
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;

-- As in 0027, and in a company of narrow visibility for those alone who see what it is about.
CREATE OR REPLACE FUNCTION append_events(
    p_actor text, p_actor_id uuid, p_types text[], p_audiences text[], p_subject_kinds text[], p_subject_ids uuid[], p_data text[]
)
RETURNS TABLE (seq bigint, audience text, frame text)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_tenant uuid := current_setting('ringside.tenant_id')::uuid;
    v_before bigint;
    v_narrow boolean;
    v_at timestamptz;
    v_said text;
    v_id text := left(uuidv7()::text, 28);
BEGIN
    UPDATE tenant_counters c SET seq = c.seq + cardinality(p_types) WHERE c.tenant_id = v_tenant
    RETURNING c.seq - cardinality(p_types), c.narrow INTO v_before, v_narrow;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the tenant % has no event counter', v_tenant;
    END IF;
    IF v_narrow THEN
        SELECT coalesce(array_agg(p_types[n.place] ORDER BY n.place, NOT n.is_bare, n.audience), '{}'),
               array_agg(coalesce(n.audience, p_audiences[n.place]) ORDER BY n.place, NOT n.is_bare, n.audience),
               array_agg(p_subject_kinds[n.place] ORDER BY n.place, NOT n.is_bare, n.audience),
               array_agg(p_subject_ids[n.place] ORDER BY n.place, NOT n.is_bare, n.audience),
               array_agg(CASE WHEN n.is_bare THEN jsonb_set(p_data[n.place]::jsonb, '{person,call}', 'null')::text
                              ELSE p_data[n.place] END ORDER BY n.place, NOT n.is_bare, n.audience)
        INTO p_types, p_audiences, p_subject_kinds, p_subject_ids, p_data
        FROM narrow_events(p_types, p_audiences, p_subject_kinds, p_subject_ids, p_data) AS n;
        UPDATE tenant_counters c SET seq = v_before + cardinality(p_types) WHERE c.tenant_id = v_tenant;
    END IF;
    v_at := clock_timestamp();
    v_said := ',"at":' || to_json(v_at)::text || ',"actor":' || p_actor || ',"subject":{"kind":';
    RETURN QUERY
    INSERT INTO events (tenant_id, seq, at, id, type, audience, actor_id, subject_kind, subject_id, frame)
    SELECT v_tenant, v_before + x.ord, v_at, n.id::uuid, x.type, x.audience, p_actor_id, x.subject_kind, x.subject_id,
           '{"seq":' || v_before + x.ord || ',"id":"' || n.id || '","type":' || to_json(x.type)::text || v_said
           || to_json(x.subject_kind)::text || ',"id":' || coalesce('"' || x.subject_id || '"', 'null') || '},"data":' || x.data || '}'
    FROM unnest(p_types, p_audiences, p_subject_kinds, p_subject_ids, p_data)
         WITH ORDINALITY AS x (type, audience, subject_kind, subject_id, data, ord)
    CROSS JOIN LATERAL (SELECT v_id || lpad(to_hex(x.ord), 8, '0') AS id OFFSET 0) AS n
    ORDER BY x.ord
    RETURNING events.seq, events.audience, events.frame;
END $$;

-- Sets who sees what in the current company; false when it is so already. The log begins anew: nobody reads what was logged for
-- others' eyes, and every socket is told to fetch state again.
CREATE FUNCTION set_visibility(p_visibility text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE v_tenant uuid := current_setting('ringside.tenant_id')::uuid;
BEGIN
    UPDATE tenants SET visibility = p_visibility WHERE tenant_id = v_tenant AND visibility <> p_visibility;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE tenant_counters SET narrow = p_visibility <> 'everyone', epoch = gen_random_uuid(), log_from = seq WHERE tenant_id = v_tenant;
    PERFORM set_config('ringside.sight', '', true);
    RETURN true;
END $$;

-- Who sees whose things has changed otherwise, in a company where that matters: the log begins anew. At the very end of the
-- transaction, since the counter is locked from here on.
CREATE FUNCTION sight_moved() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    UPDATE tenant_counters SET epoch = gen_random_uuid(), log_from = seq
    WHERE tenant_id = CASE WHEN tg_op = 'DELETE' THEN old.tenant_id ELSE new.tenant_id END AND narrow;
    RETURN NULL;
END $$;

-- Those of the current company whose things each of its members sees; no rows where everybody sees everything.
CREATE FUNCTION sights() RETURNS TABLE (user_id uuid, people uuid[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT m.user_id, sight_of(m.tenant_id, m.user_id)
    FROM tenants t JOIN members m ON m.tenant_id = t.tenant_id AND m.status = 'active'
    WHERE t.tenant_id = current_setting('ringside.tenant_id')::uuid AND t.visibility <> 'everyone'
$$;

SELECT give_to_system(f) FROM unnest(ARRAY[
    'sight_of(uuid,uuid)', 'sight_of_member(uuid)', 'member_sees(uuid,uuid)', 'seen_people()', 'sees(uuid,uuid[],uuid[])', 'people_of(uuid,text,uuid,text)',
    'sees_call(uuid,uuid,uuid,uuid[])', 'sees_thing(text,uuid,uuid[])', 'member_sees_thing(uuid,text,uuid)', 'narrow_events(text[],text[],text[],uuid[],text[])',
    'set_visibility(text)', 'sight_moved()', 'sights()'
]::regprocedure[]) AS f;
REVOKE ALL ON FUNCTION audience_is_mine(text), sight(), sighted() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audience_is_mine(text), sight(), sighted() TO ringside_app;
GRANT SELECT (tenant_id, visibility) ON tenants TO ringside_search;
SELECT open_table_to('tenants', 'ringside_search');
GRANT EXECUTE ON FUNCTION sight(), sighted(), seen_people(), sees(uuid, uuid[], uuid[]), sees_call(uuid, uuid, uuid, uuid[]), sees_thing(text, uuid, uuid[])
    TO ringside_search;
REVOKE ALL ON FUNCTION sight_of(uuid, uuid), people_of(uuid, text, uuid, text), sight_moved() FROM ringside_app;

CREATE CONSTRAINT TRIGGER team_members_move_sight AFTER INSERT OR UPDATE OR DELETE ON team_members
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION sight_moved();
CREATE CONSTRAINT TRIGGER members_move_sight AFTER UPDATE OF role, status ON members
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION sight_moved();

-- Lets who sees only some see of a table's rows those for which `p_clause` holds; the tenant's policy stays what it is besides.
CREATE FUNCTION narrow_table(p_table regclass, p_clause text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    EXECUTE format(
        'ALTER POLICY tenant_only ON %s USING (tenant_id = (SELECT current_setting(''ringside.tenant_id'')::uuid) '
        'AND ((SELECT sight()) <> ''some'' OR %s))',
        -- Written out: a function would be inlined anew each time that a statement is planned.
        p_table, replace(p_clause, 'sighted()', 'current_setting(''ringside.sight'')::uuid[]'));
END $$;
REVOKE ALL ON FUNCTION narrow_table(regclass, text) FROM PUBLIC;

-- The contact is named by its id: many an index that is read alone has that and not the owner.
SELECT narrow_table('contacts', 'sees(id, NULL, sighted())');
-- Nobody gives a contact to whom they don't see: it would be gone from under their hands.
ALTER POLICY tenant_only ON contacts WITH CHECK (tenant_id = (SELECT current_setting('ringside.tenant_id')::uuid)
    AND ((SELECT sight()) <> 'some' OR owner_id IS NULL OR owner_id = ANY (sighted())));
SELECT narrow_table(t, 'sees(contact_id, NULL, sighted())')
FROM unnest(ARRAY['contact_emails', 'contact_phones', 'contact_tags', 'contact_search', 'message_threads', 'leases', 'consents',
    'mail_message_contacts']::regclass[]) AS t;
SELECT narrow_table('activities', 'sees(contact_id, ARRAY[actor_id], sighted())');
SELECT narrow_table(t, 'sees(contact_id, ARRAY[user_id], sighted())')
FROM unnest(ARRAY['messages', 'permits']::regclass[]) AS t;
SELECT narrow_table('tasks', 'sees(contact_id, ARRAY[assignee_id, created_by], sighted())');
SELECT narrow_table('calls', 'sees_call(id, contact_id, user_id, sighted())');
SELECT narrow_table(t, 'sees_thing(''call'', call_id, sighted())')
FROM unnest(ARRAY['call_legs', 'call_audit', 'voicemails', 'call_drops', 'recordings']::regclass[]) AS t;
SELECT narrow_table(t, 'sees_thing(''recording'', recording_id, sighted())')
FROM unnest(ARRAY['transcripts', 'spoken_pieces']::regclass[]) AS t;
-- Mail, besides: a mailbox that who asks does not see stays closed to them, whatever they see of the contact.
SELECT narrow_table(v.t, format('sees_thing(%L, %I, sighted())', v.kind, v.id))
FROM (VALUES ('mail_threads'::regclass, 'mail_thread', 'id'), ('mail_messages', 'mail_message', 'id'),
    ('mail_attachments', 'mail_message', 'message_id'), ('mail_copies', 'mail_message', 'message_id'),
    ('mail_sends', 'mail_send', 'id'), ('tracked_sends', 'mail_send', 'send_id'), ('tracked_links', 'mail_send', 'send_id'),
    ('tracking_hits', 'mail_send', 'send_id'), ('mail_bounces', 'mail_bounce', 'id'), ('unsubscribes', 'unsubscribe', 'id'),
    ('meetings', 'meeting', 'id')) AS v (t, kind, id);

-- As in 0005, 0013 and 0021: of what is found only what is seen counts towards the limit.
CREATE OR REPLACE FUNCTION search_contacts(p_query text, p_limit int)
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
    v_sight text := sight();
    v_seen uuid[] := CASE v_sight WHEN 'some' THEN sighted() END;
BEGIN
    IF v_query = '' THEN
        RETURN;
    END IF;
    v_upper := v_query || U&'\+10FFFF';
    SELECT array_agg(q.id ORDER BY q.place, q.id) INTO v_ids FROM (
        SELECT p.id, min(p.place) AS place FROM (
            (SELECT c.id, 1 FROM contacts c WHERE c.tenant_id = v_tenant AND c.deleted_at IS NULL
                AND c.name_lc >= v_query AND c.name_lc < v_upper
                AND (v_sight <> 'some' OR sees(c.id, NULL, v_seen)) ORDER BY c.name_lc LIMIT v_limit)
            UNION ALL
            (SELECT c.id, 2 FROM contacts c WHERE c.tenant_id = v_tenant AND c.deleted_at IS NULL
                AND c.last_name_lc >= v_query AND c.last_name_lc < v_upper
                AND (v_sight <> 'some' OR sees(c.id, NULL, v_seen)) ORDER BY c.last_name_lc LIMIT v_limit)
            UNION ALL
            (SELECT c.id, 3 FROM contacts c WHERE c.tenant_id = v_tenant AND c.deleted_at IS NULL
                AND c.company_lc >= v_query AND c.company_lc < v_upper
                AND (v_sight <> 'some' OR sees(c.id, NULL, v_seen)) ORDER BY c.company_lc LIMIT v_limit)
            UNION ALL
            (SELECT e.contact_id, 4 FROM contact_emails e WHERE e.tenant_id = v_tenant
                AND e.address_lc >= v_query AND e.address_lc < v_upper
                AND (v_sight <> 'some' OR sees(e.contact_id, NULL, v_seen)) ORDER BY e.address_lc LIMIT v_limit)
            UNION ALL
            (SELECT e.contact_id, 5 FROM contact_emails e WHERE e.tenant_id = v_tenant
                AND e.domain_lc >= v_query AND e.domain_lc < v_upper
                AND (v_sight <> 'some' OR sees(e.contact_id, NULL, v_seen)) ORDER BY e.domain_lc LIMIT v_limit)
            UNION ALL
            (SELECT n.contact_id, 6 FROM contact_phones n WHERE v_digits <> '' AND v_is_number AND n.tenant_id = v_tenant
                AND n.e164 >= '+' || v_digits AND n.e164 < '+' || v_digits || ':'
                AND (v_sight <> 'some' OR sees(n.contact_id, NULL, v_seen)) ORDER BY n.e164 LIMIT v_limit)
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
    IF v_sight = 'some' THEN
        v_where := v_where || ' AND sees(s.contact_id, NULL, $6)';
    END IF;
    RETURN QUERY EXECUTE
        'SELECT m.contact_id, CASE WHEN m.terms LIKE $4 THEN 1 ELSE 2 END FROM ('
        ' SELECT s.contact_id, s.terms FROM contact_search s WHERE s.tenant_id = $2' || v_where ||
        ' AND s.contact_id <> ALL ($3) LIMIT 300) AS m ORDER BY 2, m.terms LIMIT $5'
        USING v_words, v_tenant, v_ids, '% ' || replace(replace(replace(v_query, '\', '\\'), '%', '\%'), '_', '\_') || '%',
              v_limit - cardinality(v_ids), v_seen;
END $$;

CREATE OR REPLACE FUNCTION search_newest_transcripts(
    p_query tsquery, p_user uuid, p_contact uuid, p_after timestamptz, p_after_id uuid, p_limit int)
RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET enable_sort = off SET enable_bitmapscan = off SET enable_seqscan = off AS $$
BEGIN
    RETURN QUERY EXECUTE
        'SELECT n.recording_id FROM (SELECT t.recording_id, t.at, t.words FROM transcripts t WHERE t.tenant_id = $1'
        || CASE WHEN p_user IS NULL THEN '' ELSE ' AND t.user_id = $3' END
        || CASE WHEN p_contact IS NULL THEN '' ELSE ' AND t.contact_id = $4' END
        || CASE WHEN p_after IS NULL THEN '' ELSE ' AND (t.at, t.recording_id) < ($5, $6)' END
        || CASE sight() WHEN 'some' THEN ' AND sees_thing(''recording'', t.recording_id, $8)' ELSE '' END
        || ' ORDER BY t.at DESC, t.recording_id DESC LIMIT 300) AS n'
        ' WHERE n.words @@ $2 ORDER BY n.at DESC, n.recording_id DESC LIMIT $7'
        USING current_setting('ringside.tenant_id')::uuid, p_query, p_user, p_contact, p_after, p_after_id, p_limit,
              CASE sight() WHEN 'some' THEN sighted() END;
END $$;

CREATE OR REPLACE FUNCTION search_transcripts(
    p_query text, p_user uuid, p_contact uuid, p_after timestamptz, p_after_id uuid, p_limit int)
RETURNS TABLE (recording_id uuid)
LANGUAGE plpgsql STABLE ROWS 50 SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_tenant uuid := current_setting('ringside.tenant_id')::uuid;
    v_limit int := least(greatest(p_limit, 1), 201);
    v_query tsquery := transcript_query(p_query);
    v_ids uuid[];
BEGIN
    IF v_query IS NULL THEN
        RETURN;
    END IF;
    v_ids := array(SELECT search_newest_transcripts(v_query, p_user, p_contact, p_after, p_after_id, v_limit));
    IF cardinality(v_ids) = v_limit THEN
        RETURN QUERY SELECT unnest(v_ids);
        RETURN;
    END IF;
    RETURN QUERY EXECUTE
        'SELECT t.recording_id FROM transcripts t WHERE t.tenant_id = $1 AND t.words @@ $2'
        || CASE WHEN p_user IS NULL THEN '' ELSE ' AND t.user_id IS NOT DISTINCT FROM $3' END
        || CASE WHEN p_contact IS NULL THEN '' ELSE ' AND t.contact_id IS NOT DISTINCT FROM $4' END
        || CASE WHEN p_after IS NULL THEN '' ELSE ' AND NOT (t.at, t.recording_id) >= ($5, $6)' END
        || CASE sight() WHEN 'some' THEN ' AND sees_thing(''recording'', t.recording_id, $8)' ELSE '' END
        || ' ORDER BY t.at DESC, t.recording_id DESC LIMIT $7'
        USING v_tenant, v_query, p_user, p_contact, p_after, p_after_id, v_limit, CASE sight() WHEN 'some' THEN sighted() END;
END $$;

CREATE OR REPLACE FUNCTION search_mail(p_query text, p_mailboxes uuid[], p_own uuid[], p_contact uuid, p_unread boolean, p_after timestamptz,
    p_after_id uuid, p_limit int)
RETURNS TABLE (thread_id uuid, at timestamptz)
LANGUAGE plpgsql STABLE ROWS 50 SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
    v_tenant uuid := current_setting('ringside.tenant_id')::uuid;
    v_query tsquery := transcript_query(p_query);
    v_sight text := sight();
    v_seen uuid[] := CASE v_sight WHEN 'some' THEN sighted() END;
BEGIN
    IF v_query IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
        WITH found AS MATERIALIZED (
            SELECT m.thread_id, max(m.at) AS at FROM mail_words m
            WHERE m.tenant_id = v_tenant AND m.words @@ v_query AND m.mailbox_id = ANY (p_mailboxes)
            GROUP BY m.thread_id)
        SELECT f.thread_id, f.at
        FROM (SELECT n.thread_id, n.at FROM found n
              WHERE p_after IS NULL OR (n.at, n.thread_id) < (p_after, p_after_id)
              ORDER BY n.at DESC, n.thread_id DESC OFFSET 0) AS f
        JOIN mail_threads t ON t.tenant_id = v_tenant AND t.id = f.thread_id
        WHERE t.messages > 0 AND (NOT t.private OR t.mailbox_id = ANY (p_own)) AND (p_unread IS NOT TRUE OR t.unread > 0)
          AND (v_sight <> 'some' OR sees_thing('mail_thread', t.id, v_seen))
          AND (p_contact IS NULL OR EXISTS (SELECT FROM mail_message_contacts c
              WHERE c.tenant_id = v_tenant AND c.contact_id = p_contact AND c.thread_id = f.thread_id))
        ORDER BY f.at DESC, f.thread_id DESC LIMIT least(greatest(p_limit, 1), 500);
END $$;

-- The law counts all calls to a number, also those that who acts does not see.
ALTER FUNCTION decide_outreach(uuid, text, text, timestamptz) RENAME TO decide_outreach_seen;
CREATE FUNCTION decide_outreach(p_contact_id uuid, p_channel text, p_address text, p_at timestamptz,
    OUT allowed boolean, OUT code text, OUT explanation text, OUT rule_version text, OUT facts jsonb, OUT next_allowed_at timestamptz,
    OUT expires_at timestamptz, OUT overridable boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE v_before text := coalesce(current_setting('ringside.sight', true), '');
BEGIN
    PERFORM set_config('ringside.sight', 'all', true);
    SELECT d.* INTO allowed, code, explanation, rule_version, facts, next_allowed_at, expires_at, overridable
    FROM decide_outreach_seen(p_contact_id, p_channel, p_address, p_at) AS d;
    PERFORM set_config('ringside.sight', v_before, true);
END $$;
REVOKE ALL ON FUNCTION decide_outreach(uuid, text, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION decide_outreach(uuid, text, text, timestamptz) TO ringside_app;
