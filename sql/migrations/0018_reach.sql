-- Reaching people by mail and hearing back: templates, what was opened and clicked, who wants no more, what came back.

-- What is written again and again. A template is a whole mail, a snippet a piece that is put in where its shortcut is typed.
-- Nobody's words are lost: each change of the text is a new version, and what is deleted is archived.
CREATE TABLE templates (
    tenant_id       uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id              uuid NOT NULL DEFAULT uuidv7(),
    kind            text NOT NULL DEFAULT 'template' CONSTRAINT templates_kind_known CHECK (kind IN ('template', 'snippet')),
    name            text NOT NULL CONSTRAINT templates_name_length CHECK (length(name) BETWEEN 1 AND 120),
    name_lc         text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
    folder          text NOT NULL DEFAULT '' CONSTRAINT templates_folder_length CHECK (length(folder) <= 120),
    folder_lc       text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(folder)) STORED,
    shortcut        text,
    shortcut_lc     text COLLATE "C" GENERATED ALWAYS AS (lower(shortcut)) STORED,
    shared          boolean NOT NULL DEFAULT false,
    owner_id        uuid,
    current_version int NOT NULL DEFAULT 1,
    version         int NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    archived_at     timestamptz,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT templates_shortcut_of_snippet CHECK (shortcut IS NULL OR kind = 'snippet'),
    FOREIGN KEY (tenant_id, owner_id) REFERENCES members (tenant_id, user_id)
);
CREATE INDEX templates_by_name ON templates (tenant_id, name_lc, id) WHERE archived_at IS NULL;
CREATE UNIQUE INDEX templates_name_taken ON templates
    (tenant_id, kind, (CASE WHEN shared THEN NULL ELSE owner_id END), folder_lc, name_lc) NULLS NOT DISTINCT WHERE archived_at IS NULL;
CREATE UNIQUE INDEX templates_shortcut_taken ON templates
    (tenant_id, (CASE WHEN shared THEN NULL ELSE owner_id END), shortcut_lc) NULLS NOT DISTINCT
    WHERE archived_at IS NULL AND shortcut IS NOT NULL;

CREATE TABLE template_versions (
    tenant_id   uuid NOT NULL,
    template_id uuid NOT NULL,
    version     int NOT NULL,
    subject     text NOT NULL DEFAULT '' CONSTRAINT template_versions_subject_length CHECK (length(subject) <= 1000),
    html        text NOT NULL DEFAULT '' CONSTRAINT template_versions_html_length CHECK (length(html) <= 200000),
    created_by  uuid,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, template_id, version),
    FOREIGN KEY (tenant_id, template_id) REFERENCES templates (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, created_by) REFERENCES members (tenant_id, user_id)
);

-- Which version of which template a mail was written from.
CREATE TABLE template_uses (
    tenant_id   uuid NOT NULL,
    send_id     uuid NOT NULL,
    template_id uuid NOT NULL,
    version     int NOT NULL,
    used_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, send_id),
    FOREIGN KEY (tenant_id, send_id) REFERENCES mail_sends (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, template_id, version) REFERENCES template_versions (tenant_id, template_id, version) ON DELETE CASCADE
);
CREATE INDEX template_uses_of_template ON template_uses (tenant_id, template_id, version);

-- Where opens and clicks are looked for: nowhere at first.
CREATE TABLE tracking_settings (
    tenant_id   uuid PRIMARY KEY REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    opens       boolean NOT NULL DEFAULT false,
    clicks      boolean NOT NULL DEFAULT false,
    off_regions text[] NOT NULL DEFAULT '{}',
    unknown_region text NOT NULL DEFAULT 'on' CONSTRAINT tracking_settings_unknown_region_known CHECK (unknown_region IN ('on', 'off')),
    domain      text NOT NULL DEFAULT '',
    updated_at  timestamptz NOT NULL DEFAULT now()
);

