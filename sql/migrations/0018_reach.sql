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
