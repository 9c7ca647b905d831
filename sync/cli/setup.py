"""Commands that prepare: init, migrate."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from click.exceptions import Exit

from sync.cli import output
from sync.cli.settings import ExitCode, Settings
from sync.errors import ConfigError
from sync.redaction import printable


def example_configuration() -> str:
    """Return the documented configuration that is shipped with the program."""
    package = Path(__file__).parent.parent
    installed = package / "config.toml"
    file = installed if installed.exists() else package.parent / "config.toml"
    return file.read_text(encoding="utf-8")


@click.command
@click.pass_obj
def init(settings: Settings) -> None:
    """Write a commented config.toml to start from. Never overwrites a file."""
    target = settings.config_path or Path("config.toml")
    text = example_configuration()
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigError(f"{target} exists already; it was left as it is") from None
    except OSError as error:
        raise ConfigError(f"{target}: cannot be written: {error.strerror}") from None
    command = f"repoledger --config {target}" if settings.config_path else "repoledger"
    command = printable(command)
    output.say(f"Wrote {target}. What to do next:")
    print()
    print("  export GITHUB_TOKEN=...   # a token that may read your public repositories")
    print(f"  {command} check       # tests it all, changes nothing")
    print(f"  {command} backfill    # syncs once")


@click.command
@click.option("--check", is_flag=True, help="Only tell whether there is something to do (exit 1).")
@click.pass_obj
def migrate(settings: Settings, check: bool) -> None:
    """Bring the database's schema up to what this version needs."""
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
            advice = "delete that when you no longer need it"
            output.say(f"As it was before, it is in {copy}; {advice}.")
        return
    current = migration.check(config.database.url)
    state = migration.state_of(current)
    output.say(f"The schema is {state}: {current or 'none'} here, {newest} in this program.")
    if state != "current":
        advice = "install a newer repoledger" if state == "newer" else "run `repoledger migrate`"
        print(advice, file=sys.stderr)
        raise Exit(ExitCode.FAILED)
