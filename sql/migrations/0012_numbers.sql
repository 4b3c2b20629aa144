-- Teams, the company's telephone numbers and who answers them, text messages.

CREATE TABLE teams (
    tenant_id   uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id          uuid NOT NULL DEFAULT uuidv7(),
    name        text NOT NULL CONSTRAINT teams_name_length CHECK (length(name) BETWEEN 1 AND 80),
    name_lc     text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT teams_name_taken UNIQUE (tenant_id, name_lc)
);

-- position is the order in which a team's members are rung in turn.
CREATE TABLE team_members (
    tenant_id   uuid NOT NULL,
    team_id     uuid NOT NULL,
    user_id     uuid NOT NULL,
    position    int NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, team_id, user_id),
    FOREIGN KEY (tenant_id, team_id) REFERENCES teams (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT team_members_are_members FOREIGN KEY (tenant_id, user_id) REFERENCES members (tenant_id, user_id) ON DELETE CASCADE
);
CREATE INDEX team_members_by_user ON team_members (tenant_id, user_id);

-- A number of the company at the telephone provider. asked_at is the intent: from then on the provider may have been asked.
CREATE TABLE numbers (
    tenant_id   uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id          uuid NOT NULL DEFAULT uuidv7(),
    e164        text COLLATE "C" NOT NULL CONSTRAINT numbers_e164_shape CHECK (e164 ~ '^\+[1-9][0-9]{5,14}$'),
    provider_sid text,
    label       text NOT NULL DEFAULT '',
    state       text NOT NULL DEFAULT 'buying' CONSTRAINT numbers_state_known
                CHECK (state IN ('buying', 'active', 'releasing', 'released', 'failed')),
    error       text,
    country     text NOT NULL DEFAULT '',
    region      text COLLATE "C" NOT NULL DEFAULT '',
    locality    text NOT NULL DEFAULT '',
    area_code   text COLLATE "C" NOT NULL DEFAULT '',
    time_zone   text NOT NULL DEFAULT 'UTC',
    voice       boolean NOT NULL DEFAULT true,
    sms         boolean NOT NULL DEFAULT true,
    user_id     uuid,
    team_id     uuid,
    asked_at    timestamptz,
    created_by  uuid,
    created_at  timestamptz NOT NULL DEFAULT now(),
    released_at timestamptz,
    version     int NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT numbers_assigned_once CHECK (user_id IS NULL OR team_id IS NULL),
    CONSTRAINT numbers_user_is_member FOREIGN KEY (tenant_id, user_id) REFERENCES members (tenant_id, user_id),
    CONSTRAINT numbers_of_team FOREIGN KEY (tenant_id, team_id) REFERENCES teams (tenant_id, id),
    FOREIGN KEY (tenant_id, created_by) REFERENCES members (tenant_id, user_id)
);
CREATE UNIQUE INDEX numbers_taken ON numbers (tenant_id, e164) WHERE state NOT IN ('released', 'failed');
CREATE INDEX numbers_by_e164 ON numbers (tenant_id, e164, id);
CREATE INDEX numbers_by_team ON numbers (tenant_id, team_id) WHERE team_id IS NOT NULL;

