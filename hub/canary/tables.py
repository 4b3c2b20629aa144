"""The attempts in SQL, as the role that the server and the workers run as: tables, keys, functions, and the jobs' ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg

from hub.canary.attempts import Attempt, leaked
from hub.canary.pair import Canary
from hub.db import Database, Tx, tenant_tx
from hub.errors import HubError
from hub.sqlfiles import load_sql
from hub.who import Who

_SQL = load_sql("canary")

# These run before a company is known, for all companies at once, or on facts that are everybody's: what they give is not kept
# to one company, by design (see 0001 and docs/architecture.md). Every other function that runs with others' rights is tried.
FOR_ALL_COMPANIES = frozenset(
    {
        # sign-in, sessions, the live log's heads, the processes themselves
        "auth_find_user", "auth_user", "auth_companies", "auth_open_session", "auth_forgive", "auth_revoke_session",
        "auth_revoke_all_sessions", "auth_take_attempt", "auth_rotate", "auth_switch", "auth_sweep", "access_changes_since",
        "access_note_role", "access_note_key", "auth_memberships", "api_key_use", "access_note_member", "create_member",
        "create_company", "find_companies", "tenant_heads", "hub_beat", "hub_stop",
        "hub_standing", "hubs_forget", "add_default_dispositions",
        # sweeps and duties: ids of what is due, of any company
        "jobs_due", "jobs_census", "jobs_forget", "idempotency_forget", "calls_unheard", "webhook_deliveries_forget",
        "presence_stuck", "imports_sweep", "imports_stuck", "contacts_analyze", "legs_unheard", "lines_unheard", "leases_lost",
        "tasks_untold", "notifications_forget", "wrap_ups_over", "messages_unheard", "recordings_expired", "recordings_unheard",
        "dial_sessions_due", "dial_queues_moved", "alerts_tenants", "alerts_forget", "mailboxes_to_poll", "mailboxes_to_measure",
        "mailboxes_to_watch", "mailboxes_to_reseal", "mailboxes_to_rest", "mailbox_jobs_forget", "oauth_states_forget",
        "tracking_domains_to_check",
        "mail_sends_due", "mail_sends_unsettled", "mail_threads_waking", "sequences_to_plan", "enrolments_due",
        "step_runs_to_settle", "contacts_to_stop", "enrolments_to_resume", "sequences_moved", "ensure_event_partitions",
        "drop_old_events",
        # people's own accounts, which belong to no company
        "account_open_session", "account_confirmed_at", "account_confirm_session", "account_sessions", "account_end_session",
        "account_end_other_sessions", "account_know_device", "account_has_device", "account_means", "account_set_password",
        "account_rehash",
        "account_begin_reset", "account_reset_of", "account_finish_reset", "account_totp", "account_begin_totp",
        "account_start_totp", "account_take_totp", "account_reseal_totp", "account_stop_totp", "account_set_recovery_codes",
        "account_take_recovery_code", "account_passkeys", "account_add_passkey", "account_rename_passkey",
        "account_remove_passkey", "account_find_passkey", "account_use_passkey", "account_add_challenge",
        "account_try_challenge", "account_end_challenge", "account_sweep", "account_forget",
        "account_claim_browser", "account_fits_browser", "account_adopt_browser", "account_strike", "account_unstrike",
        "account_must_enrol", "account_raise_session", "account_second_wanted",
        # what comes from outside and has to find its company first
        "number_claim", "number_unclaim", "shared_number_companies", "mailboxes_of_address", "oauth_state_take",
        # the law, which is everybody's
        "outreach_law", "outreach_holiday_dates", "outreach_holiday_said", "outreach_sources", "outreach_rules_json",
        # letters and pushes of the installation
        "installation_secret", "installation_secret_reseal", "letters_post", "letters_claim", "letters_settle",
        "letters_of_nobody", "letters_forget",
        "session_lives",
        # what companies pay: whose customer it is, and sweeps
        "billing_tenant_of", "billing_restricted", "billing_due", "billing_customers", "billing_plans", "billing_open_accounts",
        "billing_close_accounts", "billing_to_tell",
        # companies that are not there yet, invitations by their token, and how a person's companies want to be signed in to
        "signup_begin", "signup_look", "signup_finish", "signups_forget", "invitation_look", "sso_begin", "sso_take", "sso_look",
        "sso_link", "sso_note_success", "sso_open_session", "sso_provider_for", "sso_required_at", "sso_is_required",
        "sso_holds_account", "sso_identities_of", "sso_forget_identity",
        # what is due to be sent to other systems, of any company
        "outgoing_due", "outgoing_forget", "outgoing_jobs_forget", "outgoing_companies", "outgoing_to_reseal",
        # what is written into the audit log from outside, and each night's retention
        "audit_outside", "audit_person", "retention_due", "exports_expired",
        # the canaries' own
        "canary_pair", "canary_planted", "isolation_note", "isolation_clear", "isolation_standing",
    }
)  # fmt: skip


class _Undone(Exception):
    """Ends a transaction without a trace."""


@asynccontextmanager
async def undone(db: Database, who: Who) -> AsyncIterator[Tx]:
    """A transaction of a tenant that is rolled back at its end."""
    with suppress(_Undone):
        async with tenant_tx(db, who) as tx:
            yield tx
            raise _Undone


async def try_sql(db: Database, own: Canary, other: Canary) -> list[Attempt]:
    """Every table, key and function there is, by the catalogue."""
    found = [*await _see_own(db, own), await _see_person(db, own, other)]
    async with undone(db, own.who) as tx:
        targets = await tx.fetch(_SQL["targets"])
    for target in targets:
        if target["kind"] != "function" or target["name"] not in FOR_ALL_COMPANIES:
            found += await _try_target(db, own, other, target)
    return found


async def _see_own(db: Database, own: Canary) -> list[Attempt]:
    """The proof that the attempts mean something: the role is the right one, and what is one's own is seen."""
    async with undone(db, own.who) as tx:
        row = await tx.fetchrow(_SQL["see_own"], contact_id=own.planted["contact"])
    assert row is not None
    bypasses = bool(row["bypasses"])
    words = f"{row['role']} {'bypasses row-level security' if bypasses else 'bypasses nothing'}"
    role = Attempt.judged("sql", "the role that the server and the workers run as", words, breached=bypasses)
    if row["contacts"] != 1:
        return [role, Attempt.left_out("sql", "one's own contact", "it is not seen, so that nothing else proves anything")]
    return [role]