-- A mail that went to one person with something of ours in it: a picture, links, an address to unsubscribe at.
-- Tokens name this row. It outlives the mail itself and its mailbox (so there is no foreign key): the address to unsubscribe at
-- must go on working.
CREATE TABLE tracked_sends (
    tenant_id       uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    send_id         uuid NOT NULL,
    mailbox_id      uuid,
    contact_id      uuid,
    address_lc      text COLLATE "C" NOT NULL,
    opens           boolean NOT NULL DEFAULT false,
    clicks          boolean NOT NULL DEFAULT false,
    reason          text NOT NULL DEFAULT '',
    sent_at         timestamptz NOT NULL DEFAULT now(),
    -- What people did; the numbers behind `bot_` are what scanners and prefetchers did.
    open_count      int NOT NULL DEFAULT 0,
    click_count     int NOT NULL DEFAULT 0,
    bot_open_count  int NOT NULL DEFAULT 0,
    bot_click_count int NOT NULL DEFAULT 0,
    first_opened_at timestamptz,
    last_opened_at  timestamptz,
    first_clicked_at timestamptz,
    last_clicked_at timestamptz,
    replied_at      timestamptz,
    PRIMARY KEY (tenant_id, send_id),
    FOREIGN KEY (tenant_id, contact_id) REFERENCES contacts (tenant_id, id)
);
CREATE INDEX tracked_sends_of_contact ON tracked_sends (tenant_id, contact_id, sent_at);

CREATE TABLE tracked_links (
    tenant_id   uuid NOT NULL,
    send_id     uuid NOT NULL,
    position    int NOT NULL,
    url         text NOT NULL CONSTRAINT tracked_links_url_length CHECK (length(url) <= 4000),
    PRIMARY KEY (tenant_id, send_id, position),
    FOREIGN KEY (tenant_id, send_id) REFERENCES tracked_sends (tenant_id, send_id) ON DELETE CASCADE
);

-- Each time something of ours was fetched. `human` is null until it was judged; then `rule` says why it was not a person, and the
-- network address, which nothing else needs, is forgotten.
CREATE TABLE tracking_hits (
    tenant_id   uuid NOT NULL,
    id          uuid NOT NULL DEFAULT uuidv7(),
    send_id     uuid NOT NULL,
    kind        text NOT NULL CONSTRAINT tracking_hits_kind_known CHECK (kind IN ('open', 'click')),
    position    int,
    at          timestamptz NOT NULL DEFAULT now(),
    method      text NOT NULL,
    agent       text NOT NULL DEFAULT '' CONSTRAINT tracking_hits_agent_length CHECK (length(agent) <= 400),
    address     text,
    human       boolean,
    rule        text,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, send_id) REFERENCES tracked_sends (tenant_id, send_id) ON DELETE CASCADE
);
CREATE INDEX tracking_hits_of_send ON tracking_hits (tenant_id, send_id, at, id);

-- Who said that they want no more mail, how, and whether they took it back.
CREATE TABLE unsubscribes (
    tenant_id   uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id          uuid NOT NULL DEFAULT uuidv7(),
    send_id     uuid,
    contact_id  uuid,
    address_lc  text COLLATE "C" NOT NULL,
    way         text NOT NULL CONSTRAINT unsubscribes_way_known CHECK (way IN ('one_click', 'page', 'reply')),
    words       text NOT NULL DEFAULT '',
    at          timestamptz NOT NULL DEFAULT now(),
    undone_at   timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, send_id) REFERENCES mail_sends (tenant_id, id) ON DELETE SET NULL (send_id),
    FOREIGN KEY (tenant_id, contact_id) REFERENCES contacts (tenant_id, id)
);
CREATE INDEX unsubscribes_newest ON unsubscribes (tenant_id, at, id);
CREATE INDEX unsubscribes_of_send ON unsubscribes (tenant_id, send_id) WHERE send_id IS NOT NULL;
CREATE UNIQUE INDEX unsubscribes_once ON unsubscribes (tenant_id, address_lc) WHERE undone_at IS NULL;