-- Who answers a number: by default whom it is assigned to. hours: {"mon": [["09:00", "17:00"]], ...} in the number's own zone; null is always.
CREATE TABLE number_routes (
    tenant_id   uuid NOT NULL,
    number_id   uuid NOT NULL,
    kind        text NOT NULL DEFAULT 'assigned' CONSTRAINT number_routes_kind_known
                CHECK (kind IN ('assigned', 'rep', 'team_in_turn', 'team_at_once', 'voicemail')),
    user_id     uuid,
    team_id     uuid,
    hours       jsonb,
    ring_s      int NOT NULL DEFAULT 20 CONSTRAINT number_routes_ring_s CHECK (ring_s BETWEEN 5 AND 120),
    voicemail   boolean NOT NULL DEFAULT true,
    greeting    text NOT NULL DEFAULT '',
    closed_greeting text NOT NULL DEFAULT '',
    PRIMARY KEY (tenant_id, number_id),
    FOREIGN KEY (tenant_id, number_id) REFERENCES numbers (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT number_routes_user_is_member FOREIGN KEY (tenant_id, user_id) REFERENCES members (tenant_id, user_id),
    CONSTRAINT number_routes_to_team FOREIGN KEY (tenant_id, team_id) REFERENCES teams (tenant_id, id)
);
CREATE INDEX number_routes_by_team ON number_routes (tenant_id, team_id) WHERE team_id IS NOT NULL;

-- Whom an incoming call was rung at, and what came of it.
CREATE TABLE inbound_rings (
    tenant_id   uuid NOT NULL,
    call_id     uuid NOT NULL,
    user_id     uuid NOT NULL,
    address     text NOT NULL,
    rung_at     timestamptz NOT NULL DEFAULT now(),
    until       timestamptz NOT NULL,
    result      text CONSTRAINT inbound_rings_result_known CHECK (result IN ('answered', 'joined', 'missed', 'gone')),
    PRIMARY KEY (tenant_id, call_id, user_id),
    FOREIGN KEY (tenant_id, call_id) REFERENCES calls (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, user_id) REFERENCES members (tenant_id, user_id) ON DELETE CASCADE
);
CREATE INDEX inbound_rings_now ON inbound_rings (tenant_id, user_id) WHERE result IS NULL;

-- What became of an incoming call that nobody took: a message, or nothing but the call.
CREATE TABLE voicemails (
    tenant_id   uuid NOT NULL,
    call_id     uuid NOT NULL,
    recording_sid text,
    duration_s  int,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, call_id),
    FOREIGN KEY (tenant_id, call_id) REFERENCES calls (tenant_id, id) ON DELETE CASCADE
);

-- A text message. send_at is set on one that waits for the contact's morning, held_for says so.
CREATE TABLE messages (
    tenant_id   uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id          uuid NOT NULL DEFAULT uuidv7(),
    contact_id  uuid NOT NULL,
    number_id   uuid,
    direction   text NOT NULL CONSTRAINT messages_direction_known CHECK (direction IN ('outbound', 'inbound')),
    to_number   text NOT NULL,
    from_number text NOT NULL,
    body        text NOT NULL CONSTRAINT messages_body_length CHECK (length(body) <= 10000),
    media       jsonb NOT NULL DEFAULT '[]',
    state       text NOT NULL DEFAULT 'queued' CONSTRAINT messages_state_known CHECK (state IN
                ('scheduled', 'queued', 'sending', 'sent', 'delivered', 'undelivered', 'failed', 'canceled', 'received')),
    automatic   boolean NOT NULL DEFAULT false,
    error_code  int,
    error       text,
    provider_sid text,
    user_id     uuid,
    permit_id   uuid,
    send_at     timestamptz,
    held_for    text,
    asked_at    timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    changed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT messages_sid_taken UNIQUE (tenant_id, provider_sid),
    FOREIGN KEY (tenant_id, contact_id) REFERENCES contacts (tenant_id, id),
    FOREIGN KEY (tenant_id, number_id) REFERENCES numbers (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES members (tenant_id, user_id)
);
CREATE INDEX messages_of_contact ON messages (tenant_id, contact_id, created_at, id);
CREATE INDEX messages_between ON messages (tenant_id, to_number, from_number, created_at);
CREATE INDEX messages_waiting ON messages (tenant_id, to_number) WHERE state IN ('scheduled', 'queued');
CREATE INDEX messages_unsettled ON messages (changed_at) WHERE state IN ('queued', 'sending');

CREATE TABLE message_threads (
    tenant_id   uuid NOT NULL,
    contact_id  uuid NOT NULL,
    last_id     uuid NOT NULL,
    last_at     timestamptz NOT NULL,
    unread      int NOT NULL DEFAULT 0,
    read_at     timestamptz,
    PRIMARY KEY (tenant_id, contact_id),
    FOREIGN KEY (tenant_id, contact_id) REFERENCES contacts (tenant_id, id),
    FOREIGN KEY (tenant_id, last_id) REFERENCES messages (tenant_id, id)
);
CREATE INDEX message_threads_newest ON message_threads (tenant_id, last_at, contact_id);
CREATE INDEX message_threads_unread ON message_threads (tenant_id, last_at, contact_id) WHERE unread > 0;

-- Numbers whose owner texted STOP (until START): one confirmation is sent for each, and nothing else.
CREATE TABLE message_stops (
    tenant_id   uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    e164        text COLLATE "C" NOT NULL,
    stopped_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, e164)
);

