"""The application: its global options, its commands, and the one error branch."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from click.exceptions import Exit

from sync import __version__
from sync.cli.output import print_error
from sync.cli.settings import ExitCode, Settings, exit_code_of
from sync.errors import RepoledgerError
from sync.memory import is_exhausted
from sync.redaction import printable, scrub

# The commands, as help lists them, and the module that each is a function of.
_COMMANDS = {
    "demo": "demo",
    "init": "setup",
    "check": "check",
    "migrate": "setup",
    "login": "login",
    "logout": "login",
    "accounts": "accounts",
    "backfill": "backfill",
    "daemon": "daemon",
    "health": "daemon",
    "status": "status",
    "repos": "reading",
    "changes": "reading",
    "history": "history",
    "query": "reading",
    "copy": "transfer",
    "verify": "transfer",
}


def _flushed(invoke: Callable[[click.Context], Any], ctx: click.Context) -> Any:
    """Call `invoke`, and have what it printed arrive, so that a full disk shows here."""
    try:
        return invoke(ctx)
    finally:
        if sys.stdout is not None:
            sys.stdout.flush()


def _made(name: str) -> click.Command:
    """Import a command: what takes long if it is done for all of them."""
    command: click.Command = getattr(import_module(f"sync.cli.{_COMMANDS[name]}"), name)
    return command


class _Group(click.Group):
    """Imports a command when it is asked for, and answers for its errors.

    It prints what went wrong and what to do, without a traceback, and exits with its code.
    """

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        try:
            return super().make_context(*arguments, **options)
        except KeyboardInterrupt:  # Click's own code would be 1
            raise Exit(ExitCode.INTERRUPTED) from None

    def list_commands(self, _: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        # What is none of them is compared with all, for what may be meant.
        for name in [cmd_name] if cmd_name in _COMMANDS else _COMMANDS:
            self.commands[name] = _made(name)
        return super().get_command(ctx, cmd_name)

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with the first paragraph of their help, which Click would cut."""
        rows = [(name, (_made(name).help or "").partition("\n\n")[0]) for name in _COMMANDS]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return _flushed(super().invoke, ctx)
        except (Exit, OSError):  # such as an output that cannot be written: shown by what called it
            raise
        except click.UsageError as error:  # Click would show an argument too many as it is
            shown = printable(scrub(error.format_message()))
            raise click.UsageError(shown, error.ctx) from None
        except KeyboardInterrupt:
            ctx.exit(ExitCode.INTERRUPTED)
        except RepoledgerError as error:
            print_error(str(error) or type(error).__name__)
            ctx.exit(exit_code_of(error))
        except Exception as error:
            if is_exhausted(error):
                raise  # shown by what called it
            _report_crash(error)
            ctx.exit(ExitCode.FAILED)


@click.group(
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
    epilog=(
        "Exit codes: 0 succeeded, 1 failed, 2 wrong use or configuration, 3 partial, "
        "4 deferred (quota), 130 interrupted."
    ),
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="Configuration file; else $REPOLEDGER_CONFIG, else ./config.toml.",
)
@click.option(
    "--log-format",
    type=click.Choice(["auto", "console", "json"]),
    default="auto",
    help="Log lines on stderr; auto: console on a terminal, else JSON.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    help="Least important events to log: info; on a terminal, where the result is shown anyway, "
    "warning.",
)
@click.version_option(__version__, message="repoledger %(version)s")
@click.pass_context
def app(ctx: click.Context, config: Path | None, log_format: str, log_level: str | None) -> None:
    """Keeps a SQL database of your GitHub repositories: always current, every change explained.

    Start with `repoledger demo` (no token, no network), then `repoledger init`.
    """
    ctx.obj = Settings(config_path=config, log_format=log_format, log_level=log_level)


def _report_crash(error: Exception) -> None:
    """Tell of a mistake of ours: a traceback without values, and without secrets."""
    import traceback

    text = "".join(traceback.format_exception(error, chain=False))
    for line in scrub(text).rstrip("\n").split("\n"):
        print(printable(line), file=sys.stderr)
    print(
        "error: repoledger met something it was not prepared for; what is above says where. "
        "Please report it.",
        file=sys.stderr,
    )
