-- Calls as conferences: everyone who is in one is a leg; reps who dial all day keep a line open; what was done is audited.

-- Nobody has taken an inbound call at first. A rep is held by one call at a time, except by the parallel calls of which
-- only the one that is answered first becomes theirs, and by calls they have handed over to an outside number.
ALTER TABLE calls ALTER COLUMN user_id DROP NOT NULL;
ALTER TABLE calls
    ADD COLUMN line_kind         text CONSTRAINT calls_line_kind_known CHECK (line_kind IN ('softphone', 'bridge', 'simulated')),
    ADD COLUMN conference_sid    text,
    ADD COLUMN answered_by       text,
    ADD COLUMN holds_rep         boolean NOT NULL DEFAULT true,
    ADD COLUMN is_parallel       boolean NOT NULL DEFAULT false,
    ADD COLUMN abandoned_at      timestamptz,
    ADD COLUMN permit_id         uuid,
    ADD COLUMN queue_item_id     uuid,
    ADD COLUMN from_number_id    uuid,
    ADD COLUMN machine_detection text NOT NULL DEFAULT 'off' CONSTRAINT calls_machine_detection_known
                                 CHECK (machine_detection IN ('off', 'detect', 'message_end')),
    ADD COLUMN ring_s            int NOT NULL DEFAULT 25 CONSTRAINT calls_ring_s_range CHECK (ring_s BETWEEN 5 AND 600),
    ADD COLUMN hold_since        timestamptz,
    ADD COLUMN recording_state   text NOT NULL DEFAULT 'off' CONSTRAINT calls_recording_state_known
                                 CHECK (recording_state IN ('off', 'on', 'paused'));
ALTER TABLE calls DROP CONSTRAINT calls_outcome_known;
ALTER TABLE calls ADD CONSTRAINT calls_outcome_known
    CHECK (outcome IN ('connected', 'voicemail', 'busy', 'no_answer', 'failed', 'canceled', 'abandoned'));
DROP INDEX calls_rep_is_busy;
CREATE UNIQUE INDEX calls_rep_is_busy ON calls (tenant_id, user_id)
    WHERE state IN ('queued', 'dialing', 'ringing', 'in_progress') AND holds_rep AND user_id IS NOT NULL;
-- Who calls us may be called by somebody at the same time; the lease keeps that from being two reps.
DROP INDEX calls_contact_is_busy;
CREATE UNIQUE INDEX calls_contact_is_busy ON calls (tenant_id, contact_id)
    WHERE state IN ('queued', 'dialing', 'ringing', 'in_progress') AND direction = 'outbound';
CREATE INDEX calls_of_queue_item ON calls (tenant_id, queue_item_id) WHERE queue_item_id IS NOT NULL;

-- A rep's own way of talking to contacts. Where there is none the installation's first one counts.
CREATE TABLE line_choices (
    tenant_id   uuid NOT NULL,
    user_id     uuid NOT NULL,
    kind        text NOT NULL CONSTRAINT line_choices_kind_known CHECK (kind IN ('softphone', 'bridge', 'simulated')),
    phone_e164  text CONSTRAINT line_choices_phone_form CHECK (phone_e164 ~ '^\+[1-9][0-9]{5,14}$'),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, user_id),
    CONSTRAINT line_choices_bridge_has_phone CHECK (kind <> 'bridge' OR phone_e164 IS NOT NULL),
    FOREIGN KEY (tenant_id, user_id) REFERENCES members (tenant_id, user_id) ON DELETE CASCADE
);

-- A rep's open line: a leg that outlives calls, parked between them.
CREATE TABLE lines (
    tenant_id    uuid NOT NULL,
    id           uuid NOT NULL DEFAULT uuidv7(),
    user_id      uuid NOT NULL,
    kind         text NOT NULL CONSTRAINT lines_kind_known CHECK (kind IN ('softphone', 'bridge', 'simulated')),
    address      text NOT NULL,
    from_number  text NOT NULL,
    state        text NOT NULL DEFAULT 'connecting' CONSTRAINT lines_state_known CHECK (state IN ('connecting', 'open', 'ended')),
    provider_sid text,
    -- The call it is to be in, or none: parked. `moves` counts the changes, so that a late order is noticed and repeated.
    call_id      uuid,
    moves        int NOT NULL DEFAULT 0,
    created_at   timestamptz NOT NULL DEFAULT now(),
    asked_at     timestamptz,
    opened_at    timestamptz,
    ended_at     timestamptz,
    end_asked_at timestamptz,
    checked_at   timestamptz NOT NULL DEFAULT now(),
    error        text,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT lines_sid_taken UNIQUE (tenant_id, provider_sid),
    FOREIGN KEY (tenant_id, user_id) REFERENCES members (tenant_id, user_id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, call_id) REFERENCES calls (tenant_id, id)
);
CREATE UNIQUE INDEX lines_one_for_a_rep ON lines (tenant_id, user_id) WHERE state <> 'ended';
CREATE INDEX lines_in_call ON lines (tenant_id, call_id) WHERE call_id IS NOT NULL;
CREATE INDEX lines_unsettled ON lines (checked_at) WHERE state <> 'ended';

