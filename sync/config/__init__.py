"""The configuration: found, read once, checked whole, frozen.

Every problem is reported at once, each with its file or variable, its key and
what would be right (ConfigError). Secrets are not part of it: an account
names where its token is, and `read_token` fetches it when it is needed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from sync.config.reading import PREFIX, FromEnvironment, Reader, overlay, suggestion
from sync.config.values import ApiUrl, Cron, DatabaseUrl, Seconds, TimeZone
from sync.errors import ConfigError
from sync.redaction import protect, scrub

DEFAULT_PATH = Path("config.toml")
PATH_VARIABLE = "REPOLEDGER_CONFIG"

Affiliation = Literal["owner", "collaborator", "organization_member"]
AccountName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        description="at most 64 letters, digits, dots, hyphens and underscores",
    ),
]
Login = Annotated[
    str,
    Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$", description="a GitHub login"),
]
Variable = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="the name of an environment variable, such as GITHUB_TOKEN",
    ),
]
FileName = Annotated[str, Meta(pattern=r"^[^\x00]+$", description="the path of a file")]


class Database(Struct, frozen=True, kw_only=True):
    """Where the ledger is kept."""

    url: DatabaseUrl = DatabaseUrl("sqlite:///repoledger.db")
    migrate: Annotated[Literal["auto", "manual"], Meta(description='"auto" or "manual"')] = "auto"


class Schedule(Struct, frozen=True, kw_only=True):
    """When the daemon syncs. Times in seconds; `cron` is None if `every` is given."""

    cron: Cron | None = None
    every: Seconds | None = None
    timezone: TimeZone = TimeZone("UTC")
    jitter: Seconds = Seconds(30)
    run_at_start: Annotated[bool, Meta(description="true or false")] = True


class GitHub(Struct, frozen=True, kw_only=True):
    """How GitHub is asked. Times in seconds."""

    api_url: ApiUrl = ApiUrl("https://api.github.com")
    concurrency: Annotated[
        int, Meta(ge=1, le=100, description="a whole number from 1 to 100 (GitHub's limit)")
    ] = 4
    reserve: Annotated[
        float, Meta(ge=0, lt=1, description="a share of at least 0 and less than 1, such as 0.1")
    ] = 0.1
    max_wait: Seconds = Seconds(15 * 60)
    timeout: Seconds = Seconds(30)


class Removals(Struct, frozen=True, kw_only=True):
    """What happens to repositories that are no longer listed."""

    max_share: Annotated[float, Meta(ge=0, le=1, description="a share from 0 to 1")] = 0.2
    on_private: Annotated[
        Literal["keep", "redact", "purge"], Meta(description='"keep", "redact" or "purge"')
    ] = "redact"


class Account(Struct, frozen=True, kw_only=True):
    """An identity whose repositories are synced."""

    name: AccountName
    username: Login | None = None
    token_env: Variable | None = None
    token_file: FileName | None = None
    visibility: Annotated[
        Literal["public", "private", "all"], Meta(description='"public", "private" or "all"')
    ] = "public"
    affiliation: Annotated[
        tuple[Affiliation, ...],
        Meta(
            min_length=1,
            description='a list of "owner", "collaborator" and "organization_member"',
        ),
    ] = ("owner", "collaborator", "organization_member")

    @property
    def signs_in(self) -> bool:
        """Whether it has a token, rather than reading publicly."""
        return self.token_env is not None or self.token_file is not None


class Config(Struct, frozen=True, kw_only=True):
    """A configuration that has passed every check."""

    source: str
    database: Database
    schedule: Schedule
    github: GitHub
    removals: Removals
    accounts: tuple[Account, ...]

    def account(self, name: str) -> Account:
        """Return the account called `name`. Raises ConfigError."""
        for account in self.accounts:
            if account.name == name:
                return account
        known = [account.name for account in self.accounts]
        raise ConfigError(f"there is no account {name!r} in {self.source}{suggestion(name, known)}")


_SECTIONS: dict[str, type[Struct]] = {
    "database": Database,
    "schedule": Schedule,
    "github": GitHub,
    "removals": Removals,
}


def load(path: Path | None, environ: Mapping[str, str]) -> Config:
    """Read and check the configuration. Raises ConfigError with every problem there is.

    `path` is what the user named; else `$REPOLEDGER_CONFIG`, else
    `./config.toml`, else variables alone if they name accounts. Relative files
    in it are relative to its folder.
    """
    named = path or (Path(environ[PATH_VARIABLE]) if environ.get(PATH_VARIABLE) else None)
    if named is None and not DEFAULT_PATH.exists():
        if not any(name.startswith(f"{PREFIX}ACCOUNTS__") for name in environ):
            raise ConfigError(
                f"there is no {DEFAULT_PATH} in this folder; `repoledger init` writes one, "
                f"--config or ${PATH_VARIABLE} names another"
            )
        return parse({}, environ, source="environment", folder=Path())
    file = named or DEFAULT_PATH
    return parse(_read_toml(file), environ, source=str(file), folder=file.parent)


def parse(
    table: dict[str, Any], environ: Mapping[str, str], *, source: str, folder: Path
) -> Config:
    """Check the tables of a configuration and freeze them. Raises ConfigError."""
    reader = Reader(source)
    tables = overlay(table, environ)
    known = [*_SECTIONS, "accounts"]
    for name, value in tables.items():
        if name not in known:
            first = next(iter(value.values()), None) if isinstance(value, dict) else value
            reader.complain(name, f"unknown section{suggestion(name, known)}", first)
    _complain_of_single_underscores(reader, environ)
    built = {
        name: reader.build(kind, tables.get(name, {}), name) for name, kind in _SECTIONS.items()
    }
    accounts = _accounts(reader, tables.get("accounts", []))
    if isinstance(built["schedule"], Schedule):
        built["schedule"] = _with_one_rhythm(reader, built["schedule"])
    if isinstance(built["github"], GitHub) and built["github"].timeout <= 0:
        reader.complain("github.timeout", "must be more than 0s")
    if reader.problems:
        raise ConfigError(*reader.problems)
    config = Config(source=source, accounts=accounts, **built)  # type: ignore[arg-type]  # built
    return _resolved(config, tables, folder)


def read_token(account: Account, environ: Mapping[str, str]) -> str | None:
    """Return the account's token as it stands in its variable or file; None if it names none.

    Raises ConfigError, which never shows it.
    """
    if account.token_env is not None:
        token = environ.get(account.token_env, "")
        if not token:
            raise ConfigError(
                f"account {account.name}: the environment variable {account.token_env} is not set"
            )
    elif account.token_file is not None:
        token, reason = "", None
        try:
            token = Path(account.token_file).read_text(encoding="utf-8")
        except OSError as error:
            reason = error.strerror
        except UnicodeDecodeError:
            reason = "it is not text"
        if reason is not None:  # raised outside of the handler: the original holds the content
            raise ConfigError(
                f"account {account.name}: the token file {account.token_file} "
                f"cannot be read: {reason}"
            )
        if not token.strip():
            raise ConfigError(
                f"account {account.name}: the token file {account.token_file} is empty"
            )
    else:
        return None
    protect(token.strip())
    return token


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        problem = "is not UTF-8 text"
    except (ValueError, RecursionError) as error:  # not TOML, or a number of 5,000 digits
        problem = f"is not valid TOML: {scrub(str(error))}"
    # Outside of the handlers: an original may hold the text, and so what was pasted into it.
    raise ConfigError(f"{file}: {problem}")


def _accounts(reader: Reader, tables: Any) -> tuple[Account, ...]:
    if not isinstance(tables, list):
        reader.complain("accounts", "must be a list of tables, each written [[accounts]]")
        return ()
    if not tables:
        reader.complain("accounts", "at least one [[accounts]] is needed")
    accounts: list[Account] = []
    for index, table in enumerate(tables):
        where = f"accounts[{index}]"
        account = reader.build(Account, table, where)
        if account is None:
            continue
        if account.token_env and account.token_file:
            reader.complain(where, "give token_env or token_file, not both")
        if not (account.token_env or account.token_file or account.username):
            reader.complain(where, "needs token_env, token_file, or a username to read without one")
        if any(account.name.lower() == other.name.lower() for other in accounts):
            reader.complain(f"{where}.name", f"the name {account.name!r} is given twice")
        accounts.append(account)
    return tuple(accounts)


def _with_one_rhythm(reader: Reader, schedule: Schedule) -> Schedule:
    if schedule.cron is not None and schedule.every is not None:
        reader.complain("schedule", "give cron or every, not both")
    elif schedule.every is not None and schedule.every < 1:
        reader.complain("schedule.every", "must be at least 1s")
    elif schedule.every is None and schedule.cron is None:
        return replace(schedule, cron=Cron("0 * * * *"))
    return schedule


def _complain_of_single_underscores(reader: Reader, environ: Mapping[str, str]) -> None:
    flat = {
        f"{PREFIX}{section}_{key}".upper(): f"{PREFIX}{section}__{key}".upper()
        for section, kind in _SECTIONS.items()
        for key in kind.__struct_fields__
    }
    for variable, right in flat.items():
        if variable in environ:
            reader.problems.append(f"{variable}: unknown variable; did you mean {right}?")


def _resolved(config: Config, tables: dict[str, Any], folder: Path) -> Config:
    """Return `config` with relative files taken from the folder of the file that names them.

    So that `repoledger --config /etc/repoledger/config.toml` finds the same
    ledger from every folder, a cron job's included. Variables are relative to
    the working folder, as elsewhere.
    """
    url = config.database.url
    path = Path(re.sub(r"(?i)^sqlite:///", "", url))
    if not isinstance(tables.get("database", {}).get("url"), FromEnvironment):
        path = folder / path
    accounts = tuple(
        replace(account, token_file=str(folder / account.token_file))
        if account.token_file is not None
        and not isinstance(tables["accounts"][index].get("token_file"), FromEnvironment)
        else account
        for index, account in enumerate(config.accounts)
    )
    database = replace(config.database, url=DatabaseUrl(f"sqlite:///{path}"))
    return replace(config, database=database, accounts=accounts)
