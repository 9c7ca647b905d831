"""The command init: asks a few questions, and writes a configuration to start from."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
from click.exceptions import Exit

from sync.cli import output
from sync.cli.new_config import DATABASE, VARIABLE, Answers, Token, next_steps, written
from sync.cli.settings import ExitCode, Settings
from sync.config.files import users_own
from sync.core.errors import ConfigError
from sync.core.redaction import printable, protect_typed

_WHO = (
    "Whose repositories? A GitHub login: that user's public ones, without a token.\n"
    "Just Enter: all public ones that a token of yours sees"
)
_TOKEN = {
    Token.variable: "in a variable of the environment",
    Token.gh: "from GitHub's command line: gh auth token",
    Token.login: "got by `repoledger login`, with a code",
}


def example_configuration() -> str:
    """Return the commented configuration that comes with the program."""
    package = Path(__file__).parent.parent
    installed = package / "config.toml"
    file = installed if installed.exists() else package.parent / "config.toml"
    return file.read_text(encoding="utf-8")


@click.command
@click.option(
    "--username", metavar="LOGIN", help="Sync this user's public repositories, without a token."
)
@click.option(
    "--token",
    type=click.Choice(Token),
    help="Where the token is: in a variable, from `gh auth token`, or got by `repoledger login`. "
    "Default: variable.",
)
@click.option("--token-env", metavar="NAME", help=f"The variable. Default: {VARIABLE}.")
@click.option(
    "--client-id", metavar="ID", help="For login: the client id of an app of yours at GitHub."
)
@click.option(
    "--database",
    metavar="FILE",
    help="The ledger: a file, relative to the configuration's folder, or a server's URL. "
    f"Default: {DATABASE}.",
)
@click.option("--yes", "-y", is_flag=True, help="Ask nothing: take the options and defaults.")
@click.option("--full", is_flag=True, help="Write every key with its explanation; ask nothing.")
@click.pass_obj
def init(
    settings: Settings,
    username: str | None,
    token: Token | None,
    token_env: str | None,
    client_id: str | None,
    database: str | None,
    yes: bool,
    full: bool,
) -> None:
    """Write a short config.toml to start from; on a terminal, ask what it is to hold.

    Never overwrites a file, and never writes a token.
    """
    given = Answers(
        username=username,
        token=token,
        token_env=token_env,
        client_id=client_id,
        database=database,
        keyring=find_spec("keyring") is not None,
    )
    _require_consistent(given, full=full)
    target = settings.config_path or Path("config.toml")
    if os.path.lexists(target):
        raise ConfigError(f"{target} exists already, and was not changed")
    if not (yes or full) and sys.stdin.isatty() and sys.stdout.isatty():
        given = _asked(given)
    _write(target, example_configuration() if full else written(given))
    output.say(f"Wrote {target}. Next steps:")
    steps = next_steps(given)
    if settings.config_path is not None and target not in users_own(os.environ):
        path = shlex.quote(printable(str(target.absolute())))
        steps.insert(0, (f"export REPOLEDGER_CONFIG={path}", ""))
    width = max(len(command) for command, purpose in steps if purpose)
    print()
    for command, purpose in steps:
        print(f"  {command:<{width}}   # {purpose}" if purpose else f"  {command}")


def _require_consistent(given: Answers, *, full: bool) -> None:
    """Raise UsageError where options contradict each other."""
    of_token = (given.token, given.token_env, given.client_id)
    if full and any((given.username, given.database, *of_token)):
        raise click.UsageError("--full writes every key with its default: leave the others out")
    if given.username is not None and any(of_token):
        raise click.UsageError("--username reads without a token: leave the token's options out")
    if given.token_env is not None and given.token not in (None, Token.variable):
        raise click.UsageError("--token-env goes with --token variable")
    if (given.client_id is not None) != (given.token is Token.login):
        raise click.UsageError("--token login and --client-id go together")


def _asked(given: Answers) -> Answers:
    """Return the answers with those that the user gives now. Raises Exit at Ctrl-C."""
    try:
        return _ask(given)
    except click.Abort:
        print("\nNothing was written.", file=sys.stderr)
        raise Exit(ExitCode.INTERRUPTED) from None


def _ask(given: Answers) -> Answers:
    if given.username is None and given.token is None and given.token_env is None:
        login = _prompt(_WHO, "", lambda text: replace(given, username=text or None))
        given = replace(given, username=login or None)
    if given.username is None and given.token is None:
        given = _ask_token(given)
    if given.database is None:
        file = _prompt("The ledger's file", DATABASE, lambda text: replace(given, database=text))
        given = replace(given, database=file)
    return given


def _ask_token(given: Answers) -> Answers:
    has_gh = shutil.which("gh") is not None
    print("Where is the token?")
    for place, meaning in _TOKEN.items():
        note = "" if place is not Token.gh or has_gh else " (gh is not installed)"
        print(f"  {place.value:<8}  {meaning}{note}")
    usual = Token.gh if has_gh and not os.environ.get(VARIABLE) else Token.variable
    token = Token(click.prompt("Place", type=click.Choice([*Token]), default=usual))
    given = replace(given, token=token)
    if token is Token.variable and given.token_env is None:
        name = _prompt("The variable", VARIABLE, lambda text: replace(given, token_env=text))
        given = replace(given, token_env=name)
    if token is Token.login:
        client_id = _prompt(
            "The client id of a GitHub App or OAuth app of yours that allows the device flow",
            None,
            lambda text: replace(given, client_id=text),
        )
        given = replace(given, client_id=client_id)
    return given


def _prompt(question: str, usual: str | None, answered: Callable[[str], Answers]) -> str:
    """Ask until the answer is one with which the configuration is valid."""

    def checked(typed: Any) -> str:
        text = str(typed).strip()
        protect_typed(text)
        try:
            written(answered(text))
        except ConfigError as error:
            raise click.BadParameter("; ".join(error.problems)) from None
        return text

    shown = bool(usual)
    answer: str = click.prompt(question, default=usual, show_default=shown, value_proc=checked)
    return answer


def _write(target: Path, text: str) -> None:
    try:
        if target in users_own(os.environ):
            target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigError(f"{target} exists already, and was not changed") from None
    except OSError as error:
        raise ConfigError(f"{target}: cannot be written: {error.strerror}") from None
