-- Mail that people write uses the caps up; a private mailbox rests while its owner is gone; search in mail goes on page by page;
-- a domain for links is used once it was seen to lead here.

-- When a mail counts into the caps of its mailbox, on the clock that schedules go by: the time it is to go, then the time at which
-- the provider is asked. What went out before this column was here does not count.
ALTER TABLE mail_sends ADD COLUMN counts_at timestamptz;
CREATE INDEX mail_sends_counted ON mail_sends (tenant_id, mailbox_id, counts_at)
    WHERE source <> 'sequence' AND state IN ('scheduled', 'queued', 'sending', 'sent', 'unsure');

-- To which domains a mail that a person wrote goes, for the caps by domain: one row for each.
CREATE TABLE mail_send_domains (
    tenant_id   uuid NOT NULL,
    domain_lc   text COLLATE "C" NOT NULL,
    counts_at   timestamptz NOT NULL,
    send_id     uuid NOT NULL,
    PRIMARY KEY (tenant_id, send_id, domain_lc),
    FOREIGN KEY (tenant_id, send_id) REFERENCES mail_sends (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX mail_send_domains_counted ON mail_send_domains (tenant_id, domain_lc, counts_at);
SELECT protect_table('mail_send_domains');
GRANT SELECT, INSERT, UPDATE, DELETE ON mail_send_domains TO ringside_app;

-- Since when a private mailbox rests because its owner is no active member; its state is `paused` meanwhile.
ALTER TABLE mailboxes ADD COLUMN owner_gone_at timestamptz;

-- Private mailboxes of any tenant that are asked though their owner is no active member.
CREATE FUNCTION mailboxes_to_rest(p_limit int)
RETURNS TABLE (tenant_id uuid, user_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT DISTINCT b.tenant_id, b.user_id FROM mailboxes b
    JOIN members m ON m.tenant_id = b.tenant_id AND m.user_id = b.user_id AND m.status <> 'active'
    WHERE b.state IN ('connecting', 'syncing', 'active', 'failing') AND b.visibility = 'private'
    LIMIT p_limit
$$;
SELECT give_to_system('mailboxes_to_rest(int)');

-- Threads of the current tenant's mailboxes `p_mailboxes` in which these words stand, the one with the newest such message
-- first, from a place on. `@@` may leak and so finds no index under row-level security; here the tenant is fixed and only ids
-- leave. Who asks names the mailboxes they may see, and of those their own (`p_own`), in which they see what is private, too; the
-- threads are read again under these rules. A thread stands where its newest such message does, so that it comes once. Threads are
-- looked at in their order, one by one, until the page is full: other joins would look at all of them first.
DROP FUNCTION search_mail(text, uuid[], int);
CREATE FUNCTION search_mail(p_query text, p_mailboxes uuid[], p_own uuid[], p_contact uuid, p_unread boolean, p_after timestamptz,
    p_after_id uuid, p_limit int)
RETURNS TABLE (thread_id uuid, at timestamptz)
LANGUAGE plpgsql STABLE ROWS 50 SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
    v_tenant uuid := current_setting('ringside.tenant_id')::uuid;
    v_query tsquery := transcript_query(p_query);
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
          AND (p_contact IS NULL OR EXISTS (SELECT FROM mail_message_contacts c
              WHERE c.tenant_id = v_tenant AND c.contact_id = p_contact AND c.thread_id = f.thread_id))
        ORDER BY f.at DESC, f.thread_id DESC LIMIT least(greatest(p_limit, 1), 500);
END $$;
GRANT SELECT ON mail_threads, mail_message_contacts TO ringside_search;
SELECT open_table_to(t, 'ringside_search') FROM unnest(ARRAY['mail_threads', 'mail_message_contacts']::regclass[]) AS t;
SELECT give_function_to('search_mail(text,uuid[],uuid[],uuid,boolean,timestamptz,uuid,int)', 'ringside_search');

-- When the domain for links was last seen to lead here, when that was last looked at, and what was wrong then. A domain that was
-- never seen to is not used.
ALTER TABLE tracking_settings ADD COLUMN domain_seen_at timestamptz;
ALTER TABLE tracking_settings ADD COLUMN domain_checked_at timestamptz;
ALTER TABLE tracking_settings ADD COLUMN domain_problem text;
