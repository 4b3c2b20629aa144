-- What follows a call: each company's dispositions, tasks, notifications, and a wrap-up that ends by itself.

CREATE TABLE dispositions (
    tenant_id           uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    value               text COLLATE "C" NOT NULL CONSTRAINT dispositions_value_shape CHECK (value ~ '^[a-z0-9][a-z0-9_]{0,39}$'),
    label               text NOT NULL CONSTRAINT dispositions_label_length CHECK (length(label) BETWEEN 1 AND 60),
    label_lc            text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(label)) STORED,
    position            int NOT NULL,
    key                 text COLLATE "C" CONSTRAINT dispositions_key_shape CHECK (key ~ '^[a-z0-9]$'),
    counts_as_connected boolean NOT NULL DEFAULT false,
    follow_up           text NOT NULL DEFAULT 'none' CONSTRAINT dispositions_follow_up_known
                        CHECK (follow_up IN ('none', 'callback', 'do_not_call', 'stage')),
    stage               text COLLATE "C",
    retry_after_s       int CONSTRAINT dispositions_retry_after_range CHECK (retry_after_s BETWEEN 60 AND 7776000),
    retry_limit         int CONSTRAINT dispositions_retry_limit_range CHECK (retry_limit BETWEEN 1 AND 20),
    created_at          timestamptz NOT NULL DEFAULT now(),
    archived_at         timestamptz,
    PRIMARY KEY (tenant_id, value),
    CONSTRAINT dispositions_stage_fits CHECK ((follow_up = 'stage') = (stage IS NOT NULL)),
    CONSTRAINT dispositions_retry_is_whole CHECK ((retry_after_s IS NULL) = (retry_limit IS NULL))
);
CREATE UNIQUE INDEX dispositions_label_taken ON dispositions (tenant_id, label_lc) WHERE archived_at IS NULL;
CREATE UNIQUE INDEX dispositions_key_taken ON dispositions (tenant_id, key) WHERE archived_at IS NULL;
SELECT protect_table('dispositions');
GRANT SELECT, INSERT, UPDATE ON dispositions TO ringside_app;
GRANT SELECT, INSERT ON dispositions TO ringside_system;
SELECT open_table_to('dispositions', 'ringside_system');

