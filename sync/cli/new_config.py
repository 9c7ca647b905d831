"""The text of a new configuration, by a few answers. No I/O here."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sync.core.errors import ConfigError

VARIABLE = "GITHUB_TOKEN"
DATABASE = "repoledger.db"
TOKEN_FILE = "github.token"  # noqa: S105  # a file's name

_HEAD = """\
# The configuration of repoledger. All other keys, each with its default and explained:
# repoledger init --full --config manual.toml

[database]
# Relative to this file's folder. A server: "postgresql://USER@HOST/DATABASE"
url = {url}

[schedule]
# When `repoledger daemon` syncs: minute, hour, day, month, weekday.
cron = "0 * * * *"
"""


class Token(StrEnum):
    """The place of an account's token."""

    variable = "variable"
    gh = "gh"
    login = "login"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The answers that a new configuration depends on; None where nothing was said.

    `username`: whose public repositories are read without a token. `keyring`: whether
    `repoledger login` has the system's keyring; otherwise a file.
    """

    username: str | None = None
    token: Token | None = None
    token_env: str | None = None
    client_id: str | None = None
    database: str | None = None
    keyring: bool = False


def written(answers: Answers) -> str:
    """Return the configuration with these answers. Raises ConfigError for a wrong one."""
    text = "\n".join(_lines(answers)) + "\n"
    from sync.config import parse

    try:
        config = parse(tomllib.loads(text), {}, source="init", folder=Path())
    except tomllib.TOMLDecodeError:
        raise ConfigError("an answer holds control characters") from None
    except ConfigError as error:
        raise ConfigError(*(problem.removeprefix("init: ") for problem in error.problems)) from None
    if config.database.url.holds_password:
        raise ConfigError("database.url: no password belongs in a file; see password_env")
    return text


def _lines(answers: Answers) -> Iterator[str]:
    database = answers.database or DATABASE
    yield _HEAD.format(url=_quoted(database if "://" in database else f"sqlite:///{database}"))
    if answers.client_id is not None:
        yield "[github]"
        yield "# Of a GitHub App or OAuth app that allows the device flow."
        yield f"client_id = {_quoted(answers.client_id)}\n"
    yield "[[accounts]]"
    yield f"name = {_quoted(answers.username or 'me')}"
    if answers.username is not None:
        yield "# The public repositories of this user, without a token: 60 requests an hour."
        yield f"username = {_quoted(answers.username)}"
        return
    yield "# Where the token is; never write the token itself here."
    if answers.token is Token.gh:
        yield 'token_command = "gh auth token"'
    elif answers.token is Token.login:
        yield "keyring = true" if answers.keyring else f"token_file = {_quoted(TOKEN_FILE)}"
    else:
        yield f"token_env = {_quoted(answers.token_env or VARIABLE)}"
    yield '# visibility = "all"   # private repositories too'


def _quoted(text: str) -> str:
    """Return a text as TOML writes it, which is as in JSON."""
    return json.dumps(text, ensure_ascii=False)


def next_steps(answers: Answers) -> list[tuple[str, str]]:
    """Return the commands that come next, each with what it does."""
    steps = []
    if answers.username is None and answers.token is Token.login:
        steps.append(("repoledger login", "signs in at GitHub with a code"))
    elif answers.username is None and answers.token is not Token.gh:
        place = "github.com/settings/personal-access-tokens makes one"
        steps.append((f"export {answers.token_env or VARIABLE}=...", place))
    steps.append(("repoledger check", "tests everything, changes nothing"))
    steps.append(("repoledger backfill", "syncs once"))
    return steps
