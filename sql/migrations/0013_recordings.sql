-- Recordings of calls, what was said in them, and the messages that reps leave on answering machines.

-- One stretch of recording; a call that is recorded again after it was switched off has several. `wanted` is what the rep
-- or the company asked for, `state` how far that is. What was said to the contact about it stays with the recording.
CREATE TABLE recordings (
    tenant_id       uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id              uuid NOT NULL DEFAULT uuidv7(),
    call_id         uuid NOT NULL,
    contact_id      uuid NOT NULL,
    user_id         uuid,
    kind            text NOT NULL DEFAULT 'call' CONSTRAINT recordings_kind_known CHECK (kind IN ('call', 'voicemail')),
    state           text NOT NULL DEFAULT 'starting' CONSTRAINT recordings_state_known
                    CHECK (state IN ('starting', 'recording', 'paused', 'fetching', 'stored', 'failed', 'deleted')),
    wanted          text NOT NULL DEFAULT 'on' CONSTRAINT recordings_wanted_known CHECK (wanted IN ('on', 'paused', 'off')),
    provider_sid    text,
    rule            text NOT NULL DEFAULT 'one_party' CONSTRAINT recordings_rule_known CHECK (rule IN ('one_party', 'all_party')),
    places          text[] NOT NULL DEFAULT '{}',
    announcement    text,
    announced_at    timestamptz,
    asked_at        timestamptz,
    started_at      timestamptz,
    duration_s      int,
    channels        int,
    object_key      text,
    bytes           bigint,
    error           text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    stored_at       timestamptz,
    checked_at      timestamptz NOT NULL DEFAULT now(),
    -- The transcription under way, and why there is none.
    spoken_sid      text,
    spoken_error    text,
    keep_until      timestamptz,
    deleted_at      timestamptz,
    deleted_by      uuid,
    delete_reason   text CONSTRAINT recordings_delete_reason_known CHECK (delete_reason IN ('asked', 'retention')),
    -- When the provider had nothing of it any more, and when nothing was left in our own store.
    provider_gone_at timestamptz,
    object_gone_at  timestamptz,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT recordings_sid_taken UNIQUE (tenant_id, provider_sid),
    CONSTRAINT recordings_stored_whole CHECK (state <> 'stored' OR (object_key IS NOT NULL AND bytes IS NOT NULL)),
    FOREIGN KEY (tenant_id, call_id) REFERENCES calls (tenant_id, id),
    FOREIGN KEY (tenant_id, contact_id) REFERENCES contacts (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES members (tenant_id, user_id),
    FOREIGN KEY (tenant_id, deleted_by) REFERENCES members (tenant_id, user_id)
);
CREATE UNIQUE INDEX recordings_under_way ON recordings (tenant_id, call_id) WHERE state IN ('starting', 'recording', 'paused');
CREATE INDEX recordings_newest ON recordings (tenant_id, created_at, id);
CREATE INDEX recordings_of_call ON recordings (tenant_id, call_id, created_at, id);
CREATE INDEX recordings_of_contact ON recordings (tenant_id, contact_id, created_at, id);
CREATE INDEX recordings_of_user ON recordings (tenant_id, user_id, created_at, id);
CREATE INDEX recordings_expiring ON recordings (keep_until) WHERE state IN ('stored', 'failed');
CREATE INDEX recordings_unsettled ON recordings (checked_at) WHERE state IN ('starting', 'recording', 'paused', 'fetching');

ALTER TABLE voice_settings ADD COLUMN transcribe_calls boolean NOT NULL DEFAULT false;

-- What is being said, piece by piece, as it comes; a recording that was paused has several transcriptions after each other.
CREATE TABLE spoken_pieces (
    tenant_id    uuid NOT NULL,
    recording_id uuid NOT NULL,
    sid          text NOT NULL,
    sequence     int NOT NULL,
    speaker      text CONSTRAINT spoken_pieces_speaker_known CHECK (speaker IN ('leg', 'others')),
    text         text NOT NULL,
    heard_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, recording_id, sid, sequence),
    FOREIGN KEY (tenant_id, recording_id) REFERENCES recordings (tenant_id, id) ON DELETE CASCADE
);