-- Everybody in a call but the contact, whose leg is the call itself.
CREATE TABLE call_legs (
    tenant_id      uuid NOT NULL,
    id             uuid NOT NULL DEFAULT uuidv7(),
    call_id        uuid NOT NULL,
    kind           text NOT NULL CONSTRAINT call_legs_kind_known CHECK (kind IN ('rep', 'supervisor', 'colleague')),
    user_id        uuid,
    line_id        uuid,
    address        text NOT NULL DEFAULT '',
    mode           text CONSTRAINT call_legs_mode_known CHECK (mode IN ('listen', 'whisper', 'barge')),
    state          text NOT NULL DEFAULT 'asked' CONSTRAINT call_legs_state_known
                   CHECK (state IN ('asked', 'ringing', 'joined', 'left', 'failed')),
    provider_sid   text,
    muted          boolean NOT NULL DEFAULT false,
    -- Handing over: what becomes of the call when this leg is in it.
    takes_over     text CONSTRAINT call_legs_takes_over_known CHECK (takes_over IN ('warm', 'cold')),
    ring_s         int NOT NULL DEFAULT 25,
    created_at     timestamptz NOT NULL DEFAULT now(),
    asked_at       timestamptz,
    joined_at      timestamptz,
    left_at        timestamptz,
    leave_asked_at timestamptz,
    checked_at     timestamptz NOT NULL DEFAULT now(),
    changes        int NOT NULL DEFAULT 0,
    error          text,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT call_legs_mode_is_the_supervisors CHECK ((mode IS NOT NULL) = (kind = 'supervisor')),
    FOREIGN KEY (tenant_id, call_id) REFERENCES calls (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, line_id) REFERENCES lines (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES members (tenant_id, user_id)
);
CREATE INDEX call_legs_of_call ON call_legs (tenant_id, call_id);
CREATE INDEX call_legs_of_line ON call_legs (tenant_id, line_id) WHERE line_id IS NOT NULL;
CREATE INDEX call_legs_of_person ON call_legs (tenant_id, user_id) WHERE state IN ('asked', 'ringing', 'joined');
CREATE UNIQUE INDEX call_legs_person_is_in ON call_legs (tenant_id, call_id, user_id)
    WHERE state IN ('asked', 'ringing', 'joined') AND user_id IS NOT NULL;
CREATE UNIQUE INDEX call_legs_phone_is_in ON call_legs (tenant_id, call_id, address)
    WHERE state IN ('asked', 'ringing', 'joined') AND user_id IS NULL;
CREATE INDEX call_legs_unsettled ON call_legs (checked_at) WHERE state IN ('asked', 'ringing', 'joined');

-- Who did what in a call.
CREATE TABLE call_audit (
    tenant_id   uuid NOT NULL,
    id          uuid NOT NULL DEFAULT uuidv7(),
    call_id     uuid NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    actor_id    uuid,
    action      text NOT NULL,
    detail      jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, call_id) REFERENCES calls (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, actor_id) REFERENCES members (tenant_id, user_id)
);
CREATE INDEX call_audit_of_call ON call_audit (tenant_id, call_id, at, id);

-- What a company has settled about its calls; a company without a row has the defaults.
CREATE TABLE voice_settings (
    tenant_id           uuid PRIMARY KEY REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    show_listeners      boolean NOT NULL DEFAULT true,
    wrap_up_s           int NOT NULL DEFAULT 60 CONSTRAINT voice_settings_wrap_up_s CHECK (wrap_up_s BETWEEN 0 AND 3600),
    ring_s              int NOT NULL DEFAULT 25 CONSTRAINT voice_settings_ring_s CHECK (ring_s BETWEEN 15 AND 120),
    recording           text NOT NULL DEFAULT 'off' CONSTRAINT voice_settings_recording CHECK (recording IN ('off', 'always', 'ask')),
    announce_recording  text NOT NULL DEFAULT 'by_jurisdiction' CONSTRAINT voice_settings_announce
                        CHECK (announce_recording IN ('never', 'by_jurisdiction', 'always')),
    announcement        text NOT NULL DEFAULT 'This call may be recorded.',
    machine_detection   boolean NOT NULL DEFAULT false,
    recording_keep_days int NOT NULL DEFAULT 90 CONSTRAINT voice_settings_keep_days CHECK (recording_keep_days BETWEEN 1 AND 3650),
    updated_at          timestamptz NOT NULL DEFAULT now()
);

SELECT protect_table(t) FROM unnest(ARRAY['line_choices', 'lines', 'call_legs', 'call_audit', 'voice_settings']::regclass[]) AS t;
GRANT SELECT, INSERT, UPDATE ON line_choices, lines, call_legs, voice_settings TO ringside_app;
GRANT SELECT, INSERT ON call_audit TO ringside_app;
GRANT SELECT ON lines, call_legs TO ringside_system;
SELECT open_table_to(t, 'ringside_system') FROM unnest(ARRAY['lines', 'call_legs']::regclass[]) AS t;

-- Legs and lines of any tenant that have not been heard of for a while, and legs whose call is over, for the reaper.
CREATE FUNCTION legs_unheard(p_silent_s double precision, p_limit int)
RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT l.tenant_id, l.id FROM call_legs l
    WHERE l.state IN ('asked', 'ringing', 'joined') AND l.checked_at <= now() - make_interval(secs => p_silent_s)
    ORDER BY l.checked_at LIMIT p_limit
$$;
CREATE FUNCTION lines_unheard(p_silent_s double precision, p_limit int)
RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT l.tenant_id, l.id FROM lines l
    WHERE l.state <> 'ended' AND l.checked_at <= now() - make_interval(secs => p_silent_s)
    ORDER BY l.checked_at LIMIT p_limit
$$;
SELECT give_to_system(f) FROM unnest(ARRAY[
    'legs_unheard(double precision,int)', 'lines_unheard(double precision,int)'
]::regprocedure[]) AS f;
