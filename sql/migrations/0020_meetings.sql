-- Meetings: invitations (RFC 5545, 5546) that came by mail, and those that we send. There is no calendar behind them.

-- What an invitation says of a contact, once for each mailbox it went through, as the same conversation in two mailboxes is two
-- threads. `direction` inbound: they (or somebody with them) invited; `uid` and `sequence` are the organizer's. `state` is how it
-- stands: tentative until somebody agreed. `answer` is what we said to theirs. `private` follows the mail: only the mailbox's
-- owner sees it.
CREATE TABLE meetings (
    tenant_id   uuid NOT NULL REFERENCES tenants (tenant_id) ON DELETE CASCADE,
    id          uuid NOT NULL DEFAULT uuidv7(),
    contact_id  uuid NOT NULL,
    mailbox_id  uuid NOT NULL,
    user_id     uuid,
    uid         text COLLATE "C" NOT NULL CONSTRAINT meetings_uid_length CHECK (length(uid) BETWEEN 1 AND 500),
    sequence    int NOT NULL DEFAULT 0 CONSTRAINT meetings_sequence_range CHECK (sequence >= 0),
    direction   text NOT NULL CONSTRAINT meetings_direction_known CHECK (direction IN ('inbound', 'outbound')),
    state       text NOT NULL CONSTRAINT meetings_state_known CHECK (state IN ('tentative', 'confirmed', 'declined', 'canceled')),
    summary     text NOT NULL DEFAULT '' CONSTRAINT meetings_summary_length CHECK (length(summary) <= 300),
    note        text NOT NULL DEFAULT '' CONSTRAINT meetings_note_length CHECK (length(note) <= 5000),
    location    text NOT NULL DEFAULT '' CONSTRAINT meetings_location_length CHECK (length(location) <= 500),
    start_at    timestamptz NOT NULL,
    end_at      timestamptz NOT NULL,
    all_day     boolean NOT NULL DEFAULT false,
    recurrence  text NOT NULL DEFAULT '',
    -- {name, address}, and a list of {name, address, status}
    organizer   jsonb,
    attendees   jsonb NOT NULL DEFAULT '[]',
    answer      text CONSTRAINT meetings_answer_known CHECK (answer IN ('accepted', 'tentative', 'declined')),
    private     boolean NOT NULL DEFAULT false,
    mail_message_id uuid,
    mail_send_id uuid,
    created_at  timestamptz NOT NULL DEFAULT now(),
    changed_at  timestamptz NOT NULL DEFAULT now(),
    version     int NOT NULL DEFAULT 1,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT meetings_once UNIQUE (tenant_id, mailbox_id, contact_id, uid),
    CONSTRAINT meetings_end_after_start CHECK (end_at >= start_at),
    FOREIGN KEY (tenant_id, contact_id) REFERENCES contacts (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES members (tenant_id, user_id),
    FOREIGN KEY (tenant_id, mailbox_id) REFERENCES mailboxes (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, mail_message_id) REFERENCES mail_messages (tenant_id, id) ON DELETE SET NULL (mail_message_id),
    FOREIGN KEY (tenant_id, mail_send_id) REFERENCES mail_sends (tenant_id, id) ON DELETE SET NULL (mail_send_id)
);
CREATE INDEX meetings_of_contact ON meetings (tenant_id, contact_id, start_at, id);
CREATE INDEX meetings_by_message ON meetings (tenant_id, mail_message_id) WHERE mail_message_id IS NOT NULL;
CREATE INDEX meetings_by_send ON meetings (tenant_id, mail_send_id) WHERE mail_send_id IS NOT NULL;
SELECT protect_table('meetings');
GRANT SELECT, INSERT, UPDATE ON meetings TO ringside_app;

-- On the timeline a meeting is one entry, which shows it as it is now.
ALTER TABLE activities DROP CONSTRAINT activities_kind_known;
ALTER TABLE activities ADD CONSTRAINT activities_kind_known
    CHECK (kind IN ('call', 'email', 'sms', 'note', 'task', 'system', 'meeting'));
ALTER TABLE activities ADD COLUMN meeting_id uuid;
ALTER TABLE activities ADD FOREIGN KEY (tenant_id, meeting_id) REFERENCES meetings (tenant_id, id) ON DELETE CASCADE;
CREATE UNIQUE INDEX activities_one_for_a_meeting ON activities (tenant_id, meeting_id) WHERE meeting_id IS NOT NULL;
