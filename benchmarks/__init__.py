"""Measurements that live with the code: `./ringside bench NAME`. Each compares with a peer in the same run; none is a test."""

from __future__ import annotations

import argparse

from benchmarks import mail, voice


def add_options(parser: argparse.ArgumentParser) -> None:
    """One subcommand a benchmark."""
    choices = parser.add_subparsers(dest="name", metavar="NAME", required=True)
    voice.options(
        choices.add_parser("voice", help="click to ringing, state to screen, calls a second", description=voice.__doc__)
    )
    mail.options(
        choices.add_parser("mail", help="first sync, push to screen, many mailboxes, planning, crashes", description=mail.__doc__)
    )
