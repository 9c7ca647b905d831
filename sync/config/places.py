"""Where a token is kept that the program has got by itself: the keyring, or a file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar
from urllib.parse import urlsplit

from sync.config.reading import secret_in
from sync.errors import ConfigError
from sync.redaction import printable, protect, scrub

if TYPE_CHECKING:
    from sync.config.sections import Account

T = TypeVar("T")

_LOCK_PATIENCE = 60.0  # seconds; whoever holds it asks GitHub for a new token


class Place(Protocol):
    """A place that a token can be put into, and taken out of. Each method raises ConfigError."""

    account: str

    def __str__(self) -> str: ...

    def require(self) -> None:
        """Raise ConfigError if nothing can be put there."""

    def read(self) -> str: ...

    def write(self, secret: str) -> None: ...

    def remove(self) -> bool:
        """Forget it; tell whether there was something."""

    def lock_file(self) -> Path:
        """Return what whoever changes it holds a lock on; see `held`. Raises OSError."""


def place_of(account: Account, api_url: str) -> Place | None:
    """Return where the program may put the account's token; None if that is not for it to do."""
    if account.keyring:
        return Keychain(account.name, api_url)
    return TokenFile(account.name, account.token_file) if account.token_file else None


@contextmanager
def held(place: Place) -> Iterator[None]:
    """Keep other processes and threads from changing `place` meanwhile. Raises ConfigError."""
    from filelock import FileLock, Timeout

    what = f"account {place.account}: {place}"
    lock, reason = None, None
    try:
        lock = FileLock(place.lock_file(), timeout=_LOCK_PATIENCE, mode=0o600)
        lock.acquire()
    except Timeout:
        reason = f"another process has been changing it for {_LOCK_PATIENCE:g} s"
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}"
    if lock is None or reason is not None:
        raise ConfigError(f"{what} cannot be changed: {reason}")
    try:
        yield
    finally:
        lock.release()


class TokenFile:
    """A file that only its owner can read."""

    def __init__(self, account: str, file: str) -> None:
        self.account = account
        self.file = Path(file)

    def __str__(self) -> str:
        return str(self.file)

    def lock_file(self) -> Path:
        target = self._target
        target.parent.stat()  # the lock would make the folder
        return target.with_name(f".{target.name}.lock")

    def require(self) -> None:
        """Raise ConfigError if nothing can be put there."""
        self._attempt("written", lambda: self._written_beside("").unlink())

    def read(self) -> str:
        """Return what is kept there. Raises ConfigError."""
        return secret_in(str(self.file), f"account {self.account}: the token file")

    def write(self, secret: str) -> None:
        """Put `secret` there, whole or not at all. Raises ConfigError."""

        def write() -> None:
            temporary = self._written_beside(secret + "\n")
            try:
                temporary.replace(self._target)
            except OSError:
                temporary.unlink()
                raise

        self._attempt("written", write)

    def remove(self) -> bool:
        """Remove the file; tell whether there was one. Raises ConfigError."""
        there = self.file.exists()
        self._attempt("removed", lambda: self._target.unlink(missing_ok=True))
        return there

    @property
    def _target(self) -> Path:
        """The file itself: what a link leads to is replaced, not the link."""
        return Path(os.path.realpath(self.file))

    def _written_beside(self, text: str) -> Path:
        """Return a new file in the same folder, readable by nobody else, that holds `text`."""
        handle, name = tempfile.mkstemp(prefix=".", dir=self._target.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())  # or a loss of power leaves an empty file
        except OSError:
            with suppress(OSError):
                Path(name).unlink()
            raise
        return Path(name)

    def _attempt(self, done: str, action: Callable[[], object]) -> None:
        reason: str | None = "it is a folder" if self.file.is_dir() else None
        try:
            if reason is None:
                action()
        except OSError as error:
            reason = error.strerror
        if reason is not None:
            raise ConfigError(f"account {self.account}: {self.file} cannot be {done}: {reason}")


_SERVICE = "repoledger"


class Keychain:
    """An account's place in the keyring: one for each name and API."""

    def __init__(self, account: str, api_url: str) -> None:
        self.account = account
        self.entry = f"{account} at {urlsplit(api_url).netloc}"

    def __str__(self) -> str:
        return "the system's keyring"

    def lock_file(self) -> Path:
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        folder = Path(state) / _SERVICE
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = blake2b(self.entry.encode(), digest_size=8).hexdigest()
        return folder / f"{name}.lock"

    def require(self) -> None:
        """Raise ConfigError if the keyring does not keep what is put there."""
        trial = f"{self.entry}, to see whether it can be kept"
        self._set(trial, "kept")
        if self._get(trial) != "kept":
            raise self._unusable("it keeps nothing")
        self._delete(trial)

    def read(self) -> str:
        """Return what is kept there. Raises ConfigError."""
        secret = self._get(self.entry)
        if not secret:
            raise ConfigError(
                f"account {self.account}: there is no token in the keyring; "
                f"`repoledger login --account {self.account}` gets one"
            )
        protect(secret)
        return secret

    def write(self, secret: str) -> None:
        """Keep `secret` there. Raises ConfigError."""
        self._set(self.entry, secret)

    def remove(self) -> bool:
        """Forget it; tell whether there was something. Raises ConfigError."""
        if not self._get(self.entry):
            return False
        self._delete(self.entry)
        return True

    def _get(self, entry: str) -> str | None:
        import keyring

        return self._ask(lambda: keyring.get_password(_SERVICE, entry))

    def _set(self, entry: str, secret: str) -> None:
        import keyring

        self._ask(lambda: keyring.set_password(_SERVICE, entry, secret))

    def _delete(self, entry: str) -> None:
        import keyring

        self._ask(lambda: keyring.delete_password(_SERVICE, entry))

    def _ask(self, action: Callable[[], T]) -> T:
        from keyring.errors import KeyringError, NoKeyringError

        try:
            return action()
        except NoKeyringError:
            reason = "there is none on this machine"
        except KeyringError as error:
            reason = printable(scrub(str(error)))[:200] or type(error).__name__
        except Exception as error:  # a backend fails as its system does: D-Bus, COM
            reason = type(error).__name__
        raise self._unusable(reason)

    def _unusable(self, reason: str) -> ConfigError:
        return ConfigError(
            f"account {self.account}: the keyring cannot be used: {reason}; token_file names a "
            "file instead"
        )
