-- Sequences: their steps and variants, who is enrolled in them and why they wait, and every step that was taken.

-- What holds for all sequences of a company. `zone` is the one whose midnight begins a day of the mailboxes' caps. The caps by
-- recipient domain hold over all mailboxes together; null is no cap. Whoever plans holds the row, so that two never give the
-- same place in a mailbox's day away.
CREATE TABLE sequence_settings (
    tenant_id           uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    zone                text NOT NULL DEFAULT 'UTC',
    domain_per_hour     int CONSTRAINT sequence_settings_hour_range CHECK (domain_per_hour BETWEEN 1 AND 100000),
    domain_per_day      int CONSTRAINT sequence_settings_day_range CHECK (domain_per_day BETWEEN 1 AND 100000),
    domain_per_week     int CONSTRAINT sequence_settings_week_range CHECK (domain_per_week BETWEEN 1 AND 1000000),
    -- Whether gmail.com and its like, where everybody's mail lives, count as one company's domain.
    caps_free_domains   boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant_id)
);

-- `schedule`, `stop_on` and `goal` are as hub/sequences/models.py describes them. `counts` is what the enrolments came to when
-- they were last counted.
CREATE TABLE sequences (
    tenant_id       uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id              uuid NOT NULL DEFAULT uuidv7(),
    name            text NOT NULL CONSTRAINT sequences_name_length CHECK (length(name) BETWEEN 1 AND 200),
    state           text NOT NULL DEFAULT 'draft' CONSTRAINT sequences_state_known
                    CHECK (state IN ('draft', 'active', 'paused', 'archived')),
    schedule        jsonb NOT NULL,
    stop_on         jsonb NOT NULL,
    goal            jsonb,
    owner_id        uuid,
    counts          jsonb NOT NULL DEFAULT '{}',
    counted_at      timestamptz NOT NULL DEFAULT now(),
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    deleted_at      timestamptz,
    version         int NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, owner_id) REFERENCES members (tenant_id, user_id)
);
CREATE INDEX sequences_newest ON sequences (tenant_id, created_at, id) WHERE deleted_at IS NULL;

-- A step waits (`wait_minutes`, or `wait_business_days`) from the one before, then happens. `condition` is of a condition step:
-- what it asks, and the position it goes on at when the answer is no. `is_blocking`: the sequence waits until a person has done it.
-- One that was taken out is archived, because what was done of it stays.
CREATE TABLE sequence_steps (
    tenant_id           uuid NOT NULL,
    id                  uuid NOT NULL DEFAULT uuidv7(),
    sequence_id         uuid NOT NULL,
    position            int NOT NULL CONSTRAINT sequence_steps_position_range CHECK (position BETWEEN 1 AND 100),
    kind                text NOT NULL CONSTRAINT sequence_steps_kind_known
                        CHECK (kind IN ('email', 'call', 'sms', 'task', 'wait', 'condition')),
    wait_minutes        int CONSTRAINT sequence_steps_wait_range CHECK (wait_minutes BETWEEN 0 AND 525600),
    wait_business_days  int CONSTRAINT sequence_steps_days_range CHECK (wait_business_days BETWEEN 1 AND 250),
    thread              text NOT NULL DEFAULT 'new' CONSTRAINT sequence_steps_thread_known CHECK (thread IN ('new', 'reply')),
    condition           jsonb,
    note                text NOT NULL DEFAULT '',
    is_blocking         boolean NOT NULL DEFAULT false,
    archived_at         timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, sequence_id) REFERENCES sequences (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT sequence_steps_one_wait CHECK (wait_minutes IS NULL OR wait_business_days IS NULL),
    CONSTRAINT sequence_steps_condition_fits CHECK ((kind = 'condition') = (condition IS NOT NULL))
);
CREATE UNIQUE INDEX sequence_steps_in_order ON sequence_steps (tenant_id, sequence_id, position) WHERE archived_at IS NULL;

