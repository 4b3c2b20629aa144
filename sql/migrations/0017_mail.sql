-- Mail: threads, messages, and what we send. Who sees it follows from its mailbox and from what is private in it.

-- The same conversation in two mailboxes is two threads. `subject_key` is the subject without Re: and its like, for threads
-- at providers that know none. `participants` are those who wrote or were written to, without the mailbox itself. Somebody who writes an answer where there
-- is no contact to hold a lease on is `writer_id`.
CREATE TABLE mail_threads (
    tenant_id       uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id              uuid NOT NULL DEFAULT uuidv7(),
    mailbox_id      uuid NOT NULL,
    subject         text NOT NULL DEFAULT '',
    subject_key     text COLLATE "C" NOT NULL DEFAULT '',
    snippet         text NOT NULL DEFAULT '',
    participants    jsonb NOT NULL DEFAULT '[]',
    last_at         timestamptz NOT NULL,
    last_inbound_at timestamptz,
    last_outbound_at timestamptz,
    last_direction  text NOT NULL DEFAULT 'inbound' CONSTRAINT mail_threads_direction_known CHECK (last_direction IN ('inbound', 'outbound')),
    messages        int NOT NULL DEFAULT 0,
    unread          int NOT NULL DEFAULT 0,
    state           text NOT NULL DEFAULT 'open' CONSTRAINT mail_threads_state_known CHECK (state IN ('open', 'done', 'snoozed')),
    assignee_id     uuid,
    snoozed_until   timestamptz,
    contact_id      uuid,
    private         boolean NOT NULL DEFAULT false,
    writer_id       uuid,
    writing_until   timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    version         int NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT mail_threads_snoozed_until CHECK ((state = 'snoozed') = (snoozed_until IS NOT NULL)),
    FOREIGN KEY (tenant_id, mailbox_id) REFERENCES mailboxes (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, contact_id) REFERENCES contacts (tenant_id, id),
    CONSTRAINT mail_threads_assignee_is_member FOREIGN KEY (tenant_id, assignee_id) REFERENCES members (tenant_id, user_id),
    FOREIGN KEY (tenant_id, writer_id) REFERENCES members (tenant_id, user_id)
);
CREATE INDEX mail_threads_by_subject ON mail_threads (tenant_id, mailbox_id, subject_key, last_at) WHERE subject_key <> '';
CREATE INDEX mail_threads_newest ON mail_threads (tenant_id, mailbox_id, last_at, id) INCLUDE (private) WHERE messages > 0;
CREATE INDEX mail_threads_inbox ON mail_threads (tenant_id, mailbox_id, last_at, id) INCLUDE (private)
    WHERE messages > 0 AND state = 'open' AND last_inbound_at IS NOT NULL;
CREATE INDEX mail_threads_unassigned ON mail_threads (tenant_id, mailbox_id, last_at, id) INCLUDE (private)
    WHERE messages > 0 AND state = 'open' AND last_inbound_at IS NOT NULL AND assignee_id IS NULL;
CREATE INDEX mail_threads_assigned ON mail_threads (tenant_id, mailbox_id, assignee_id, last_at, id) INCLUDE (private)
    WHERE messages > 0 AND state = 'open' AND assignee_id IS NOT NULL;
CREATE INDEX mail_threads_unread ON mail_threads (tenant_id, mailbox_id, last_at, id) INCLUDE (private) WHERE messages > 0 AND unread > 0;
CREATE INDEX mail_threads_snoozed ON mail_threads (tenant_id, mailbox_id, last_at, id) INCLUDE (private) WHERE messages > 0 AND state = 'snoozed';
CREATE INDEX mail_threads_done ON mail_threads (tenant_id, mailbox_id, last_at, id) INCLUDE (private) WHERE messages > 0 AND state = 'done';
CREATE INDEX mail_threads_sent ON mail_threads (tenant_id, mailbox_id, last_at, id) INCLUDE (private) WHERE messages > 0 AND last_outbound_at IS NOT NULL;
CREATE INDEX mail_threads_waking ON mail_threads (snoozed_until) WHERE state = 'snoozed';