async def _see_person(db: Database, own: Canary, other: Canary) -> Attempt:
    async with undone(db, own.who) as tx:
        name = await tx.fetchval(_SQL["see_person"], person=other.user_id)
    return Attempt.judged("sql", "SELECT FROM users, the other's member", name or "0 rows", breached=name is not None)


async def _try_target(db: Database, own: Canary, other: Canary, target: asyncpg.Record) -> list[Attempt]:
    layer = "functions" if target["kind"] == "function" else "sql"
    try:
        async with undone(db, own.who) as tx:
            if target["kind"] == "function":
                ids = [*other.planted.values(), other.tenant_id]
                rows = await tx.fetch(
                    _SQL["try_function"], target=target["id"], words=other.mark, ids=ids, secrets=list(other.secrets)
                )
            else:
                rows = await tx.fetch(_SQL[f"try_{target['kind']}"], target=target["id"], other=other.tenant_id)
    except (asyncpg.PostgresError, HubError) as problem:
        return [Attempt.left_out(layer, f"{target['kind']} {target['name']}", _words(problem))]
    return [Attempt(layer, row["tried"], row["came_back"], row["verdict"]) for row in rows]


async def try_jobs(db: Database, own: Canary, other: Canary) -> list[Attempt]:
    """A due job of the other's, claimed with its id and its company's, in the context of one's own."""
    tried = "claim the other's due job"
    try:
        async with undone(db, other.who) as tx:
            if await tx.fetchval(_SQL["wake_job"], job=other.planted["job"]) is None:
                return [Attempt.left_out("jobs", tried, "the other has no job any more")]
            await tx.fetchval(_SQL["enter"], to=str(own.tenant_id))
            got = await tx.fetchval(_SQL["claim_of"], of=other.tenant_id, job=other.planted["job"])
    except asyncpg.InsufficientPrivilegeError as refusal:
        return [Attempt.judged("jobs", tried, _words(refusal), breached=False)]
    except (asyncpg.PostgresError, HubError) as problem:
        return [Attempt.left_out("jobs", tried, _words(problem))]
    return [Attempt.judged("jobs", tried, f"got {got}" if got else "nothing", breached=got is not None)]


async def try_keys(db: Database, own: Canary, other: Canary) -> list[Attempt]:
    """Files lie under their company's id, so that no name can be another company's."""
    async with undone(db, own.who) as tx:
        keys = [row["object_key"] for row in await tx.fetch(_SQL["stored_keys"])]
    astray = [key for key in keys if str(own.tenant_id) not in key or leaked(key, other.secrets)]
    words = f"{len(keys) - len(astray)} of {len(keys)} keys carry the company"
    return [Attempt.judged("objects", "where files lie", words, breached=bool(astray))]


def _words(problem: Exception) -> str:
    return str(problem) or type(problem).__name__
