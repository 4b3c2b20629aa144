"""The benchmarks as subcommands of `./ringside bench`."""

from __future__ import annotations

import argparse

from benchmarks import accounts, api, billing, flood, floor, hooks, imports, jobs, load, mail, voice
from benchmarks.faults import command as faults


def add_options(parser: argparse.ArgumentParser) -> None:
    """One subcommand a benchmark."""
    choices = parser.add_subparsers(dest="name", metavar="NAME", required=True)
    voice.options(
        choices.add_parser("voice", help="click to ringing, state to screen, calls a second", description=voice.__doc__)
    )
    mail.options(
        choices.add_parser("mail", help="first sync, push to screen, many mailboxes, planning, crashes", description=mail.__doc__)
    )
    signing_in = "sign-ins a second, and what the check of a permission costs"
    accounts.options(choices.add_parser("accounts", help=signing_in, description=accounts.__doc__))
    events = "Stripe's events, from their arrival to their acknowledgement"
    billing.options(choices.add_parser("billing", help=events, description=billing.__doc__))
    sending = "webhooks, from the commit to their arrival, and how many a minute"
    hooks.options(choices.add_parser("hooks", help=sending, description=hooks.__doc__))
    beside = "lists, notes, search, timelines, the floor; beside FastAPI and pgbench"
    api.options(choices.add_parser("api", help=beside, description=api.__doc__))
    queue = "enqueue to start, jobs a second, one company beside another's flood"
    jobs.options(choices.add_parser("jobs", help=queue, description=jobs.__doc__))
    fan_out = "rows committed to every socket, beside Node's Socket.IO; with --scale how much one hub holds"
    floor.options(choices.add_parser("floor", help=fan_out, description=floor.__doc__))
    beside_a_flood = "one company floods by requests, sockets and events, another works on"
    flood.options(choices.add_parser("flood", help=beside_a_flood, description=flood.__doc__))
    at_work = "reps, managers and mobiles at work for some minutes, held against the promise; --report draws it"
    load.options(choices.add_parser("load", help=at_work, description=load.__doc__))
    a_file = "a large file of contacts, from the upload to done; beside a plain COPY"
    imports.options(choices.add_parser("import", help=a_file, description=imports.__doc__))
    broken = (
        "everything that can break, broken on purpose; what was acknowledged, delivered and done is held against the database"
    )
    faults.options(choices.add_parser("faults", help=broken, description=faults.__doc__))
