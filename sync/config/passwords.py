"""Reads the password of a database from the place that the user names."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from sync.config.database_url import DatabaseUrl
from sync.config.files import at_home
from sync.config.secrets import secret_from_variable, secret_in_file
from sync.config.sections import Database
from sync.core.errors import ConfigError


def with_password(database: Database, environ: Mapping[str, str]) -> Database:
    """Return `database` with the password in its URL. Raises ConfigError."""
    if database.password_env is not None:
        password = secret_from_variable(database.password_env, environ, "database")
    elif database.password_file is not None:
        password = secret_in_file(database.password_file, "database: the password file")
    else:
        return database
    password = password.removesuffix("\n").removesuffix("\r")
    return replace(database, url=database.url.with_password(password))


def other_database(
    url: str, password_env: str | None, password_file: str | None, environ: Mapping[str, str]
) -> DatabaseUrl:
    """Return a database that the command line names, with its password. Raises ConfigError."""
    try:
        parsed = DatabaseUrl.parse(url).at_home()
    except ValueError as error:
        raise ConfigError(f"the URL of the other database {error}") from None
    if parsed.holds_password:
        raise ConfigError(
            "the URL contains a password, and every user of this machine can see it in the list "
            "of processes; use --password-env or --password-file instead"
        )
    if parsed.is_file and (password_env or password_file):
        raise ConfigError("a SQLite file has no password: omit --password-env and --password-file")
    if password_env and password_file:
        raise ConfigError("give --password-env or --password-file, not both")
    named = Database(
        url=parsed,
        password_env=password_env,
        password_file=password_file and at_home(password_file),
    )
    return with_password(named, environ).url
