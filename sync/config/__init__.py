"""The configuration: found, read once, checked as a whole, frozen.

All mistakes are reported together, each with its file or variable, its key and a valid
value (ConfigError). Secrets are not part of it: an account names the place of its token,
and `signin.tokens.read_token` reads it when it is needed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from sync.config.accounts import complain_of_haste, read_accounts
from sync.config.database_url import DatabaseUrl
from sync.config.file_owner import other_owner
from sync.config.files import at_home, read_text, users_own
from sync.config.forges import forge_tables, read_forges
from sync.config.passwords import other_database, with_password
from sync.config.resources import Resources, ResourceSetting, complain_of_loss, settings_of
from sync.config.schedules import jitter_problems
from sync.config.sections import (
    DEFAULT_FORGE,
    Account,
    Database,
    ForgeSettings,
    Http,
    Ping,
    Removals,
    Retention,
    Schedule,
    section_of,
)
from sync.config.structs import (
    PREFIX,
    FromEnvironment,
    Reader,
    is_from_environment,
    overlay,
    replaced,
    suggestion,
    texts_in,
)
from sync.config.values import Command, Cron
from sync.core.errors import ConfigError
from sync.core.redaction import protect_typed, scrub

__all__ = ["Account", "Config", "load", "other_database", "parse"]

DEFAULT_PATH = Path("config.toml")
PATH_VARIABLE = "REPOLEDGER_CONFIG"
_LONGEST_FILE = 1024 * 1024  # bytes


class Config(Struct, frozen=True, kw_only=True):
    """A configuration that has passed every check.

    `secret_files` are the files that contain its secrets; the configuration may be one.
    """

    source: str
    secret_files: tuple[str, ...] = ()
    database: Database
    schedule: Schedule
    forges: Mapping[str, ForgeSettings]
    removals: Removals
    resources: Resources
    retention: Retention
    http: Http
    ping: Ping
    accounts: tuple[Account, ...]

    def forge_of(self, account: Account) -> ForgeSettings:
        """Return the settings of the host of `account`."""
        return self.forges[account.forge]

    def resources_of(self, account: Account) -> Mapping[str, ResourceSetting]:
        """Return the setting of every resource for `account`, by name."""
        return settings_of(account.resources, self.resources)

    def accounts_at(self, host: str) -> list[str]:
        """Return the names of the accounts that are synced from `host`."""
        return [each.name for each in self.accounts if self.forge_of(each).host == host]

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
    "removals": Removals,
    "resources": Resources,
    "retention": Retention,
    "http": Http,
    "ping": Ping,
}


def load(path: Path | None, environ: Mapping[str, str]) -> Config:
    """Read and check the configuration. Raises ConfigError with all mistakes.

    `path` is the file that the user named. Otherwise it is `$REPOLEDGER_CONFIG`; then
    `./config.toml` or the file in the user's configuration folder, unless it belongs to another
    user; then only variables, if they name accounts. Relative paths in the file are relative to
    its folder.
    """
    named = path or (Path(environ[PATH_VARIABLE]) if environ.get(PATH_VARIABLE) else None)
    protect_typed(str(named))
    named = named and Path(at_home(str(named)))
    places = [DEFAULT_PATH, *users_own(environ)]
    file = named or next((place for place in places if place.exists()), None)
    if file is None:
        if not any(name.startswith(f"{PREFIX}ACCOUNTS__") for name in environ):
            looked = " and ".join(map(str, places))
            raise ConfigError(
                f"there is no configuration: looked for {looked}; write one with "
                f"`repoledger init`, or name one with --config or ${PATH_VARIABLE}"
            )
        return parse({}, environ, source="environment", folder=Path())
    if named is None and (owner := other_owner(file)) is not None:
        place = f"{file} in this folder" if file == DEFAULT_PATH else str(file)
        raise ConfigError(
            f"{place} belongs to {owner}; it could run commands, or send your token "
            f"elsewhere. If you trust it, name it with --config or ${PATH_VARIABLE}"
        )
    return parse(_read_toml(file), environ, source=str(file), folder=file.parent)


def parse(
    table: dict[str, Any], environ: Mapping[str, str], *, source: str, folder: Path
) -> Config:
    """Check the tables of a configuration and freeze them. Raises ConfigError."""
    reader = Reader(source)
    tables = overlay(table, environ)
    protect_typed(*texts_in(tables))
    known = [*_SECTIONS, DEFAULT_FORGE, "forges", "accounts"]
    for name, value in tables.items():
        if name not in known:
            first = next(iter(value.values()), None) if isinstance(value, dict) else value
            reader.complain(name, f"unknown section{suggestion(name, known)}", first)
    _complain_of_single_underscores(reader, tables, environ)
    for name, inner in replaced(environ):
        reader.problems.append(scrub(f"{name}: give {name} or {inner}, not both"))
    built = {
        name: reader.build(kind, tables.get(name, {}), name) for name, kind in _SECTIONS.items()
    }
    forges = read_forges(reader, tables)
    names = forge_tables(tables)
    accounts = read_accounts(reader, tables.get("accounts", []), names, forges)
    schedule = built["schedule"]
    if isinstance(schedule, Schedule):
        complain_of_haste(reader, "schedule", schedule)
        if schedule.every is None and schedule.cron is None:
            built["schedule"] = replace(schedule, cron=Cron("0 * * * *"))
    if isinstance(built["resources"], Resources):
        complain_of_loss(reader, "resources", built["resources"], tables.get("resources"))
    if isinstance(built["database"], Database):
        table = tables.get("database", {})
        built["database"] = _with_one_password(reader, built["database"], table)
    if not reader.problems:
        for key, problem in jitter_problems(built["schedule"], accounts):  # type: ignore[arg-type]  # built
            reader.complain(key, problem)
    if reader.problems:
        raise ConfigError(*reader.problems)
    config = Config(source=source, forges=forges, accounts=accounts, **built)  # type: ignore[arg-type]  # built
    config = _resolved(config, tables, folder)
    config = replace(config, secret_files=tuple(_secret_files(config, tables)))
    return replace(config, database=with_password(config.database, environ))


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        text = read_text(file, limit=_LONGEST_FILE)
        protect_typed(text)
        return tomllib.loads(text)
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        problem = "is not UTF-8 text"
    except (ValueError, RecursionError) as error:  # not TOML, or a number of 5,000 digits
        problem = f"is not valid TOML: {scrub(str(error))}"
    # Outside of the handlers: the original error may quote the file, and so a pasted secret.
    raise ConfigError(f"{file}: {problem}")


def _with_one_password(reader: Reader, database: Database, table: Mapping[str, Any]) -> Database:
    """Return `database` without the file's password if a variable's URL has a password."""
    named = [name for name in ("password_env", "password_file") if getattr(database, name)]
    if is_from_environment(table.get("url")) and (
        database.url.is_file or database.url.holds_password
    ):
        dropped = [name for name in named if not is_from_environment(table[name])]
        database = replace(database, **dict.fromkeys(dropped))
        named = [name for name in named if name not in dropped]
    if named and database.url.is_file:
        reader.complain(f"database.{named[0]}", "has no meaning for a SQLite file", table[named[0]])
    return database


def _complain_of_single_underscores(
    reader: Reader, tables: Mapping[str, Any], environ: Mapping[str, str]
) -> None:
    sections = _SECTIONS | {section_of(name): ForgeSettings for name in forge_tables(tables)}
    for section, kind in sections.items():
        for key in kind.__struct_fields__:
            path = (*section.split("."), key)
            flat, right = (PREFIX + mark.join(path).upper() for mark in ("_", "__"))
            if flat in environ:
                reader.problems.append(f"{flat}: unknown variable; did you mean {right}?")


def _secret_files(config: Config, tables: Mapping[str, Any]) -> Iterator[str]:
    """Yield the files that contain secrets: a password in a URL, or named files."""
    url = tables.get("database", {}).get("url")
    if config.database.url.holds_password and not isinstance(url, FromEnvironment):
        yield config.source
    named = [config.database.password_file]
    for account in config.accounts:
        named += [account.token_file, account.private_key_file]
    yield from (file for file in named if file is not None)


def _from_folder(account: Account, table: Any, folder: Path) -> Account:
    """Return an account whose command, if it is a path, is relative to the configuration."""
    if account.token_command is None:
        return account
    program, *arguments = map(at_home, account.token_command)
    # A name without a folder is searched in PATH, as in a shell.
    if Path(program).name != program and not is_from_environment(table.get("token_command")):
        program = str(folder.absolute() / program)
    return replace(account, token_command=Command((program, *arguments)))


def _resolved(config: Config, tables: dict[str, Any], folder: Path) -> Config:
    """Return `config` with relative paths resolved against the configuration's folder.

    So `repoledger --config /etc/repoledger/config.toml` finds the same ledger from every
    folder, as a cron job has to. Paths in variables are relative to the working folder.
    """

    def found(table: Any, name: str, value: str | None) -> str | None:
        here = value is None or isinstance(table.get(name), FromEnvironment)
        return value and at_home(value) if here else str(folder / at_home(str(value)))

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
    else:
        database = replace(database, url=database.url.at_home())
    file = found(table, "password_file", database.password_file)
    return replace(config, database=replace(database, password_file=file), accounts=accounts)
