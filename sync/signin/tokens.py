"""Reads an account's token or key from the place that the configuration names."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping

from sync.config.secrets import secret_from_variable, secret_in_file
from sync.config.sections import Account, ForgeSettings
from sync.core.errors import ConfigError
from sync.core.extras import needed_for
from sync.core.redaction import protect_short_lived
from sync.signin.token_commands import output_of
from sync.signin.token_file import TokenFile
from sync.signin.token_store import TokenStore

# Characters that are often copied along with a token; no token contains any of them.
_AROUND = "\"'`‘’‚“”„«»‹›<>,;"
# Texts that people paste in place of a token; the message names the first that matches.
_NO_TOKENS = tuple(
    (re.compile(pattern, re.IGNORECASE | re.ASCII), kind)
    for pattern, kind in (
        (r"$", "empty, except for quotes"),
        (r"-----BEGIN ", "a key; private_key_file or private_key_env goes with app_id"),
        (r"\s*(#|//|--\s)", "a comment, or begins with one; put only the token there"),
        (r"\s*\[", "JSON; put only the token there"),
        (
            r"\s*((proxy-)?authorization\W*:|(bearer|basic|token)\s)",
            "a header; put only the token there",
        ),
        (r"[a-z][a-z0-9+.-]*://", "a URL; put only the token there"),
        (r"(\w+\s+)*\$?[\w.:-]+\s*=\s*[\"'\w]", "NAME=TOKEN; put only the token there"),
        (r"\$|%\w+%", "a variable's name; the shell or Compose has not replaced it by its value"),
        (r"[\w.-]+[\"'’”]?\s*:", "NAME:TOKEN; put only the token there"),
        (r".*\\[nrt]", "a token with an escaped line break or tab (\\n, \\t); remove that"),
        (r"\S+\s+\S", "several words, or contains a line break; copy the token again"),
        (
            r"(?![\w.~+/=-]+\s*$)",
            "a token with a character that no token contains; copy it again",
        ),
    )
)
_PUBLIC_API = str(ForgeSettings().api_url)


def read_token(
    account: Account,
    environ: Mapping[str, str],
    api_url: str = _PUBLIC_API,
    stop: threading.Event | None = None,
) -> str | None:
    """Return the account's present token; None if the configuration names no token.

    Raises ConfigError, which never shows the token, and Interrupted when `stop` is set.
    """
    what = f"account {account.name}"
    if account.token_env is not None:
        return _bare(secret_from_variable(account.token_env, environ, what), what)
    if account.token_command is not None:
        return _bare(output_of(account.token_command, what, stop=stop), what)
    store = token_store_of(account, api_url, stop)
    return _bare(store.read(), what) if store is not None else None


def token_store_of(
    account: Account, api_url: str, stop: threading.Event | None = None
) -> TokenStore | None:
    """Return the store where `login` saves the account's token; None if none is configured."""
    if account.keyring:
        with needed_for(f"account {account.name}: keyring = true", "keyring"):
            from sync.signin.token_keyring import TokenKeyring
        return TokenKeyring(account.name, api_url, stop)
    return TokenFile(account.name, account.token_file, stop) if account.token_file else None


def _bare(text: str, what: str) -> str:
    """Return a token without quotes and blanks around it. Raises ConfigError if it is no token.

    JSON, in which `login` saves a token with expiry, is not changed; see `decode_saved`.
    """
    if text.lstrip().startswith("{"):
        return text
    token = text.rstrip().strip(_AROUND)
    protect_short_lived(token)
    kind = next((kind for pattern, kind in _NO_TOKENS if pattern.match(token)), None)
    if kind is not None:
        raise ConfigError(f"{what}: the text in place of the token is {kind}")
    return token


def read_private_key(
    account: Account, environ: Mapping[str, str], stop: threading.Event | None = None
) -> str:
    """Return the private key of the account's App. Raises as `read_token` does."""
    what = f"account {account.name}"
    if account.private_key_env is not None:
        return secret_from_variable(account.private_key_env, environ, what)
    return secret_in_file(str(account.private_key_file), f"{what}: the private key file", stop)


def require_secret(account: Account, environ: Mapping[str, str], api_url: str) -> None:
    """Raise ConfigError if the account's secret cannot be read now."""
    if account.app_id is not None:
        read_private_key(account, environ)
    else:
        read_token(account, environ, api_url)