-- Mail that came back, and mail that somebody complained about.
CREATE TABLE mail_bounces (
    tenant_id   uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id          uuid NOT NULL DEFAULT uuidv7(),
    kind        text NOT NULL DEFAULT 'bounce' CONSTRAINT mail_bounces_kind_known CHECK (kind IN ('bounce', 'complaint')),
    mailbox_id  uuid,
    send_id     uuid,
    contact_id  uuid,
    address_lc  text COLLATE "C" NOT NULL,
    permanent   boolean NOT NULL,
    status      text NOT NULL DEFAULT '',
    diagnostic  text NOT NULL DEFAULT '',
    at          timestamptz NOT NULL DEFAULT now(),
    -- Of a conversation that is its mailbox's owner's alone.
    private     boolean NOT NULL DEFAULT false,
    -- It made its mailbox stop; what was sent before is not held against the mailbox again.
    stopped_it  boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, mailbox_id) REFERENCES mailboxes (tenant_id, id) ON DELETE SET NULL (mailbox_id),
    FOREIGN KEY (tenant_id, send_id) REFERENCES mail_sends (tenant_id, id) ON DELETE SET NULL (send_id),
    FOREIGN KEY (tenant_id, contact_id) REFERENCES contacts (tenant_id, id)
);
CREATE INDEX mail_bounces_newest ON mail_bounces (tenant_id, at, id);
CREATE INDEX mail_bounces_of_mailbox ON mail_bounces (tenant_id, mailbox_id, at, id);
CREATE INDEX mail_bounces_that_stopped ON mail_bounces (tenant_id, mailbox_id, at) WHERE stopped_it;
CREATE INDEX mail_bounces_of_address ON mail_bounces (tenant_id, address_lc, at);
CREATE UNIQUE INDEX mail_bounces_once ON mail_bounces (tenant_id, send_id, kind, address_lc) WHERE send_id IS NOT NULL;

SELECT protect_table(t) FROM unnest(ARRAY['templates', 'template_versions', 'template_uses', 'tracking_settings', 'tracked_sends',
    'tracked_links', 'tracking_hits', 'unsubscribes', 'mail_bounces']::regclass[]) AS t;
GRANT SELECT, INSERT, UPDATE ON templates, template_uses, tracking_settings, tracked_sends, tracking_hits, unsubscribes TO ringside_app;
GRANT SELECT, INSERT, UPDATE ON mail_bounces TO ringside_app;
GRANT SELECT, INSERT ON template_versions, tracked_links TO ringside_app;

-- The suppression list takes companies as well (by the name that stands on the contact), and two more ways in which people say it
-- themselves: they unsubscribe, or they complain to their provider.
ALTER TABLE suppressions DROP CONSTRAINT suppressions_kind_known, DROP CONSTRAINT suppressions_source_known;
ALTER TABLE suppressions
    ADD CONSTRAINT suppressions_kind_known CHECK (kind IN ('phone', 'email', 'domain', 'contact', 'company')),
    ADD CONSTRAINT suppressions_source_known
        CHECK (source IN ('person', 'contact', 'stop', 'disposition', 'bounce', 'list', 'unsubscribe', 'complaint'));

