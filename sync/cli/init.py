"""The command init: writes a configuration to start from."""

from __future__ import annotations

from pathlib import Path

import click

from sync.cli import output
from sync.cli.settings import Settings
from sync.core.errors import ConfigError
from sync.core.redaction import printable


def example_configuration() -> str:
    """Return the commented configuration that comes with the program."""
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
        raise ConfigError(f"{target} exists already, and was not changed") from None
    except OSError as error:
        raise ConfigError(f"{target}: cannot be written: {error.strerror}") from None
    command = f"repoledger --config {target}" if settings.config_path else "repoledger"
    command = printable(command)
    output.say(f"Wrote {target}. Next steps:")
    print()
    print("  export GITHUB_TOKEN=...   # a token that may read your public repositories")
    print(f"  {command} check       # tests everything, changes nothing")
    print(f"  {command} backfill    # syncs once")
