"""The commands help and version, for those who type words instead of --help and --version."""

from __future__ import annotations

import click

from sync import __version__


@click.command(name="help", hidden=True, add_help_option=False)
@click.argument("command", required=False)
@click.pass_context
def help_(ctx: click.Context, command: str | None) -> None:
    """Show the help of a command, or of all."""
    group = ctx.find_root()
    if command is None or not isinstance(group.command, click.Group):
        click.echo(group.get_help())
        return
    _, found, _ = group.command.resolve_command(group, [command])
    if found is not None:
        with click.Context(found, info_name=found.name, parent=group) as shown:
            click.echo(found.get_help(shown))


@click.command(hidden=True)
def version() -> None:
    """Tell the version."""
    click.echo(f"repoledger {__version__}")
