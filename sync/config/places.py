"""Where a token is kept that the program has got by itself: the keyring, or a file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar
from urllib.parse import urlsplit

from sync.errors import ConfigError
from sync.redaction import protect, scrub

if TYPE_CHECKING:
    from sync.config.sections import Account

T = TypeVar("T")


class Place(Protocol):
    """A place that a token can be put into, and taken out of. Each method raises ConfigError."""

    def __str__(self) -> str: ...

    def require(self) -> None: ...

    def write(self, secret: str) -> None: ...

    def remove(self) -> bool: ...


def place_of(account: Account, api_url: str) -> Place | None:
    """Return where the program may put the account's token; None if that is not for it to do."""
    if account.keyring:
        return Keychain(account.name, api_url)
    return TokenFile(account.name, account.token_file) if account.token_file else None


class TokenFile:
    """A file that only its owner can read."""

    def __init__(self, account: str, file: str) -> None:
        self.account = account
        self.file = Path(file)

    def __str__(self) -> str:
        return str(self.file)

    def require(self) -> None:
        """Raise ConfigError if nothing can be put there."""
        if not os.access(self.file.parent, os.W_OK):
            raise ConfigError(
                f"account {self.account}: {self.file} cannot be written: its folder is not there, "
                "or not writable"
            )

    def write(self, secret: str) -> None:
        """Put `secret` there, whole or not at all. Raises ConfigError."""
        temporary = None
        try:
            # In the same folder, with a name of its own, readable by nobody else.
            handle, temporary = tempfile.mkstemp(prefix=".", dir=self.file.parent)
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(secret + "\n")
            Path(temporary).replace(self.file)
        except OSError as error:
            if temporary is not None:
                with suppress(OSError):
                    Path(temporary).unlink()
            raise ConfigError(
                f"account {self.account}: {self.file} cannot be written: {error.strerror}"
            ) from None

    def remove(self) -> bool:
        """Remove the file; tell whether there was one. Raises ConfigError."""
        try:
            self.file.unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise ConfigError(
                f"account {self.account}: {self.file} cannot be removed: {error.strerror}"
            ) from None
        return True


_SERVICE = "repoledger"


class Keychain:
    """An account's place in the keyring: one for each name and API."""

    def __init__(self, account: str, api_url: str) -> None:
        self.account = account
        self.entry = f"{account} at {urlsplit(api_url).netloc}"

    def __str__(self) -> str:
        return "the system's keyring"

    def require(self) -> None:
        """Raise ConfigError if there is no keyring."""
        import keyring

        self._ask(lambda: keyring.get_password(_SERVICE, self.entry))

    def read(self) -> str:
        """Return what is kept there. Raises ConfigError."""
        import keyring

        secret = self._ask(lambda: keyring.get_password(_SERVICE, self.entry))
        if not secret:
            raise ConfigError(
                f"account {self.account}: there is no token in the keyring; "
                f"`repoledger login --account {self.account}` gets one"
            )
        protect(secret)
        return secret

    def write(self, secret: str) -> None:
        """Keep `secret` there. Raises ConfigError."""
        import keyring

        self._ask(lambda: keyring.set_password(_SERVICE, self.entry, secret))

    def remove(self) -> bool:
        """Forget it; tell whether there was something. Raises ConfigError."""
        import keyring

        if not self._ask(lambda: keyring.get_password(_SERVICE, self.entry)):
            return False
        self._ask(lambda: keyring.delete_password(_SERVICE, self.entry))
        return True

    def _ask(self, action: Callable[[], T]) -> T:
        from keyring.errors import KeyringError, NoKeyringError

        try:
            return action()
        except NoKeyringError:
            reason = "there is none on this machine"
        except KeyringError as error:
            reason = scrub(str(error)) or type(error).__name__
        except Exception as error:  # a backend fails as its system does: D-Bus, COM
            reason = type(error).__name__
        raise ConfigError(
            f"account {self.account}: the keyring cannot be used: {reason}; token_file names a "
            "file instead"
        )