-- What every company begins with. A company that has dispositions keeps them as they are.
CREATE FUNCTION add_default_dispositions(p_tenant uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO dispositions (tenant_id, value, label, position, key, counts_as_connected, follow_up, retry_after_s, retry_limit)
    SELECT p_tenant, d.value, d.label, d.position, d.position::text, d.connected, d.follow_up, d.retry_after_s, d.retry_limit
    FROM (VALUES
        ('connected',      'Connected',      1, true,  'none',     NULL::int, NULL::int),
        ('left_voicemail', 'Left voicemail', 2, false, 'none',     86400,     3),
        ('no_answer',      'No answer',      3, false, 'none',     14400,     5),
        ('busy',           'Busy',           4, false, 'none',     1800,      5),
        ('wrong_number',   'Wrong number',   5, false, 'none',     NULL,      NULL),
        ('not_interested', 'Not interested', 6, true,  'none',     NULL,      NULL),
        ('meeting_booked', 'Meeting booked', 7, true,  'none',     NULL,      NULL),
        ('callback',       'Call back',      8, true,  'callback', NULL,      NULL)
    ) AS d (value, label, position, connected, follow_up, retry_after_s, retry_limit)
    WHERE NOT EXISTS (SELECT FROM dispositions x WHERE x.tenant_id = p_tenant)
$$;
SELECT give_to_system('add_default_dispositions(uuid)');

-- The companies that are there, as the role that sees them all.
SET LOCAL ROLE ringside_system;
SELECT add_default_dispositions(t.tenant_id) FROM tenants t;
RESET ROLE;

-- A new company with its event counter and what it begins with.
CREATE OR REPLACE FUNCTION create_company(p_name text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE v_tenant uuid;
BEGIN
    INSERT INTO tenants (name) VALUES (p_name) RETURNING tenant_id INTO v_tenant;
    INSERT INTO tenant_counters (tenant_id) VALUES (v_tenant);
    PERFORM add_default_dispositions(v_tenant);
    RETURN v_tenant;
END $$;

CREATE TABLE tasks (
    tenant_id   uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id          uuid NOT NULL DEFAULT uuidv7(),
    kind        text NOT NULL CONSTRAINT tasks_kind_known CHECK (kind IN ('callback', 'missed_call', 'to_do', 'call')),
    title       text NOT NULL CONSTRAINT tasks_title_length CHECK (length(title) BETWEEN 1 AND 300),
    contact_id  uuid,
    assignee_id uuid,
    call_id     uuid,
    due_at      timestamptz NOT NULL DEFAULT now(),
    -- When the assignee was told that it is due; null again when it is put off.
    told_at     timestamptz,
    done_at     timestamptz,
    done_by     uuid,
    created_by  uuid,
    created_at  timestamptz NOT NULL DEFAULT now(),
    version     int NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, contact_id) REFERENCES contacts (tenant_id, id),
    CONSTRAINT tasks_assignee_is_member FOREIGN KEY (tenant_id, assignee_id) REFERENCES members (tenant_id, user_id),
    FOREIGN KEY (tenant_id, done_by) REFERENCES members (tenant_id, user_id),
    FOREIGN KEY (tenant_id, created_by) REFERENCES members (tenant_id, user_id),
    FOREIGN KEY (tenant_id, call_id) REFERENCES calls (tenant_id, id)
);
-- A call asks for one callback or one answer, however often it is told how it went.
CREATE UNIQUE INDEX tasks_one_for_a_call ON tasks (tenant_id, call_id, kind) WHERE call_id IS NOT NULL AND done_at IS NULL;
CREATE INDEX tasks_by_due ON tasks (tenant_id, due_at, id);
CREATE INDEX tasks_open ON tasks (tenant_id, due_at, id) WHERE done_at IS NULL;
CREATE INDEX tasks_open_of_assignee ON tasks (tenant_id, assignee_id, due_at, id) WHERE done_at IS NULL;
CREATE INDEX tasks_of_assignee ON tasks (tenant_id, assignee_id, due_at, id);
CREATE INDEX tasks_of_contact ON tasks (tenant_id, contact_id, due_at, id);
CREATE INDEX tasks_done ON tasks (tenant_id, done_at, id) WHERE done_at IS NOT NULL;
CREATE INDEX tasks_done_of_assignee ON tasks (tenant_id, assignee_id, done_at, id) WHERE done_at IS NOT NULL;
CREATE INDEX tasks_untold ON tasks (due_at) WHERE done_at IS NULL AND told_at IS NULL;

CREATE TABLE notifications (
    tenant_id    uuid NOT NULL,
    id           uuid NOT NULL DEFAULT uuidv7(),
    user_id      uuid NOT NULL,
    kind         text NOT NULL CONSTRAINT notifications_kind_shape CHECK (kind ~ '^[a-z][a-z_]{0,39}$'),
    title        text NOT NULL CONSTRAINT notifications_title_length CHECK (length(title) BETWEEN 1 AND 300),
    body         text NOT NULL DEFAULT '' CONSTRAINT notifications_body_length CHECK (length(body) <= 2000),
    subject_kind text,
    subject_id   uuid,
    created_at   timestamptz NOT NULL DEFAULT now(),
    read_at      timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES members (tenant_id, user_id) ON DELETE CASCADE
);
CREATE INDEX notifications_newest ON notifications (tenant_id, user_id, created_at, id);
CREATE INDEX notifications_unread ON notifications (tenant_id, user_id, created_at, id) WHERE read_at IS NULL;
CREATE INDEX notifications_by_age ON notifications (created_at);

SELECT protect_table(t) FROM unnest(ARRAY['tasks', 'notifications']::regclass[]) AS t;
GRANT SELECT, INSERT, UPDATE, DELETE ON tasks TO ringside_app;
GRANT SELECT, INSERT, UPDATE ON notifications TO ringside_app;
GRANT SELECT ON tasks TO ringside_system;
GRANT SELECT, DELETE ON notifications TO ringside_system;
SELECT open_table_to(t, 'ringside_system') FROM unnest(ARRAY['tasks', 'notifications']::regclass[]) AS t;

-- Open tasks of any company that have become due and whose assignee was not told.
CREATE FUNCTION tasks_untold(p_limit int)
RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT t.tenant_id, t.id FROM tasks t
    WHERE t.done_at IS NULL AND t.told_at IS NULL AND t.due_at <= now()
    ORDER BY t.due_at LIMIT p_limit
$$;

CREATE FUNCTION notifications_forget(p_keep interval) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DELETE FROM notifications WHERE created_at < now() - p_keep
$$;

-- A wrap-up ends by itself at this moment; null where only the rep ends it.
ALTER TABLE presence ADD COLUMN until timestamptz
    CONSTRAINT presence_until_fits_state CHECK (until IS NULL OR state = 'wrap_up');
CREATE INDEX presence_ending ON presence (until) WHERE until IS NOT NULL;

-- People of any company whose wrap-up is over.
CREATE FUNCTION wrap_ups_over(p_limit int)
RETURNS TABLE (tenant_id uuid, user_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT p.tenant_id, p.user_id FROM presence p WHERE p.until <= now() ORDER BY p.until LIMIT p_limit
$$;

SELECT give_to_system(f) FROM unnest(ARRAY[
    'tasks_untold(int)', 'notifications_forget(interval)', 'wrap_ups_over(int)'
]::regprocedure[]) AS f;
