"""The configuration: found, read once, checked whole, frozen.

Every problem is reported at once, each with its file or variable, its key and
what would be right (ConfigError). Secrets are not part of it: an account
names where its token is, and `tokens.read_token` fetches it when it is needed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from sync.config.commands import Command
from sync.config.reading import PREFIX, FromEnvironment, Reader, overlay, read_text, suggestion
from sync.config.sections import Account, Database, GitHub, Http, Ping, Removals, Schedule
from sync.config.tokens import other_database, with_password
from sync.config.values import Cron, DatabaseUrl
from sync.errors import ConfigError
from sync.redaction import scrub

__all__ = ["Account", "Config", "load", "other_database", "parse"]

DEFAULT_PATH = Path("config.toml")
PATH_VARIABLE = "REPOLEDGER_CONFIG"
_LONGEST_FILE = 1024 * 1024  # bytes


class Config(Struct, frozen=True, kw_only=True):
    """A configuration that has passed every check.

    `secret_files` are those that it takes secrets from, itself perhaps.
    """

    source: str
    secret_files: tuple[str, ...] = ()
    database: Database
    schedule: Schedule
    github: GitHub
    removals: Removals
    http: Http
    ping: Ping
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
    "http": Http,
    "ping": Ping,
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
    schedule = built["schedule"]
    if isinstance(schedule, Schedule):
        _complain_of_two_rhythms(reader, "schedule", schedule)
        if schedule.every is None and schedule.cron is None:
            built["schedule"] = replace(schedule, cron=Cron("0 * * * *"))
    if isinstance(built["database"], Database):
        _complain_of_passwords(reader, built["database"])
    if isinstance(built["github"], GitHub) and built["github"].timeout <= 0:
        reader.complain("github.timeout", "must be more than 0s")
    if reader.problems:
        raise ConfigError(*reader.problems)
    config = Config(source=source, accounts=accounts, **built)  # type: ignore[arg-type]  # built
    config = _resolved(config, tables, folder)
    config = replace(config, secret_files=tuple(_secret_files(config, tables)))
    return replace(config, database=with_password(config.database, environ))


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_text(file, limit=_LONGEST_FILE))
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
        _complain_of_secrets(reader, where, account)
        _complain_of_two_rhythms(reader, where, account)
        if any(account.name.lower() == other.name.lower() for other in accounts):
            reader.complain(f"{where}.name", f"the name {account.name!r} is given twice")
        accounts.append(account)
    return tuple(accounts)


def _complain_of_secrets(reader: Reader, where: str, account: Account) -> None:
    sources = account.sources
    if len(sources) > 1:
        reader.complain(where, f"give {' or '.join(sources)}, not both")
    if not sources and not account.username:
        reader.complain(
            where,
            "needs token_env, token_file, token_command, keyring or app_id, or a username to "
            "read without signing in",
        )
    keys = [key for key in ("private_key_env", "private_key_file") if getattr(account, key)]
    if account.app_id is None:
        for key in (*keys, *(["installation_id"] if account.installation_id else [])):
            reader.complain(f"{where}.{key}", "goes with app_id")
    elif not keys:
        reader.complain(where, "an App needs private_key_env or private_key_file")
    elif len(keys) > 1:
        reader.complain(where, f"give {' or '.join(keys)}, not both")
    if account.scheme == "basic" and not (account.username and sources and not account.app_id):
        reader.complain(f"{where}.scheme", '"basic" needs a username and a token')


def _complain_of_passwords(reader: Reader, database: Database) -> None:
    named = [name for name in ("password_env", "password_file") if getattr(database, name)]
    if len(named) > 1:
        reader.complain("database", "give password_env or password_file, not both")
    if named and database.url.is_file:
        reader.complain(f"database.{named[0]}", "has no meaning for a SQLite file")


def _complain_of_two_rhythms(reader: Reader, where: str, given: Schedule | Account) -> None:
    if given.cron is not None and given.every is not None:
        reader.complain(where, "give cron or every, not both")
    elif given.every is not None and given.every < 1:
        reader.complain(f"{where}.every", "must be at least 1s")


def _complain_of_single_underscores(reader: Reader, environ: Mapping[str, str]) -> None:
    flat = {
        f"{PREFIX}{section}_{key}".upper(): f"{PREFIX}{section}__{key}".upper()
        for section, kind in _SECTIONS.items()
        for key in kind.__struct_fields__
    }
    for variable, right in flat.items():
        if variable in environ:
            reader.problems.append(f"{variable}: unknown variable; did you mean {right}?")


def _secret_files(config: Config, tables: Mapping[str, Any]) -> Iterator[str]:
    """Yield the files that secrets are in: a password in a URL, or named files."""
    url = tables.get("database", {}).get("url")
    if config.database.url.holds_password and not isinstance(url, FromEnvironment):
        yield config.source
    named = [config.database.password_file]
    for account in config.accounts:
        named += [account.token_file, account.private_key_file]
    yield from (file for file in named if file is not None)


def _from_folder(account: Account, table: Any, folder: Path) -> Account:
    """Return an account whose command, if it is a path, begins at the configuration's folder."""
    command = account.token_command
    if command is None or isinstance(table.get("token_command"), FromEnvironment):
        return account
    program = command[0]
    if Path(program).name == program:  # to be searched for, as a shell does
        return account
    return replace(account, token_command=Command((str(folder.absolute() / program), *command[1:])))


def _resolved(config: Config, tables: dict[str, Any], folder: Path) -> Config:
    """Return `config` with relative files taken from the folder of the file that names them.

    So that `repoledger --config /etc/repoledger/config.toml` finds the same
    ledger from every folder, a cron job's included. Variables are relative to
    the working folder, as elsewhere.
    """

    def found(table: Any, name: str, value: str | None) -> str | None:
        here = value is None or isinstance(table.get(name), FromEnvironment)
        return value if here else str(folder / str(value))

    accounts = tuple(
        replace(
            _from_folder(account, tables["accounts"][index], folder),
            **{
                name: found(tables["accounts"][index], name, getattr(account, name))
                for name in ("token_file", "private_key_file")
            },
        )
        for index, account in enumerate(config.accounts)
    )
    table, database = tables.get("database", {}), config.database
    if database.url.is_file:
        path = found(table, "url", database.url.removeprefix("sqlite:///"))
        database = replace(database, url=DatabaseUrl(f"sqlite:///{path}"))
    file = found(table, "password_file", database.password_file)
    return replace(config, database=replace(database, password_file=file), accounts=accounts)
