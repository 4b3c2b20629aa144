-- Presence: who is on the floor, on a call, in wrap-up. A person is there while a hub process holds a socket of theirs,
-- and a hub process is alive while it renews its lease.

-- Hub processes. No tenant's table: the app role reaches it through the functions below only.
CREATE TABLE hubs (
    hub_id      uuid PRIMARY KEY,
    name        text NOT NULL DEFAULT '',
    started_at  timestamptz NOT NULL DEFAULT now(),
    lease_until timestamptz NOT NULL,
    stopped_at  timestamptz
);
ALTER TABLE hubs ENABLE ROW LEVEL SECURITY;
ALTER TABLE hubs FORCE ROW LEVEL SECURITY;
SELECT open_table_to('hubs', 'ringside_system');
GRANT SELECT, INSERT, UPDATE, DELETE ON hubs TO ringside_system;

CREATE TABLE presence (
    tenant_id   uuid NOT NULL,
    user_id     uuid NOT NULL,
    state       text NOT NULL DEFAULT 'offline' CONSTRAINT presence_state_known
                CHECK (state IN ('offline', 'online', 'away', 'on_call', 'wrap_up')),
    since       timestamptz NOT NULL DEFAULT now(),
    call_id     uuid,
    reason      text,
    PRIMARY KEY (tenant_id, user_id),
    CONSTRAINT presence_call_fits_state CHECK ((call_id IS NOT NULL) = (state IN ('on_call', 'wrap_up'))),
    FOREIGN KEY (tenant_id, user_id) REFERENCES members (tenant_id, user_id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, call_id) REFERENCES calls (tenant_id, id)
);
CREATE INDEX presence_not_offline ON presence (since) WHERE state <> 'offline';

-- Which hub processes hold at least one socket of a person.
CREATE TABLE presence_sockets (
    tenant_id   uuid NOT NULL,
    user_id     uuid NOT NULL,
    hub_id      uuid NOT NULL,
    since       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, user_id, hub_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES members (tenant_id, user_id) ON DELETE CASCADE
);
CREATE INDEX presence_sockets_by_hub ON presence_sockets (hub_id);

SELECT protect_table(t) FROM unnest(ARRAY['presence', 'presence_sockets']::regclass[]) AS t;
GRANT SELECT, INSERT, UPDATE ON presence TO ringside_app;
GRANT SELECT, INSERT, DELETE ON presence_sockets TO ringside_app;
GRANT SELECT ON presence, presence_sockets TO ringside_system;
SELECT open_table_to(t, 'ringside_system') FROM unnest(ARRAY['presence', 'presence_sockets']::regclass[]) AS t;

-- Renews a process's lease. False when the lease had run out (or never was): the process must say again who is with it.
CREATE FUNCTION hub_beat(p_hub uuid, p_name text, p_lease_s double precision) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    -- Not FOR UPDATE: this is read after the row was written, and a lock would find only what is newer than its snapshot.
    WITH before AS (SELECT h.lease_until FROM hubs h WHERE h.hub_id = p_hub),
    beat AS (
        INSERT INTO hubs AS h (hub_id, name, lease_until)
        VALUES (p_hub, p_name, clock_timestamp() + make_interval(secs => p_lease_s))
        ON CONFLICT (hub_id) DO UPDATE SET lease_until = excluded.lease_until, stopped_at = NULL
        RETURNING 1
    )
    SELECT coalesce((SELECT b.lease_until > clock_timestamp() FROM before b), false) FROM beat
$$;

-- A process that stops in order: whoever was with it has a moment to come back to another one.
CREATE FUNCTION hub_stop(p_hub uuid, p_grace_s double precision) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    UPDATE hubs SET stopped_at = clock_timestamp(), lease_until = clock_timestamp() + make_interval(secs => p_grace_s)
    WHERE hub_id = p_hub
$$;

-- How a process stands: alive, stopped (in order) or lost.
CREATE FUNCTION hub_standing(p_hub uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce((
        SELECT CASE WHEN h.lease_until > clock_timestamp() THEN 'alive' WHEN h.stopped_at IS NOT NULL THEN 'stopped' ELSE 'lost' END
        FROM hubs h WHERE h.hub_id = p_hub), 'lost')
$$;

-- People of any company whose presence cannot be right: with a hub that is gone, there without a socket, or on a call that is over.
CREATE FUNCTION presence_stuck(p_silent_s double precision, p_limit int)
RETURNS TABLE (tenant_id uuid, user_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT s.tenant_id, s.user_id FROM presence_sockets s
    WHERE NOT EXISTS (SELECT FROM hubs h WHERE h.hub_id = s.hub_id AND h.lease_until > clock_timestamp())
    UNION
    SELECT p.tenant_id, p.user_id FROM presence p
    WHERE p.state <> 'offline' AND p.state <> 'on_call' AND p.since < now() - make_interval(secs => p_silent_s)
      AND NOT EXISTS (SELECT FROM presence_sockets s WHERE s.tenant_id = p.tenant_id AND s.user_id = p.user_id)
    UNION
    SELECT p.tenant_id, p.user_id FROM presence p
    WHERE p.state = 'on_call'
      AND NOT EXISTS (SELECT FROM calls c WHERE c.tenant_id = p.tenant_id AND c.id = p.call_id
                      AND c.state IN ('queued', 'dialing', 'ringing', 'in_progress'))
    LIMIT p_limit
$$;

-- Forgets the processes that are gone and whose people have been seen to.
CREATE FUNCTION hubs_forget() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DELETE FROM hubs h WHERE h.lease_until < clock_timestamp() - interval '1 hour'
      AND NOT EXISTS (SELECT FROM presence_sockets s WHERE s.hub_id = h.hub_id)
$$;

SELECT give_to_system(f) FROM unnest(ARRAY[
    'hub_beat(uuid,text,double precision)', 'hub_stop(uuid,double precision)', 'hub_standing(uuid)',
    'presence_stuck(double precision,int)', 'hubs_forget()'
]::regprocedure[]) AS f;
