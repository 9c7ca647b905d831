"""A token in the system's keyring, which may wait for a person to unlock it.

Only this file uses the library keyring. It is slow to import, so only accounts with
`keyring = true` import this file.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar

import keyring
from keyring.errors import NoKeyringError

from sync.core.errors import ConfigError, Interrupted
from sync.core.origin import authority
from sync.core.redaction import printable, protect_short_lived, scrub
from sync.core.waiting import Unanswered, ask
from sync.signin.token_store import TokenStore

T = TypeVar("T")

_SERVICE = "repoledger"
_PATIENCE = 60.0  # seconds: the keyring may ask a person

# Cleared while a request that we gave up is still unanswered.
_answered = threading.Event()
_answered.set()


class TokenKeyring(TokenStore):
    """The keyring's entry for one account, named by the account and the API's host."""

    def __init__(self, account: str, api_url: str, stop: threading.Event | None = None) -> None:
        super().__init__(account, stop)
        self.entry = f"{account} at {authority(api_url)}"

    def __str__(self) -> str:
        return "the system's keyring"

    def require(self) -> None:
        trial = f"{self.entry}, to see whether it can be kept"
        self._ask(partial(keyring.set_password, _SERVICE, trial, "kept"))
        if self._read(trial) != "kept":
            raise self._unusable("it does not store entries")
        self._ask(partial(keyring.delete_password, _SERVICE, trial))

    def read(self) -> str:
        secret = self._read(self.entry)
        if not secret:
            raise ConfigError(
                f"account {self.account}: there is no token in the keyring; "
                f"get one with `repoledger login --account {self.account}`"
            )
        protect_short_lived(secret)
        return secret

    def write(self, secret: str) -> None:
        self._ask(partial(keyring.set_password, _SERVICE, self.entry, secret))

    def remove(self) -> bool:
        if not self._read(self.entry):
            return False
        self._ask(partial(keyring.delete_password, _SERVICE, self.entry))
        return True

    def lock_file(self) -> Path:
        state = os.environ.get("XDG_STATE_HOME", "")
        try:
            folder = (Path(state) if state else Path.home() / ".local" / "state") / _SERVICE
        except RuntimeError:
            raise self._unusable("this user has no home folder; set HOME") from None
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = blake2b(self.entry.encode(), digest_size=8).hexdigest()
        return folder / f"{name}.lock"

    def _read(self, entry: str) -> str | None:
        return self._ask(partial(keyring.get_password, _SERVICE, entry), self._stop)

    def _ask(self, question: Callable[[], T], stop: threading.Event | None = None) -> T:
        try:
            return _ask_once(question, stop)
        except Interrupted:
            raise
        except Unanswered:
            reason = f"it has not answered within {_PATIENCE:g} s; if it is locked, unlock it"
        except NoKeyringError:
            reason = "this machine has none"
        except Exception as error:  # KeyringError, or an error of the backend's system: D-Bus, COM
            reason = printable(scrub(str(error)))[:200] or type(error).__name__
        raise self._unusable(reason)

    def _unusable(self, reason: str) -> ConfigError:
        return ConfigError(
            f"account {self.account}: the keyring cannot be used: {reason}; to use a file "
            "instead, set token_file"
        )


def _ask_once(question: Callable[[], T], stop: threading.Event | None) -> T:
    """Return the keyring's answer. Raises Unanswered, Interrupted, and errors of the keyring.

    A request that was given up keeps its thread; until that ends, no other request is made.
    """
    global _answered
    if not _answered.is_set():
        raise Unanswered
    answered = threading.Event()
    try:
        return ask(question, patience=_PATIENCE, stop=stop, too_late=answered.set)
    except (Unanswered, Interrupted):
        _answered = answered
        raise
