"""The command prune: old runs and rejected items."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from sync.cli import output
from sync.cli.result import Result, result_options
from sync.cli.settings import Settings, stop_on_signals

if TYPE_CHECKING:
    from sync.database.thinning import Thinned

_COLUMNS = ("table", "rows", "deleted", "kept")


@click.command
@click.option("--dry-run", is_flag=True, help="Only tell what would go and stay.")
@result_options
@click.pass_obj
def prune(settings: Settings, dry_run: bool, result: Result) -> None:
    """Delete runs and rejected items that are older than `[retention]` says; never the history.

    Every sync and the daemon do so too, a thousand rows at a time. Runs that changes refer to
    stay, and those that tell how an account stands.

    Example: repoledger prune --dry-run
    """
    result.require()
    config = settings.load()
    settings.start_log()
    from sync.database.thinning import thin

    with stop_on_signals() as stop:
        done = thin(
            config.database.url,
            config.retention,
            datetime.now(UTC),
            stop,
            agreeing_runs=config.removals.agreeing_runs,
            dry_run=dry_run,
        )
    rows = [
        {
            "table": name,
            "rows": number,
            "deleted": done.deleted[name],
            "kept": number - done.deleted[name],
        }
        for name, number in done.rows.items()
    ]
    with result.opened():
        output.print_rows(rows, result.format, columns=_COLUMNS)
    if result.is_table:
        output.say(_told(done))
        if dry_run:
            output.say("Nothing was deleted.")


def _told(done: Thinned) -> str:
    """Return what stays although it is old."""
    return (
        f"Of the old runs, {done.referred:,} stay because changes or rejected items refer to them, "
        f"and {done.telling:,} because they tell how an account stands. "
        "Changes and counters are history: they stay."
    )