-- What we send, from the draft on. `message_id` is ours (a provider may give the message another); `asked_at` is the intent:
-- from then on the provider may have it, and nobody sends it again without having looked. `look_at` is when the sweep looks
-- after one that nobody seems to see to; what is `held` waits for its mailbox. `follows_send_id`: it goes on in the thread of that one.
CREATE TABLE mail_sends (
    tenant_id       uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id              uuid NOT NULL DEFAULT uuidv7(),
    mailbox_id      uuid NOT NULL,
    user_id         uuid,
    contact_id      uuid,
    thread_id       uuid,
    reply_to_message_id uuid,
    follows_send_id uuid,
    state           text NOT NULL CONSTRAINT mail_sends_state_known
                    CHECK (state IN ('draft', 'scheduled', 'queued', 'sending', 'sent', 'failed', 'canceled', 'unsure')),
    source          text NOT NULL DEFAULT 'composer' CONSTRAINT mail_sends_source_known CHECK (source IN ('composer', 'sequence', 'meeting', 'system')),
    recipients_to   jsonb NOT NULL DEFAULT '[]',
    recipients_cc   jsonb NOT NULL DEFAULT '[]',
    recipients_bcc  jsonb NOT NULL DEFAULT '[]',
    subject         text NOT NULL DEFAULT '' CONSTRAINT mail_sends_subject_length CHECK (length(subject) <= 1000),
    html            text NOT NULL DEFAULT '',
    body_text       text NOT NULL DEFAULT '',
    headers         jsonb NOT NULL DEFAULT '{}',
    invitation      text,
    attachments     jsonb NOT NULL DEFAULT '[]',
    send_at         timestamptz,
    undo_until      timestamptz,
    message_id      text COLLATE "C" NOT NULL,
    message_id_lc   text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(message_id)) STORED,
    asked_at        timestamptz,
    provider_id     text,
    permit_id       uuid,
    error           text,
    -- Why it is not wanted any more, said while it was on its way: if it turns out that it was not sent, it is not sent again.
    unwanted        text,
    step_run_id     uuid,
    provider_draft_id text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    changed_at      timestamptz NOT NULL DEFAULT now(),
    look_at         timestamptz NOT NULL DEFAULT now() + interval '1 minute',
    held            boolean NOT NULL DEFAULT false,
    sent_at         timestamptz,
    version         int NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT mail_sends_message_id_taken UNIQUE (tenant_id, message_id_lc),
    CONSTRAINT mail_sends_one_for_a_step UNIQUE (tenant_id, step_run_id),
    CONSTRAINT mail_sends_scheduled_has_time CHECK (state <> 'scheduled' OR send_at IS NOT NULL),
    FOREIGN KEY (tenant_id, mailbox_id) REFERENCES mailboxes (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, user_id) REFERENCES members (tenant_id, user_id),
    FOREIGN KEY (tenant_id, contact_id) REFERENCES contacts (tenant_id, id),
    FOREIGN KEY (tenant_id, thread_id) REFERENCES mail_threads (tenant_id, id) ON DELETE SET NULL (thread_id),
    FOREIGN KEY (tenant_id, follows_send_id) REFERENCES mail_sends (tenant_id, id) ON DELETE SET NULL (follows_send_id)
);
CREATE INDEX mail_sends_of_user ON mail_sends (tenant_id, user_id, state, created_at, id);
CREATE INDEX mail_sends_of_mailbox ON mail_sends (tenant_id, mailbox_id, sent_at) WHERE state = 'sent';
CREATE INDEX mail_sends_of_contact ON mail_sends (tenant_id, contact_id, created_at, id);
CREATE INDEX mail_sends_of_thread ON mail_sends (tenant_id, thread_id) WHERE thread_id IS NOT NULL;
CREATE INDEX mail_sends_follow ON mail_sends (tenant_id, follows_send_id) WHERE follows_send_id IS NOT NULL;
CREATE INDEX mail_sends_due ON mail_sends (send_at) WHERE state = 'scheduled';
CREATE INDEX mail_sends_unsettled ON mail_sends (look_at) WHERE state IN ('queued', 'sending');
CREATE INDEX mail_sends_held ON mail_sends (tenant_id, mailbox_id) WHERE held;

