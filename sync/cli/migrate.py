"""The command migrate: updates the schema of a ledger to this version of the program."""

from __future__ import annotations

import sys

import click
from click.exceptions import Exit

from sync.cli import output
from sync.cli.settings import ExitCode, Settings


@click.command
@click.option(
    "--check", is_flag=True, help="Only tell whether a migration is needed; exit 1 if so."
)
@click.pass_obj
def migrate(settings: Settings, check: bool) -> None:
    """Update the database schema to this version of repoledger."""
    config = settings.load()
    from sync.database import migrate as migration

    newest = migration.revisions()[-1]
    if not check:
        before, after, copy = migration.upgrade(config.database.url)
        if before == after:
            print(f"The schema is current: {after}.")
        else:
            output.say(f"Migrated the schema from {before or 'nothing'} to {after}.")
        if copy is not None:
            output.say(f"A copy from before is in {copy}; delete it when you no longer need it.")
        return
    current = migration.check(config.database.url)
    state = migration.state_of(current)
    output.say(f"The schema is {state}: {current or 'none'} here, {newest} in this program.")
    if state != "current":
        advice = "install a newer repoledger" if state == "newer" else "run `repoledger migrate`"
        print(advice, file=sys.stderr)
        raise Exit(ExitCode.FAILED)
