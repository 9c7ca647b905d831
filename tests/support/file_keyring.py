"""A keyring that keeps its entries in the file $KEYRING_FILE, for PYTHON_KEYRING_BACKEND."""

from __future__ import annotations

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

NAME = "tests.support.file_keyring.Keyring"


def entries(file: Path) -> dict[str, str]:
    """Return what such a keyring holds."""
    return dict(json.loads(file.read_text("utf-8"))) if file.exists() else {}


class Keyring(KeyringBackend):
    """Holds passwords for as long as its file is there; locked if that is a folder.

    If it is a pipe, it waits for somebody who does not come.
    """

    priority = 1.0

    def get_password(self, service: str, username: str) -> str | None:
        return entries(self._file).get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._write(entries(self._file) | {f"{service}/{username}": password})

    def delete_password(self, service: str, username: str) -> None:
        known = entries(self._file)
        if known.pop(f"{service}/{username}", None) is None:
            raise PasswordDeleteError("there is no such entry")
        self._write(known)

    @property
    def _file(self) -> Path:
        file = Path(os.environ["KEYRING_FILE"])
        if file.is_dir():
            raise KeyringLocked("the collection is locked")
        if file.is_fifo():
            file.with_suffix(".asked").touch()
            file.read_bytes()
            raise KeyringLocked("nobody has unlocked it")
        return file

    def _write(self, known: dict[str, str]) -> None:
        temporary = self._file.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps(known), "utf-8")
        temporary.replace(self._file)