-- Messages as they came or went. The provider may divide a thread of ours into several of its own. `new_html` and `quoted_html` are clean; the original is the file `object_key`.
CREATE TABLE mail_messages (
    tenant_id       uuid NOT NULL,
    id              uuid NOT NULL DEFAULT uuidv7(),
    mailbox_id      uuid NOT NULL,
    thread_id       uuid NOT NULL,
    provider_id     text COLLATE "C",
    provider_thread_id text COLLATE "C" NOT NULL DEFAULT '',
    message_id      text NOT NULL DEFAULT '',
    message_id_lc   text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(message_id)) STORED,
    in_reply_to     text NOT NULL DEFAULT '',
    refs            text[] NOT NULL DEFAULT '{}',
    direction       text NOT NULL CONSTRAINT mail_messages_direction_known CHECK (direction IN ('inbound', 'outbound')),
    from_name       text NOT NULL DEFAULT '',
    from_address    text NOT NULL DEFAULT '',
    from_address_lc text COLLATE "C" NOT NULL GENERATED ALWAYS AS (lower(from_address)) STORED,
    recipients      jsonb NOT NULL DEFAULT '{}',
    subject         text NOT NULL DEFAULT '',
    sent_at         timestamptz NOT NULL,
    received_at     timestamptz NOT NULL,
    body_text       text NOT NULL DEFAULT '',
    new_text        text NOT NULL DEFAULT '',
    new_html        text,
    quoted_html     text,
    snippet         text NOT NULL DEFAULT '',
    kind            text NOT NULL DEFAULT 'human' CONSTRAINT mail_messages_kind_known
                    CHECK (kind IN ('human', 'auto_reply', 'out_of_office', 'bounce', 'complaint', 'calendar', 'bulk')),
    labels          text[] NOT NULL DEFAULT '{}',
    is_read         boolean NOT NULL DEFAULT true,
    private         boolean NOT NULL DEFAULT false,
    -- In the provider's trash or spam, or gone from there.
    trashed         boolean NOT NULL DEFAULT false,
    object_key      text,
    size            bigint NOT NULL DEFAULT 0,
    has_remote_images boolean NOT NULL DEFAULT false,
    send_id         uuid,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, mailbox_id) REFERENCES mailboxes (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, thread_id) REFERENCES mail_threads (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, send_id) REFERENCES mail_sends (tenant_id, id)
);
CREATE UNIQUE INDEX mail_messages_message_id_taken ON mail_messages (tenant_id, mailbox_id, message_id_lc) WHERE message_id_lc <> '';
CREATE UNIQUE INDEX mail_messages_one_for_a_send ON mail_messages (tenant_id, send_id) WHERE send_id IS NOT NULL;
CREATE INDEX mail_messages_of_provider ON mail_messages (tenant_id, mailbox_id, provider_id);
CREATE INDEX mail_messages_of_provider_thread ON mail_messages (tenant_id, mailbox_id, provider_thread_id) WHERE provider_thread_id <> '';
CREATE INDEX mail_messages_by_message_id ON mail_messages (tenant_id, message_id_lc);
CREATE INDEX mail_messages_of_thread ON mail_messages (tenant_id, thread_id, sent_at, id);
CREATE INDEX mail_messages_of_mailbox ON mail_messages (tenant_id, mailbox_id, id);
ALTER TABLE mail_sends ADD FOREIGN KEY (tenant_id, reply_to_message_id) REFERENCES mail_messages (tenant_id, id) ON DELETE SET NULL (reply_to_message_id);

