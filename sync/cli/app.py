"""The application: its global options, its commands, and the one error branch."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.main
from typer.core import TyperGroup

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


class LogFormat(StrEnum):
    auto = "auto"
    console = "console"
    json = "json"


class LogLevel(StrEnum):
    debug = "debug"
    info = "info"
    warning = "warning"
    error = "error"


def _flushed(invoke: Callable[[Any], Any], ctx: Any) -> Any:
    """Call `invoke`, and have what it printed arrive, so that a full disk shows here."""
    try:
        return invoke(ctx)
    finally:
        if sys.stdout is not None:
            sys.stdout.flush()


def _made(name: str) -> Any:
    """Import a command and read its options: what takes long if it is done for all of them."""
    alone = typer.Typer(add_completion=False)
    alone.command(name)(getattr(import_module(f"sync.cli.{_COMMANDS[name]}"), name))
    return typer.main.get_command(alone)


class _Group(TyperGroup):
    """Makes a command when it is asked for, and answers for its errors.

    It prints what went wrong and what to do, without a traceback, and exits with its code.
    """

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  # the signature is Typer's
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        # What is none of them is compared with all, for what may be meant.
        for name in [cmd_name] if cmd_name in _COMMANDS else _COMMANDS:
            if name not in self.commands:
                self.commands[name] = _made(name)
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: Any) -> Any:
        try:
            return _flushed(super().invoke, ctx)
        except RepoledgerError as error:
            print_error(str(error) or type(error).__name__)
            ctx.exit(exit_code_of(error))
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # whoever read the output has had enough: the framework ends quietly
            print_error(str(error))
            # What is still in the buffer would fail again when the interpreter ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            ctx.exit(ExitCode.FAILED)
        except Exception as error:
            # Wrong use is shown by the framework, want of memory by what called it.
            known = isinstance(error, typer.Abort) or hasattr(error, "exit_code")
            if known or is_exhausted(error):
                raise
            _report_crash(error)
            ctx.exit(ExitCode.FAILED)


app = typer.Typer(
    cls=_Group,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Keeps a SQL database of your GitHub repositories: always current, every change "
        "explained.\n\nStart with `repoledger demo` (no token, no network), then "
        "`repoledger init`."
    ),
    epilog=(
        "Exit codes: 0 succeeded, 1 failed, 2 wrong use or configuration, 3 partial, "
        "4 deferred (quota), 130 interrupted."
    ),
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"repoledger {__version__}")
        raise typer.Exit


@app.callback()
def settings(
    ctx: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="PATH",
            help="Configuration file; else $REPOLEDGER_CONFIG, else ./config.toml.",
            show_default=False,
        ),
    ] = None,
    log_format: Annotated[
        LogFormat, typer.Option(help="Log lines on stderr; auto: console on a terminal, else JSON.")
    ] = LogFormat.auto,
    log_level: Annotated[
        LogLevel | None,
        typer.Option(
            help="Least important events to log: info; on a terminal, where the result is "
            "shown anyway, warning.",
            show_default=False,
        ),
    ] = None,
    version: Annotated[  # noqa: ARG001  # eager: answered by its callback
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    ctx.obj = Settings(
        config_path=config, log_format=log_format.value, log_level=log_level and log_level.value
    )


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
