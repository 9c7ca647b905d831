"""The application: global options, commands, and the handling of all errors."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import click
from click.exceptions import Exit

from sync import __version__
from sync.cli.commands import Command, global_options, refuse_repeated, settings_of
from sync.cli.elsewhere import command_for, option_for
from sync.cli.output import print_error
from sync.cli.settings import ExitCode, exit_code_of
from sync.core.errors import RepoledgerError
from sync.core.memory import is_exhausted
from sync.core.redaction import printable, protect_typed, scrub
from sync.core.streams import CUT_OFF, drop_what_is_left

# The commands in the order of the help, and the module of each.
_COMMANDS = {
    "demo": "demo",
    "init": "init",
    "check": "check",
    "migrate": "migrate",
    "login": "login",
    "logout": "login",
    "accounts": "accounts",
    "backfill": "backfill",
    "daemon": "daemon",
    "health": "daemon",
    "status": "status",
    "resources": "resources",
    "repos": "repos",
    "show": "show",
    "changes": "changes",
    "digest": "digest",
    "history": "history",
    "query": "query",
    "copy": "transfer",
    "verify": "transfer",
    "export": "folder",
    "import": "folder",
    "prune": "prune",
}
# Functions that cannot have their command's name.
_FUNCTIONS = {"import": "import_"}
# Words in place of options; the help does not list them.
_HIDDEN = {"help": ("help", "help_"), "version": ("help", "version")}


class _CutOff(click.ClickException):
    """The reader of the output has ended; Click would make it a failure."""

    exit_code = CUT_OFF

    def show(self, file: Any = None) -> None:  # noqa: ARG002  # nobody reads it
        drop_what_is_left(1)


def _flushed(invoke: Callable[[click.Context], Any], ctx: click.Context) -> Any:
    """Call `invoke` and flush its output, so that an error such as a full disk is raised here."""
    try:
        return invoke(ctx)
    finally:
        if sys.stdout is not None:
            sys.stdout.flush()


def _made(name: str) -> click.Command:
    """Import a command; importing all of them would be slow."""
    module, function = _HIDDEN.get(name) or (_COMMANDS[name], _FUNCTIONS.get(name, name))
    return Command.of(getattr(import_module(f"sync.cli.{module}"), function))


class _Group(click.Group):
    """Imports a command at its first use, and handles its errors.

    An error is printed without a traceback, with what to do, and becomes the exit code.
    """

    def make_context(
        self, info_name: str | None, args: list[str], *arguments: Any, **options: Any
    ) -> click.Context:
        protect_typed(*args)
        try:
            return super().make_context(info_name, args, *arguments, **options)
        except click.UsageError as error:
            raise _told(error) from None
        except BrokenPipeError:
            raise _CutOff("") from None
        except KeyboardInterrupt:  # Click would exit with 1
            raise Exit(ExitCode.INTERRUPTED) from None

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        refuse_repeated(self, ctx, args)
        return super().parse_args(ctx, args)

    def list_commands(self, _: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        # For an unknown name, all commands are loaded, so that Click can suggest one.
        known = cmd_name in _COMMANDS or cmd_name in _HIDDEN
        for name in [cmd_name] if known else _COMMANDS:
            self.commands[name] = _made(name)
        return super().get_command(ctx, cmd_name)

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with the whole first paragraph of their help; Click would cut it."""
        rows = [(name, (_made(name).help or "").partition("\n\n")[0]) for name in _COMMANDS]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return _flushed(super().invoke, ctx)
        except BrokenPipeError:
            raise _CutOff("") from None
        except (Exit, OSError):  # `sync.__main__` shows an error of writing the output
            raise
        except click.UsageError as error:
            raise _told(error) from None
        except KeyboardInterrupt:
            ctx.exit(ExitCode.INTERRUPTED)
        except RepoledgerError as error:
            print_error(str(error) or type(error).__name__)
            ctx.exit(exit_code_of(error))
        except Exception as error:
            if is_exhausted(error):
                raise  # `sync.__main__` shows it
            _report_crash(error)
            ctx.exit(ExitCode.FAILED)


def _told(error: click.UsageError) -> click.UsageError:
    """Return an error of use in our words, with what to type instead.

    Click would show control characters as they are, and suggest all that is somehow alike.
    """
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error
    if isinstance(error, click.NoSuchOption | click.exceptions.NoSuchCommand):
        del (error.possibilities or [])[1:]
    message = error.format_message()
    if isinstance(error, click.NoSuchOption) and (hint := option_for(error.option_name)):
        message = f"No such option '{error.option_name}': {hint}."
    if isinstance(error, click.exceptions.NoSuchCommand):
        hint = command_for(error.command_name)
        if hint is None and not error.possibilities:
            hint = "`repoledger --help` lists the commands"
        if hint is not None:
            message = f"There is no command '{error.command_name}': {hint}."
    return click.UsageError(printable(scrub(message)), error.ctx)


@click.group(
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
    epilog=(
        "Exit codes: 0 succeeded, 1 failed, 2 wrong use or configuration, 3 partial, "
        "4 deferred (quota), 130 interrupted, 141 output cut off."
        "\n\nThese options also work behind a command."
    ),
    params=[*global_options()],
)
@click.version_option(
    __version__, "-V", "--version", message="repoledger %(version)s", help="Show the version."
)
@click.pass_context
def app(ctx: click.Context, /, **_: Any) -> None:
    """Keep a SQL database of your GitHub repositories: always current, every change explained.

    Start with `repoledger demo` (no token, no network), then `repoledger init`.
    """
    ctx.obj = settings_of(ctx)


def _report_crash(error: Exception) -> None:
    """Print an unexpected error: a traceback without values or secrets."""
    import traceback

    text = "".join(traceback.format_exception(error, chain=False))
    for line in scrub(text).rstrip("\n").split("\n"):
        print(printable(line), file=sys.stderr)
    print(
        "error: an unexpected error in repoledger; please report it with the traceback above.",
        file=sys.stderr,
    )