SELECT protect_table(t) FROM unnest(ARRAY['teams', 'team_members', 'numbers', 'number_routes', 'inbound_rings', 'voicemails',
                                          'messages', 'message_threads', 'message_stops']::regclass[]) AS t;
GRANT SELECT, INSERT, UPDATE ON numbers, number_routes, inbound_rings, voicemails, messages, message_threads TO ringside_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON teams, team_members TO ringside_app;
GRANT SELECT, INSERT, DELETE ON message_stops TO ringside_app;
GRANT SELECT ON messages, numbers TO ringside_system;
SELECT open_table_to(t, 'ringside_system') FROM unnest(ARRAY['messages', 'numbers']::regclass[]) AS t;

-- One telephone account serves every company of the installation: this says whose each of its numbers is, so that a number
-- found at the provider after a lost answer is never taken for another company's.
CREATE TABLE number_claims (
    e164        text COLLATE "C" PRIMARY KEY,
    tenant_id   uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    claimed_at  timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE number_claims ENABLE ROW LEVEL SECURITY;
ALTER TABLE number_claims FORCE ROW LEVEL SECURITY;
SELECT open_table_to('number_claims', 'ringside_system');
GRANT SELECT, INSERT, DELETE ON number_claims TO ringside_system;

-- Takes a number for the current company; false when it is another's.
CREATE FUNCTION number_claim(p_e164 text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE v_tenant uuid := current_setting('ringside.tenant_id')::uuid;
BEGIN
    INSERT INTO number_claims (e164, tenant_id) VALUES (p_e164, v_tenant) ON CONFLICT DO NOTHING;
    RETURN EXISTS (SELECT FROM number_claims c WHERE c.e164 = p_e164 AND c.tenant_id = v_tenant);
END $$;

-- Gives a number of the current company up.
CREATE FUNCTION number_unclaim(p_e164 text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DELETE FROM number_claims WHERE e164 = p_e164 AND tenant_id = current_setting('ringside.tenant_id')::uuid
$$;

-- Messages of any company that were on their way for longer than they should be, for the worker to ask about.
CREATE FUNCTION messages_unheard(p_silent_s double precision, p_limit int)
RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT m.tenant_id, m.id FROM messages m
    WHERE m.state IN ('queued', 'sending') AND m.changed_at <= now() - make_interval(secs => p_silent_s)
    ORDER BY m.changed_at LIMIT p_limit
$$;

-- The installation's own number belongs to no company: whoever wrote or called last from it is who is answered.
CREATE FUNCTION shared_number_companies(p_shared text, p_other text)
RETURNS TABLE (tenant_id uuid, last_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT t.tenant_id, greatest(
        (SELECT max(m.created_at) FROM messages m
         WHERE m.tenant_id = t.tenant_id AND m.to_number = p_other AND m.from_number = p_shared),
        (SELECT max(c.created_at) FROM calls c
         WHERE c.tenant_id = t.tenant_id AND c.to_number = p_other AND c.from_number IN (p_shared, ''))) AS last_at
    FROM tenants t ORDER BY 2 DESC NULLS LAST LIMIT 50
$$;

SELECT give_to_system(f) FROM unnest(ARRAY[
    'number_claim(text)', 'number_unclaim(text)', 'messages_unheard(double precision,int)', 'shared_number_companies(text,text)'
]::regprocedure[]) AS f;

-- What a call between two numbers is found by.
CREATE INDEX calls_between ON calls (tenant_id, to_number, from_number, created_at);

-- A text message stands in the timeline as itself.
ALTER TABLE activities ADD COLUMN message_id uuid;
ALTER TABLE activities ADD CONSTRAINT activities_one_for_a_message UNIQUE (tenant_id, message_id);
ALTER TABLE activities ADD FOREIGN KEY (tenant_id, message_id) REFERENCES messages (tenant_id, id);
