"""Reads secrets from the files and environment variables that a configuration names."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from sync.config.files import read_text
from sync.core.errors import ConfigError
from sync.core.redaction import protect_short_lived
from sync.core.waiting import Unanswered

_LONGEST_SECRET = 64 * 1024  # bytes
_PATIENCE = 30.0  # seconds: a pipe's writer may have to ask a person


def secret_in_file(file: str, what: str, stop: threading.Event | None = None) -> str:
    """Return the secret in a file. Raises ConfigError, which never shows it.

    Waits for a pipe, 30 s at most. Raises Interrupted when `stop` is set.
    """
    secret, reason = "", None
    try:
        secret = read_text(file, limit=_LONGEST_SECRET, patience=_PATIENCE, stop=stop)
    except Unanswered:
        reason = f"nothing was written to it within {_PATIENCE:g} s"
    except OSError as error:
        reason = error.strerror
    except UnicodeDecodeError:
        reason = "it is not text"
    except ValueError as error:
        reason = str(error)
    if reason is not None:  # outside of the handler: the original error holds the content
        raise ConfigError(f"{what} {file} cannot be read: {reason}")
    if not secret.strip():
        raise ConfigError(f"{what} {file} is empty")
    protect_short_lived(secret.strip())
    return secret


def secret_from_variable(variable: str, environ: Mapping[str, str], what: str) -> str:
    """Return the secret in an environment variable. Raises ConfigError, which never shows it."""
    secret = environ.get(variable, "")
    if not secret.strip():
        state = "is empty" if variable in environ else "is not set"
        raise ConfigError(f"{what}: the environment variable {variable} {state}")
    protect_short_lived(secret.strip())
    return secret