-- The sources that are the contact's own word, which nobody overrides.
CREATE FUNCTION own_word(p_source text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT p_source IN ('contact', 'stop', 'unsubscribe', 'complaint')
$$;
GRANT EXECUTE ON FUNCTION own_word(text) TO ringside_app;

-- As it was made in 0010, with companies and the new sources among those not to be reached.
-- Whether this contact may be reached at this address by this channel at this moment, and why. Reads the current company only, writes
-- nothing. Refusals are collected, the gravest first; `overridable` says whether an admin may set all of them aside.
-- In a company that practises, what depends on time and number is only noted in facts.would_refuse.
CREATE OR REPLACE FUNCTION decide_outreach(p_contact_id uuid, p_channel text, p_address text, p_at timestamptz,
    OUT allowed boolean, OUT code text, OUT explanation text, OUT rule_version text, OUT facts jsonb, OUT next_allowed_at timestamptz,
    OUT expires_at timestamptz, OUT overridable boolean)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_tenant uuid := current_setting('ringside.tenant_id')::uuid;
    v_set permit_settings := permit_settings_now();
    v_law record;
    v_word text := CASE p_channel WHEN 'call' THEN 'Calls' WHEN 'sms' THEN 'Texts' ELSE 'Email' END;
    v_codes text[] := '{}';
    v_words text[] := '{}';
    v_soft text[] := '{}';
    v_soft_words text[] := '{}';
    v_never boolean := false;
    v_sup record;
    v_consent text;
    v_zones text[];
    v_opens int[];
    v_closes int[];
    v_open_rules text[];
    v_close_rules text[];
    v_quiet date[] := '{}';
    v_holidays date[] := '{}';
    v_shut date[] := '{}';
    v_open_at timestamptz;
    v_closes_at timestamptz;
    v_zone text;
    v_wall timestamp;
    v_weekday int;
    v_minute int;
    v_calls timestamptz[];
    v_caps int[];
    v_cap_hours int[];
    v_cap_rules text[];
    v_free_at timestamptz := p_at;
    v_said text;
BEGIN
    rule_version := outreach_rule_version();

    -- Whom not to reach at all.
    SELECT s.id, s.kind, s.reason, s.source INTO v_sup
    FROM unnest(ARRAY['contact', CASE WHEN p_channel = 'email' THEN 'email' ELSE 'phone' END, 'domain', 'company'],
                ARRAY[p_contact_id::text, lower(p_address), CASE WHEN p_channel = 'email' THEN lower(split_part(p_address, '@', 2)) END,
                      (SELECT trim(c.company_lc) FROM contacts c WHERE c.tenant_id = v_tenant AND c.id = p_contact_id)])
         AS w (kind, value)
    JOIN suppressions s ON s.tenant_id = v_tenant AND s.kind = w.kind AND s.value_lc = w.value
    WHERE s.channel IN ('all', p_channel) AND (s.expires_at IS NULL OR s.expires_at > p_at)
    ORDER BY own_word(s.source) DESC, s.created_at LIMIT 1;
    IF FOUND THEN
        v_never := own_word(v_sup.source);
        v_codes := v_codes || (CASE WHEN v_sup.kind = 'contact' THEN 'do_not_contact' ELSE 'suppressed' END);
        v_words := v_words || (CASE v_sup.kind
            WHEN 'contact' THEN 'This contact is not to be contacted'
            WHEN 'domain' THEN format('Addresses at %s are on the suppression list', lower(split_part(p_address, '@', 2)))
            WHEN 'company' THEN 'The company of this contact is on the suppression list'
            ELSE format('%s is on the suppression list', p_address) END
            || CASE WHEN v_never THEN ', by their own word' ELSE '' END
            || CASE WHEN v_sup.reason <> '' THEN ': ' || v_sup.reason || '.' ELSE '.' END);
    END IF;

    SELECT c.state INTO v_consent FROM consents c
    WHERE c.tenant_id = v_tenant AND c.contact_id = p_contact_id AND c.channel = p_channel;
    IF v_consent = 'denied' THEN
        v_never := true;
        v_codes := v_codes || 'consent_denied'::text;
        v_words := v_words || format('They have said that they do not want %s.', lower(v_word));
    ELSIF v_set.require_consent AND v_consent IS DISTINCT FROM 'granted' THEN
        v_codes := v_codes || 'consent_missing'::text;
        v_words := v_words || format('Your company asks for consent before %s, and there is none on record.', lower(v_word));
    END IF;

    -- An address has no place: the law's row is empty then.
    SELECT * INTO v_law FROM outreach_law(CASE WHEN p_channel = 'email' THEN '' ELSE p_address END, p_channel);
    IF p_channel <> 'email' THEN
        -- The contact's own zones are finer than the prefix's, where the number stands somewhere at all.
        SELECT n.time_zones INTO v_zones FROM contact_phones n
        WHERE n.tenant_id = v_tenant AND n.contact_id = p_contact_id AND n.e164 = p_address ORDER BY n.position LIMIT 1;
        IF cardinality(v_zones) IS NULL OR cardinality(v_zones) = 0 OR NOT coalesce(v_law.geographic, true) THEN
            v_zones := v_law.zones;
        END IF;
    END IF;
    IF p_channel <> 'email' AND cardinality(v_zones) IS NULL THEN
        v_soft := v_soft || 'no_place'::text;
        v_soft_words := v_soft_words || format('Nobody can say where %s is, so there is no telling what time it is there.', p_address);
    ELSIF p_channel <> 'email' THEN
        FOR d IN 1 .. 7 LOOP
            IF NOT coalesce(v_law.ruled, false) THEN
                v_opens[d] := v_set.abroad_start;
                v_closes[d] := CASE WHEN d = ANY (v_set.abroad_days) THEN v_set.abroad_end ELSE 0 END;
                v_open_rules[d] := 'own';
                v_close_rules[d] := 'own';
            ELSE
                v_opens[d] := coalesce(v_law.opens[d], 0);
                v_closes[d] := CASE WHEN v_law.shut_rules[d] IS NULL THEN coalesce(v_law.closes[d], 1440) ELSE 0 END;
                v_open_rules[d] := v_law.open_rules[d];
                v_close_rules[d] := coalesce(v_law.shut_rules[d], v_law.close_rules[d]);
            END IF;
            IF v_set.hours_start > v_opens[d] THEN
                v_opens[d] := v_set.hours_start;
                v_open_rules[d] := 'own';
            END IF;
            IF v_closes[d] > 0 AND v_set.hours_end < v_closes[d] THEN
                v_closes[d] := v_set.hours_end;
                v_close_rules[d] := 'own';
            END IF;
            IF v_closes[d] > 0 AND d <> ALL (v_set.days) THEN
                v_closes[d] := 0;
                v_close_rules[d] := 'own';
            END IF;
        END LOOP;
        SELECT coalesce(array_agg(q.day), '{}') INTO v_quiet FROM quiet_days q
        WHERE q.tenant_id = v_tenant AND q.day BETWEEN (p_at - interval '2 days')::date AND (p_at + interval '34 days')::date;
        IF v_law.holidays IS NOT NULL THEN
            v_holidays := coalesce(outreach_holiday_dates(v_law.holidays, (p_at - interval '2 days')::date, (p_at + interval '34 days')::date), '{}');
        END IF;
        v_shut := v_quiet || v_holidays;
        v_open_at := outreach_opens_at(v_zones, v_opens, v_closes, v_shut, p_at);
        IF v_open_at = p_at THEN
            v_closes_at := outreach_closes_at(v_zones, v_opens, v_closes, p_at);
        ELSE
            -- The first zone that is closed says why.
            FOREACH v_zone IN ARRAY v_zones LOOP
                v_wall := p_at AT TIME ZONE v_zone;
                v_weekday := extract(isodow FROM v_wall);
                v_minute := extract(hour FROM v_wall) * 60 + extract(minute FROM v_wall);
                IF v_wall::date = ANY (v_quiet) THEN
                    SELECT format('Your company keeps %s as a quiet day%s.', to_char(v_wall, 'FMDD FMMonth YYYY'),
                                  CASE WHEN q.name <> '' THEN ' (' || q.name || ')' ELSE '' END) INTO v_said
                    FROM quiet_days q WHERE q.tenant_id = v_tenant AND q.day = v_wall::date;
                    v_soft := v_soft || 'quiet_day'::text;
                ELSIF v_wall::date = ANY (v_holidays) THEN
                    v_said := format('No %s are allowed on holidays where this number is, and %s is one: %s.',
                        lower(v_word), to_char(v_wall, 'FMDay FMDD FMMonth'), outreach_holiday_said(v_law.jurisdictions, v_wall::date));
                    v_soft := v_soft || 'holiday'::text;
                ELSIF v_opens[v_weekday] >= v_closes[v_weekday] THEN
                    v_said := format('It is %s%s, and no %s are allowed on that day (%s).', to_char(v_wall, 'FMDay'), place_said(v_zones, v_zone, p_at),
                        lower(v_word), coalesce(outreach_sources(ARRAY[v_close_rules[v_weekday]]), 'your company''s setting'));
                    v_soft := v_soft || 'closed_day'::text;
                ELSIF v_minute < v_opens[v_weekday] OR v_minute >= v_closes[v_weekday] THEN
                    v_said := format('It is %s. %s to this number are allowed from %s to %s there on that day (%s).',
                        local_times(v_zones, p_at), v_word, minutes_said(v_opens[v_weekday]), minutes_said(v_closes[v_weekday]),
                        coalesce(outreach_sources(ARRAY[CASE WHEN v_minute < v_opens[v_weekday] THEN v_open_rules[v_weekday] ELSE v_close_rules[v_weekday] END]),
                                 'your company''s setting'));
                    v_soft := v_soft || 'outside_hours'::text;
                END IF;
                EXIT WHEN v_said IS NOT NULL;
            END LOOP;
            v_soft_words := v_soft_words || v_said;
        END IF;
    END IF;

    IF p_channel = 'call' THEN
        SELECT coalesce(array_agg(made.created_at ORDER BY made.created_at DESC), '{}') INTO v_calls FROM (
            SELECT k.id, k.created_at FROM calls k
            WHERE k.tenant_id = v_tenant AND k.contact_id = p_contact_id AND k.created_at > p_at - interval '7 days' AND k.created_at <= p_at
              AND k.direction = 'outbound' AND (k.asked_at IS NOT NULL OR k.state = 'queued') AND (k.state <> 'failed' OR k.answered_at IS NOT NULL)
            UNION
            SELECT k.id, k.created_at FROM calls k
            WHERE k.tenant_id = v_tenant AND k.to_number = p_address AND k.created_at > p_at - interval '7 days' AND k.created_at <= p_at
              AND k.direction = 'outbound' AND (k.asked_at IS NOT NULL OR k.state = 'queued') AND (k.state <> 'failed' OR k.answered_at IS NOT NULL)
        ) AS made;
        v_caps := v_law.caps || v_set.calls_per_contact_per_day || v_set.calls_per_contact_per_week;
        v_cap_hours := v_law.cap_hours || 24 || 168;
        v_cap_rules := v_law.cap_rules || 'own'::text || 'own'::text;
        v_said := NULL;
        FOR i IN 1 .. cardinality(v_caps) LOOP
            IF v_calls[v_caps[i]] > p_at - make_interval(hours => v_cap_hours[i])
               AND v_calls[v_caps[i]] + make_interval(hours => v_cap_hours[i]) > v_free_at THEN
                v_free_at := v_calls[v_caps[i]] + make_interval(hours => v_cap_hours[i]);
                v_said := format('They were called %s times within %s, which is the limit (%s).', v_caps[i],
                    CASE WHEN v_cap_hours[i] = 168 THEN '7 days' ELSE v_cap_hours[i] || ' hours' END,
                    coalesce(outreach_sources(ARRAY[v_cap_rules[i]]), 'your company''s setting'));
            END IF;
        END LOOP;
        IF v_said IS NOT NULL THEN
            v_soft := v_soft || 'called_too_often'::text;
            v_soft_words := v_soft_words || v_said;
        END IF;
    END IF;

    IF cardinality(v_codes) = 0 AND p_channel <> 'email' AND cardinality(v_soft) > 0 AND v_zones IS NOT NULL THEN
        next_allowed_at := outreach_opens_at(v_zones, v_opens, v_closes, v_shut, greatest(p_at, v_free_at));
    END IF;
    facts := jsonb_build_object('at', p_at, 'zones', coalesce(to_jsonb(v_zones), '[]'::jsonb),
        'jurisdictions', coalesce(to_jsonb(v_law.jurisdictions), '[]'::jsonb),
        'local', coalesce((SELECT jsonb_object_agg(z, to_char(p_at AT TIME ZONE z, 'YYYY-MM-DD HH24:MI')) FROM unnest(v_zones) AS z), '{}'::jsonb),
        'rules', coalesce((SELECT jsonb_agg(DISTINCT r) FROM unnest(v_open_rules || v_close_rules || v_cap_rules) AS r WHERE r <> 'own'), '[]'::jsonb),
        'consent', coalesce(v_consent, 'unknown'), 'calls_7_days', coalesce(cardinality(v_calls), 0),
        'open_until', v_closes_at, 'practice', v_set.practice,
        'would_refuse', CASE WHEN v_set.practice THEN to_jsonb(v_soft_words) ELSE '[]'::jsonb END);
    IF NOT v_set.practice THEN
        v_codes := v_codes || v_soft;
        v_words := v_words || v_soft_words;
    END IF;
    allowed := cardinality(v_codes) = 0;
    overridable := NOT allowed AND NOT v_never;
    facts := facts || jsonb_build_object('refusals', to_jsonb(v_codes));
    IF NOT allowed THEN
        code := v_codes[1];
        explanation := array_to_string(v_words, ' ') || CASE WHEN next_allowed_at IS NULL THEN ''
            ELSE format(' The next time is %s.', to_char(next_allowed_at AT TIME ZONE v_zones[1], 'FMDay FMDD FMMonth, HH24:MI')
                || place_said(v_zones, v_zones[1], next_allowed_at)) END;
        RETURN;
    END IF;
    next_allowed_at := NULL;
    expires_at := least(p_at + interval '5 minutes', CASE WHEN NOT v_set.practice THEN v_closes_at END);
    IF cardinality(v_soft) > 0 THEN
        code := 'allowed_in_practice';
        explanation := 'Allowed because your company practises, talking to nobody. In earnest it would be refused: ' || array_to_string(v_soft_words, ' ');
    ELSE
        code := 'allowed';
        explanation := CASE WHEN p_channel = 'email' THEN 'Nothing stands against it.'
            ELSE format('It is %s; %s are allowed until %s.', local_times(v_zones, p_at), lower(v_word),
                        to_char(v_closes_at AT TIME ZONE v_zones[1], 'HH24:MI')
                        || CASE WHEN cardinality(v_zones) > 1 THEN place_said(v_zones, v_zones[1], v_closes_at) ELSE '' END) END;
    END IF;
END $$;
