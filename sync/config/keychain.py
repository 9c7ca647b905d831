"""Tokens in the system's keyring, by way of the package keyring."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from sync.errors import ConfigError
from sync.redaction import protect, scrub

T = TypeVar("T")

_SERVICE = "repoledger"


class Keychain:
    """An account's place in the keyring: one for each name and API."""

    def __init__(self, account: str, api_url: str) -> None:
        self.account = account
        self.entry = f"{account} at {urlsplit(api_url).netloc}"

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