-- Each place where the provider keeps a message: a mail to oneself lies in two folders, one that was moved has a new id.
CREATE TABLE mail_copies (
    tenant_id   uuid NOT NULL,
    mailbox_id  uuid NOT NULL,
    provider_id text COLLATE "C" NOT NULL,
    message_id  uuid NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, mailbox_id, provider_id),
    FOREIGN KEY (tenant_id, message_id) REFERENCES mail_messages (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX mail_copies_of_message ON mail_copies (tenant_id, message_id);

-- Whose contacts a message is about: its author (also by what it answers), those it went to.
CREATE TABLE mail_message_contacts (
    tenant_id   uuid NOT NULL,
    message_id  uuid NOT NULL,
    contact_id  uuid NOT NULL,
    thread_id   uuid NOT NULL,
    role        text NOT NULL CONSTRAINT mail_message_contacts_role_known CHECK (role IN ('author', 'recipient')),
    PRIMARY KEY (tenant_id, message_id, contact_id),
    FOREIGN KEY (tenant_id, message_id) REFERENCES mail_messages (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, thread_id) REFERENCES mail_threads (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, contact_id) REFERENCES contacts (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX mail_message_contacts_of_contact ON mail_message_contacts (tenant_id, contact_id, thread_id);
CREATE INDEX mail_message_contacts_of_thread ON mail_message_contacts (tenant_id, thread_id);

CREATE TABLE mail_attachments (
    tenant_id    uuid NOT NULL,
    message_id   uuid NOT NULL,
    index        int NOT NULL,
    filename     text NOT NULL DEFAULT '',
    content_type text NOT NULL DEFAULT 'application/octet-stream',
    size         bigint NOT NULL DEFAULT 0,
    content_id   text,
    PRIMARY KEY (tenant_id, message_id, index),
    FOREIGN KEY (tenant_id, message_id) REFERENCES mail_messages (tenant_id, id) ON DELETE CASCADE
);

-- What is searched: the words of each message, and whose mailbox and how private it is beside them.
CREATE TABLE mail_words (
    tenant_id   uuid NOT NULL,
    message_id  uuid NOT NULL,
    thread_id   uuid NOT NULL,
    mailbox_id  uuid NOT NULL,
    at          timestamptz NOT NULL,
    words       tsvector NOT NULL,
    PRIMARY KEY (tenant_id, message_id),
    FOREIGN KEY (tenant_id, message_id) REFERENCES mail_messages (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX mail_words_words ON mail_words USING gin (tenant_id, words);

ALTER TABLE activities ADD COLUMN mail_message_id uuid;
ALTER TABLE activities ADD FOREIGN KEY (tenant_id, mail_message_id) REFERENCES mail_messages (tenant_id, id) ON DELETE CASCADE;
CREATE UNIQUE INDEX activities_one_for_a_mail ON activities (tenant_id, mail_message_id, contact_id) WHERE mail_message_id IS NOT NULL;

SELECT protect_table(t) FROM unnest(ARRAY['mail_threads', 'mail_sends', 'mail_messages', 'mail_copies', 'mail_message_contacts',
    'mail_attachments', 'mail_words']::regclass[]) AS t;
GRANT SELECT, INSERT, UPDATE, DELETE ON mail_threads, mail_sends, mail_messages TO ringside_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON mail_copies, mail_message_contacts, mail_attachments TO ringside_app;
GRANT SELECT, INSERT, UPDATE ON mail_words TO ringside_app;
GRANT SELECT ON mail_threads, mail_sends TO ringside_system;
GRANT SELECT ON mail_words TO ringside_search;
SELECT open_table_to(t, 'ringside_system') FROM unnest(ARRAY['mail_threads', 'mail_sends']::regclass[]) AS t;
SELECT open_table_to('mail_words', 'ringside_search');

-- Of any tenant: what was to be sent by `p_now`.
CREATE FUNCTION mail_sends_due(p_now timestamptz, p_limit int)
RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT s.tenant_id, s.id FROM mail_sends s WHERE s.state = 'scheduled' AND s.send_at <= p_now ORDER BY s.send_at LIMIT p_limit
$$;

-- Of any tenant: what is on its way and nobody seems to see to, and what waited for a mailbox that is back.
CREATE FUNCTION mail_sends_unsettled(p_limit int)
RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    (SELECT s.tenant_id, s.id FROM mail_sends s
     WHERE s.state IN ('queued', 'sending') AND s.look_at <= now() ORDER BY s.look_at LIMIT p_limit)
    UNION
    (SELECT s.tenant_id, s.id FROM mail_sends s JOIN mailboxes b ON b.tenant_id = s.tenant_id AND b.id = s.mailbox_id
     WHERE s.held AND s.state IN ('queued', 'sending') AND b.state IN ('connecting', 'syncing', 'active', 'failing')
       AND (s.source <> 'sequence' OR b.stopped_reason IS NULL) LIMIT p_limit)
$$;

-- Of any tenant: threads that were put off until `p_now`.
CREATE FUNCTION mail_threads_waking(p_now timestamptz, p_limit int)
RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT t.tenant_id, t.id FROM mail_threads t WHERE t.state = 'snoozed' AND t.snoozed_until <= p_now ORDER BY t.snoozed_until LIMIT p_limit
$$;
SELECT give_to_system(f) FROM unnest(ARRAY[
    'mail_sends_due(timestamptz,int)', 'mail_sends_unsettled(int)', 'mail_threads_waking(timestamptz,int)'
]::regprocedure[]) AS f;

-- Threads of the current tenant's mailboxes `p_mailboxes` in which these words stand, the one with the newest such message
-- first. `@@` may leak and so finds no index under row-level security; here the tenant is fixed and only ids leave. Who asks
-- names the mailboxes they may see, and reads the threads again under the rule for private ones.
CREATE FUNCTION search_mail(p_query text, p_mailboxes uuid[], p_limit int)
RETURNS TABLE (thread_id uuid, at timestamptz)
LANGUAGE plpgsql STABLE ROWS 50 SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    v_tenant uuid := current_setting('ringside.tenant_id')::uuid;
    v_query tsquery := transcript_query(p_query);
BEGIN
    IF v_query IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY SELECT w.thread_id, max(w.at) FROM (
        SELECT m.thread_id, m.at FROM mail_words m
        WHERE m.tenant_id = v_tenant AND m.words @@ v_query AND m.mailbox_id = ANY (p_mailboxes)
        ORDER BY m.at DESC LIMIT 2000) AS w
    GROUP BY w.thread_id ORDER BY max(w.at) DESC LIMIT least(greatest(p_limit, 1), 500);
END $$;
SELECT give_function_to('search_mail(text,uuid[],int)', 'ringside_search');
