"""Fetching an account's token, and the database's password, from where the configuration says."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from sync.config.commands import output_of
from sync.config.places import place_of
from sync.config.reading import secret_in
from sync.config.sections import Account, Database, GitHub
from sync.config.values import DatabaseUrl
from sync.errors import ConfigError
from sync.redaction import protect

_PUBLIC_API = str(GitHub().api_url)


def read_token(
    account: Account, environ: Mapping[str, str], api_url: str = _PUBLIC_API
) -> str | None:
    """Return the account's token as it is now, from wherever it is; None if it names none.

    Raises ConfigError, which never shows it.
    """
    what = f"account {account.name}"
    if account.token_env is not None:
        return _from_variable(account.token_env, environ, what)
    if account.token_command is not None:
        return output_of(account.token_command, what)
    place = place_of(account, api_url)
    return place.read() if place is not None else None


def read_private_key(account: Account, environ: Mapping[str, str]) -> str:
    """Return the private key of the account's App. Raises ConfigError, which never shows it."""
    what = f"account {account.name}"
    if account.private_key_env is not None:
        return _from_variable(account.private_key_env, environ, what)
    return secret_in(str(account.private_key_file), f"{what}: the private key file")


def require_secret(account: Account, environ: Mapping[str, str], api_url: str) -> None:
    """Raise ConfigError if the secret that the account names is not to be had now."""
    if account.app_id is not None:
        read_private_key(account, environ)
    else:
        read_token(account, environ, api_url)


def with_password(database: Database, environ: Mapping[str, str]) -> Database:
    """Return `database` with the password in its URL. Raises ConfigError."""
    if database.password_env is not None:
        password = _from_variable(database.password_env, environ, "database")
    elif database.password_file is not None:
        password = secret_in(database.password_file, "database: the password file")
    else:
        return database
    password = password.removesuffix("\n").removesuffix("\r")
    return replace(database, url=database.url.with_password(password))


def other_database(
    url: str, password_env: str | None, password_file: str | None, environ: Mapping[str, str]
) -> DatabaseUrl:
    """Return a database that the command line names, with its password. Raises ConfigError."""
    try:
        parsed = DatabaseUrl.parse(url)
    except ValueError as error:
        raise ConfigError(f"the URL of the other database {error}") from None
    if parsed.holds_password:
        raise ConfigError(
            "the URL holds a password, which everybody on this machine can see in the list of "
            "processes; leave it out, and use --password-env or --password-file"
        )
    if parsed.is_file and (password_env or password_file):
        raise ConfigError("a SQLite file has no password")
    if password_env and password_file:
        raise ConfigError("give --password-env or --password-file, not both")
    named = Database(
        url=parsed,
        password_env=password_env,
        password_file=password_file,
    )
    return with_password(named, environ).url


def _from_variable(variable: str, environ: Mapping[str, str], what: str) -> str:
    secret = environ.get(variable, "")
    if not secret.strip():
        state = "is empty" if variable in environ else "is not set"
        raise ConfigError(f"{what}: the environment variable {variable} {state}")
    protect(secret.strip())
    return secret
