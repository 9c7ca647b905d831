"""The options --account and --owner of commands that tell of a time."""

from __future__ import annotations

import click

from sync.cli import completion

account_option = click.option(
    "--account",
    metavar="NAME",
    shell_complete=completion.accounts,
    help="Only repositories that this account lists or did.",
)
owner_option = click.option(
    "--owner",
    metavar="LOGIN",
    shell_complete=completion.owners,
    help="Only repositories that this owner has or had.",
)
