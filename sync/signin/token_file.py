"""A token in a file that only its owner can read."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sync.config.secrets import secret_in_file
from sync.core.disk import flush_folder
from sync.core.errors import ConfigError
from sync.signin.token_store import TokenStore


class TokenFile(TokenStore):
    """The file of one account's token; a symbolic link stands for its target."""

    def __init__(self, account: str, file: str, stop: threading.Event | None = None) -> None:
        super().__init__(account, stop)
        self.file = Path(file)

    def __str__(self) -> str:
        return str(self.file)

    def require(self) -> None:
        with self._changing("written") as target:
            _written_beside(target, "").unlink()

    def read(self) -> str:
        return secret_in_file(str(self.file), f"account {self.account}: the token file", self._stop)

    def write(self, secret: str) -> None:
        with self._changing("written") as target:
            new = _written_beside(target, secret + "\n")
            try:
                new.replace(target)
            except OSError:
                new.unlink()
                raise
            flush_folder(target.parent)

    def remove(self) -> bool:
        there = self.file.exists()
        with self._changing("removed") as target:
            target.unlink(missing_ok=True)
            flush_folder(target.parent)
        return there

    def lock_file(self) -> Path:
        target = self._target()
        target.parent.stat()  # the lock would make the folder
        return target.with_name(f".{target.name}.lock")

    def _target(self) -> Path:
        return Path(os.path.realpath(self.file))

    @contextmanager
    def _changing(self, done: str) -> Iterator[Path]:
        """Yield the file itself. Raises ConfigError if it cannot be `done`."""
        reason: str | None = "it is a folder"
        try:
            if not self.file.is_dir():
                yield self._target()
                return
        except OSError as error:
            reason = error.strerror
        raise ConfigError(f"account {self.account}: {self.file} cannot be {done}: {reason}")


def _written_beside(target: Path, text: str) -> Path:
    """Return a new file with `text` in the folder of `target`, readable only by its owner."""
    handle, name = tempfile.mkstemp(prefix=".", dir=target.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())  # otherwise a power failure leaves an empty file
    except OSError:
        with suppress(OSError):
            Path(name).unlink()
        raise
    return Path(name)