-- What an email or text message says; several of a step are tried against each other by their weights.
CREATE TABLE step_variants (
    tenant_id   uuid NOT NULL,
    id          uuid NOT NULL DEFAULT uuidv7(),
    step_id     uuid NOT NULL,
    label       text NOT NULL CONSTRAINT step_variants_label_length CHECK (length(label) BETWEEN 1 AND 40),
    weight      int NOT NULL DEFAULT 1 CONSTRAINT step_variants_weight_range CHECK (weight BETWEEN 0 AND 1000),
    subject     text NOT NULL DEFAULT '',
    html        text NOT NULL DEFAULT '',
    template_id uuid,
    archived_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, step_id) REFERENCES sequence_steps (tenant_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX step_variants_label_taken ON step_variants (tenant_id, step_id, label) WHERE archived_at IS NULL;

-- A contact in a sequence. `step_id` is the next step. In the phase `plan` a moment has to be found for it, from `base_at` on,
-- when the step before happened; `act`: it happens at `due_at`, and nobody else has that place of the mailbox's day; `settle`:
-- it was asked for, and `due_at` is when to look again at what became of it. `explanation` says why it waits until then.
-- `caps_key` are the caps it was planned by. `domain_lc` is the recipient's, of an email; `zone` the contact's.
CREATE TABLE enrolments (
    tenant_id   uuid NOT NULL,
    id          uuid NOT NULL DEFAULT uuidv7(),
    sequence_id uuid NOT NULL,
    contact_id  uuid NOT NULL,
    user_id     uuid NOT NULL,
    mailbox_id  uuid,
    state       text NOT NULL DEFAULT 'active' CONSTRAINT enrolments_state_known
                CHECK (state IN ('active', 'paused', 'finished', 'stopped', 'failed')),
    phase       text NOT NULL DEFAULT 'plan' CONSTRAINT enrolments_phase_known CHECK (phase IN ('plan', 'act', 'settle')),
    step_id     uuid,
    base_at     timestamptz NOT NULL,
    due_at      timestamptz,
    slot_kind   text CONSTRAINT enrolments_slot_known CHECK (slot_kind IN ('email')),
    domain_lc   text COLLATE "C",
    caps_key    text,
    zone        text NOT NULL DEFAULT '',
    reason      text,
    words       text NOT NULL DEFAULT '',
    explanation jsonb NOT NULL DEFAULT '[]',
    resume_at   timestamptz,
    goal_at     timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    changed_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    version     int NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, sequence_id) REFERENCES sequences (tenant_id, id),
    FOREIGN KEY (tenant_id, contact_id) REFERENCES contacts (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES members (tenant_id, user_id),
    FOREIGN KEY (tenant_id, mailbox_id) REFERENCES mailboxes (tenant_id, id),
    FOREIGN KEY (tenant_id, step_id) REFERENCES sequence_steps (tenant_id, id),
    CONSTRAINT enrolments_end_is_said CHECK ((state IN ('finished', 'stopped', 'failed')) = (finished_at IS NOT NULL)),
    CONSTRAINT enrolments_live_has_step CHECK (state NOT IN ('active', 'paused') OR step_id IS NOT NULL),
    CONSTRAINT enrolments_active_has_time CHECK (state <> 'active' OR due_at IS NOT NULL)
);
-- Nobody is twice in a sequence at a time.
CREATE UNIQUE INDEX enrolments_once ON enrolments (tenant_id, sequence_id, contact_id) WHERE state IN ('active', 'paused');
CREATE INDEX enrolments_due ON enrolments (phase, due_at) WHERE state = 'active';
CREATE INDEX enrolments_to_resume ON enrolments (resume_at) WHERE state = 'paused' AND resume_at IS NOT NULL;
CREATE INDEX enrolments_of_contact ON enrolments (tenant_id, contact_id, id);
CREATE INDEX enrolments_in_order ON enrolments (tenant_id, sequence_id, id);
CREATE INDEX enrolments_by_state ON enrolments (tenant_id, sequence_id, state, id) INCLUDE (goal_at);
CREATE INDEX enrolments_to_plan ON enrolments (tenant_id, base_at, contact_id, id) WHERE state = 'active' AND phase = 'plan';
CREATE INDEX enrolments_slots ON enrolments (tenant_id, mailbox_id, due_at)
    WHERE state = 'active' AND phase = 'act' AND slot_kind = 'email';
CREATE INDEX enrolments_slots_by_domain ON enrolments (tenant_id, domain_lc, due_at)
    WHERE state = 'active' AND phase = 'act' AND slot_kind = 'email';
CREATE INDEX enrolments_changed ON enrolments (tenant_id, sequence_id, changed_at);

-- A step that was taken, or will not be. The row is written before anybody is asked for anything: `intended` is asked for,
-- the rest is what became of it. `slot_at` is the planned time, which the caps count by. `look_at`: when to see what became of it.
CREATE TABLE step_runs (
    tenant_id       uuid NOT NULL,
    id              uuid NOT NULL DEFAULT uuidv7(),
    enrolment_id    uuid NOT NULL,
    sequence_id     uuid NOT NULL,
    step_id         uuid NOT NULL,
    variant_id      uuid,
    kind            text NOT NULL CONSTRAINT step_runs_kind_known CHECK (kind IN ('email', 'call', 'sms', 'task', 'wait', 'condition')),
    state           text NOT NULL CONSTRAINT step_runs_state_known CHECK (state IN ('intended', 'done', 'skipped', 'failed', 'canceled')),
    slot_at         timestamptz NOT NULL,
    done_at         timestamptz,
    mailbox_id      uuid,
    domain_lc       text COLLATE "C",
    template_id     uuid,
    template_version int,
    send_id         uuid,
    task_id         uuid,
    message_id      uuid,
    words           text NOT NULL DEFAULT '',
    explanation     jsonb NOT NULL DEFAULT '[]',
    replied_at      timestamptz,
    bounced_at      timestamptz,
    unsubscribed_at timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    look_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    -- No step is taken twice, whatever is killed.
    CONSTRAINT step_runs_once UNIQUE (tenant_id, enrolment_id, step_id),
    FOREIGN KEY (tenant_id, enrolment_id) REFERENCES enrolments (tenant_id, id),
    FOREIGN KEY (tenant_id, step_id) REFERENCES sequence_steps (tenant_id, id)
);
CREATE INDEX step_runs_slots ON step_runs (tenant_id, mailbox_id, slot_at) WHERE kind = 'email' AND state IN ('intended', 'done');
CREATE INDEX step_runs_slots_by_domain ON step_runs (tenant_id, domain_lc, slot_at) WHERE kind = 'email' AND state IN ('intended', 'done');
CREATE INDEX step_runs_results ON step_runs (tenant_id, sequence_id, step_id, variant_id, slot_at);
CREATE INDEX step_runs_under_way ON step_runs (look_at) WHERE state = 'intended';
CREATE UNIQUE INDEX step_runs_of_send ON step_runs (tenant_id, send_id) WHERE send_id IS NOT NULL;

SELECT protect_table(t) FROM unnest(ARRAY['sequence_settings', 'sequences', 'sequence_steps', 'step_variants', 'enrolments', 'step_runs']::regclass[]) AS t;
GRANT SELECT, INSERT, UPDATE ON sequence_settings, sequences, sequence_steps, step_variants, enrolments, step_runs TO ringside_app;
GRANT SELECT ON sequences, enrolments, step_runs, contacts, contact_emails, suppressions TO ringside_system;
SELECT open_table_to(t, 'ringside_system')
FROM unnest(ARRAY['sequences', 'enrolments', 'step_runs', 'contacts', 'contact_emails', 'suppressions']::regclass[]) AS t;

-- Companies in which a moment has to be found for somebody's next step.
CREATE FUNCTION sequences_to_plan(p_now timestamptz, p_limit int) RETURNS TABLE (tenant_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT DISTINCT x.tenant_id FROM (
        SELECT e.tenant_id FROM enrolments e
        JOIN sequences s ON s.tenant_id = e.tenant_id AND s.id = e.sequence_id AND s.state = 'active' AND s.deleted_at IS NULL
        WHERE e.state = 'active' AND e.phase = 'plan' AND e.due_at <= p_now
        LIMIT p_limit) AS x
$$;

-- Enrolments of any company with a step to take by now, whoever waits longest first.
CREATE FUNCTION enrolments_due(p_now timestamptz, p_limit int) RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT e.tenant_id, e.id FROM enrolments e
    JOIN sequences s ON s.tenant_id = e.tenant_id AND s.id = e.sequence_id AND s.state = 'active' AND s.deleted_at IS NULL
    WHERE e.state = 'active' AND e.phase = 'act' AND e.due_at <= p_now
    ORDER BY e.due_at
    LIMIT p_limit
$$;

-- Steps of any company that are under way and over now, or due to be looked at.
CREATE FUNCTION step_runs_to_settle(p_limit int) RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT r.tenant_id, r.id FROM step_runs r
    WHERE r.state = 'intended' AND (r.look_at <= now() OR EXISTS (
        SELECT FROM mail_sends m WHERE m.tenant_id = r.tenant_id AND m.id = r.send_id AND m.state IN ('sent', 'failed', 'canceled')))
    ORDER BY r.look_at
    LIMIT p_limit
$$;

-- Contacts of any company who may not be written to any more, or whose stage ends a sequence they are in, since a moment. The
-- scalar sub-selects keep it to what is new: as joins they would be planned over whole tables.
CREATE FUNCTION contacts_to_stop(p_since timestamptz, p_limit int) RETURNS TABLE (tenant_id uuid, contact_id uuid, why text, words text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT DISTINCT t.tenant_id, found.contact_id, found.why, found.words
    FROM (SELECT DISTINCT s.tenant_id FROM sequences s WHERE s.state IN ('active', 'paused') AND s.deleted_at IS NULL) AS t
    CROSS JOIN LATERAL (
        (SELECT who.contact_id, 'unsubscribe'::text AS why, who.words
         FROM (SELECT u.kind, u.value_lc FROM suppressions u
               WHERE u.tenant_id = t.tenant_id AND u.created_at > p_since AND u.kind IN ('email', 'contact') AND u.channel IN ('all', 'email')
               ORDER BY u.created_at OFFSET 0) AS u
         CROSS JOIN LATERAL (
            (SELECT m.contact_id, m.address || ' is on the suppression list.' AS words FROM contact_emails m
             WHERE u.kind = 'email' AND m.tenant_id = t.tenant_id AND m.address_lc = u.value_lc LIMIT 100)
            UNION ALL
            SELECT u.value_lc::uuid, 'This contact is not to be contacted.' WHERE u.kind = 'contact') AS who
         WHERE (SELECT true FROM enrolments e WHERE e.tenant_id = t.tenant_id AND e.contact_id = who.contact_id
                AND e.state IN ('active', 'paused') LIMIT 1)
         LIMIT p_limit)
        UNION ALL
        (SELECT c.id, 'stage', 'The stage is ' || c.stage || ' now.' FROM contacts c
         WHERE c.tenant_id = t.tenant_id AND c.updated_at > p_since AND c.deleted_at IS NULL
           AND (SELECT true FROM enrolments e JOIN sequences s ON s.tenant_id = e.tenant_id AND s.id = e.sequence_id
                WHERE e.tenant_id = t.tenant_id AND e.contact_id = c.id AND e.state IN ('active', 'paused')
                  AND (s.stop_on -> 'stage' ? c.stage OR s.goal ->> 'stage' = c.stage) LIMIT 1)
         ORDER BY c.updated_at
         LIMIT p_limit)
    ) AS found
    LIMIT p_limit
$$;

-- Paused enrolments of any company whose pause is over.
CREATE FUNCTION enrolments_to_resume(p_now timestamptz, p_limit int) RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT e.tenant_id, e.id FROM enrolments e
    WHERE e.state = 'paused' AND e.resume_at <= p_now
    ORDER BY e.resume_at
    LIMIT p_limit
$$;

-- Sequences of any company whose enrolments changed since they were last counted; a transaction may commit some seconds after
-- the time it wrote.
CREATE FUNCTION sequences_moved(p_margin_s double precision, p_limit int) RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT s.tenant_id, s.id FROM sequences s
    WHERE s.deleted_at IS NULL AND EXISTS (
        SELECT FROM enrolments e WHERE e.tenant_id = s.tenant_id AND e.sequence_id = s.id
          AND e.changed_at > s.counted_at - make_interval(secs => p_margin_s))
    LIMIT p_limit
$$;

SELECT give_to_system(f) FROM unnest(ARRAY[
    'sequences_to_plan(timestamptz,int)', 'enrolments_due(timestamptz,int)', 'step_runs_to_settle(int)', 'contacts_to_stop(timestamptz,int)', 'enrolments_to_resume(timestamptz,int)',
    'sequences_moved(double precision,int)'
]::regprocedure[]) AS f;