-- What was said. Whose it is and when is repeated, so that the search reads one table in its order.
CREATE TABLE transcripts (
    tenant_id    uuid NOT NULL,
    recording_id uuid NOT NULL,
    user_id      uuid,
    contact_id   uuid NOT NULL,
    at           timestamptz NOT NULL,
    text         text NOT NULL CONSTRAINT transcripts_text_length CHECK (length(text) <= 400000),
    words        tsvector NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, recording_id),
    FOREIGN KEY (tenant_id, recording_id) REFERENCES recordings (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX transcripts_words ON transcripts USING gin (tenant_id, words);
CREATE INDEX transcripts_newest ON transcripts (tenant_id, at, recording_id);
CREATE INDEX transcripts_of_user ON transcripts (tenant_id, user_id, at, recording_id);
CREATE INDEX transcripts_of_contact ON transcripts (tenant_id, contact_id, at, recording_id);

-- Messages to leave on answering machines; those of nobody are everybody's. Deleted ones stay as rows: calls refer to them.
CREATE TABLE voicemail_drops (
    tenant_id    uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id           uuid NOT NULL DEFAULT uuidv7(),
    user_id      uuid,
    name         text NOT NULL CONSTRAINT voicemail_drops_name_length CHECK (length(name) BETWEEN 1 AND 80),
    name_lc      text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
    object_key   text NOT NULL,
    content_type text NOT NULL CONSTRAINT voicemail_drops_content_type_known CHECK (content_type IN ('audio/wav', 'audio/mpeg')),
    bytes        bigint NOT NULL,
    duration_ms  int NOT NULL,
    created_by   uuid,
    created_at   timestamptz NOT NULL DEFAULT now(),
    deleted_at   timestamptz,
    deleted_by   uuid,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES members (tenant_id, user_id),
    FOREIGN KEY (tenant_id, created_by) REFERENCES members (tenant_id, user_id),
    FOREIGN KEY (tenant_id, deleted_by) REFERENCES members (tenant_id, user_id)
);
CREATE UNIQUE INDEX voicemail_drops_name_taken ON voicemail_drops
    (tenant_id, coalesce(user_id, '00000000-0000-0000-0000-000000000000'), name_lc) WHERE deleted_at IS NULL;

-- A message being left: the rep has gone, the contact's leg hears it and then the call ends.
CREATE TABLE call_drops (
    tenant_id   uuid NOT NULL,
    call_id     uuid NOT NULL,
    drop_id     uuid NOT NULL,
    user_id     uuid,
    asked_at    timestamptz NOT NULL DEFAULT now(),
    played_at   timestamptz,
    error       text,
    PRIMARY KEY (tenant_id, call_id),
    FOREIGN KEY (tenant_id, call_id) REFERENCES calls (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, drop_id) REFERENCES voicemail_drops (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES members (tenant_id, user_id)
);

SELECT protect_table(t) FROM unnest(ARRAY['recordings', 'spoken_pieces', 'transcripts', 'voicemail_drops', 'call_drops']::regclass[]) AS t;
GRANT SELECT, INSERT, UPDATE ON recordings, voicemail_drops, call_drops TO ringside_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON transcripts TO ringside_app;
GRANT SELECT, INSERT, DELETE ON spoken_pieces TO ringside_app;
GRANT SELECT ON recordings TO ringside_system;
GRANT SELECT ON transcripts TO ringside_search;
SELECT open_table_to('recordings', 'ringside_system'), open_table_to('transcripts', 'ringside_search');

-- Recordings of any tenant whose time is over.
CREATE FUNCTION recordings_expired(p_limit int)
RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT r.tenant_id, r.id FROM recordings r
    WHERE r.state IN ('stored', 'failed') AND r.keep_until <= now()
    ORDER BY r.keep_until LIMIT p_limit
$$;

-- Recordings of any tenant that nothing was heard of for a while although their call is over.
CREATE FUNCTION recordings_unheard(p_silent_s double precision, p_limit int)
RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT r.tenant_id, r.id FROM recordings r
    WHERE r.state IN ('starting', 'recording', 'paused', 'fetching')
      AND r.checked_at <= now() - make_interval(secs => p_silent_s)
      AND EXISTS (SELECT FROM calls c WHERE c.tenant_id = r.tenant_id AND c.id = r.call_id
                  AND c.ended_at <= now() - make_interval(secs => p_silent_s))
    ORDER BY r.checked_at LIMIT p_limit
$$;
SELECT give_to_system(f) FROM unnest(ARRAY[
    'recordings_expired(int)', 'recordings_unheard(double precision,int)'
]::regprocedure[]) AS f;

-- What was typed, as a query: every word has to be there, the last letters of a word may be left out; what stands in quotes
-- has to be said in that order. NULL when there is no word in it.
CREATE FUNCTION transcript_query(p_query text) RETURNS tsquery
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    v_folded text := search_fold(left(p_query, 200));
    v_words text[];
    v_glue text := CASE WHEN v_folded ~ '^".*"$' THEN ' <-> ' ELSE ' & ' END;
BEGIN
    SELECT array_agg(w) INTO v_words FROM (
        SELECT w FROM regexp_split_to_table(v_folded, '[^[:alnum:]]+') WITH ORDINALITY AS split (w, n)
        WHERE w <> '' ORDER BY n LIMIT 12) AS first;
    IF v_words IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN to_tsquery('simple', array_to_string(
        CASE WHEN v_glue = ' & ' THEN (SELECT array_agg(w || ':*') FROM unnest(v_words) AS w) ELSE v_words END, v_glue));
END $$;
REVOKE ALL ON FUNCTION transcript_query(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION transcript_query(text) TO ringside_app, ringside_search;

-- The first step of the search: of the newest few hundred, those in which it was said. Words that are often said are found here,
-- in the order of the index; what the planner believes of the number of rows would have it sort them all instead.
CREATE FUNCTION search_newest_transcripts(
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
        || ' ORDER BY t.at DESC, t.recording_id DESC LIMIT 300) AS n'
        ' WHERE n.words @@ $2 ORDER BY n.at DESC, n.recording_id DESC LIMIT $7'
        USING current_setting('ringside.tenant_id')::uuid, p_query, p_user, p_contact, p_after, p_after_id, p_limit;
END $$;
SELECT give_function_to('search_newest_transcripts(tsquery,uuid,uuid,timestamptz,uuid,int)', 'ringside_search');

-- Ids of the current tenant's recordings in which this was said, newest first: of one person or contact only if that is given,
-- and after a place in the list. `@@` may leak and so finds no index under row-level security; here the tenant is fixed and
-- only ids leave. What is not said often enough to be found among the newest is looked up by its words; the other conditions
-- are put so that no index serves them.
CREATE FUNCTION search_transcripts(
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
        || ' ORDER BY t.at DESC, t.recording_id DESC LIMIT $7'
        USING v_tenant, v_query, p_user, p_contact, p_after, p_after_id, v_limit;
END $$;
SELECT give_function_to('search_transcripts(text,uuid,uuid,timestamptz,uuid,int)', 'ringside_search');
