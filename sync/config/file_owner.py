"""The owner of a file."""

from __future__ import annotations

import os
from pathlib import Path


def other_owner(file: Path) -> str | None:
    """Return the owner of a file or of a link to it; None if it is this user, or root."""
    if not hasattr(os, "geteuid"):  # Windows has no numeric owners
        return None
    try:
        owners = {file.stat().st_uid, file.lstat().st_uid}
    except OSError:
        return None  # reading the file later raises the error
    others = owners - {0, os.geteuid()}
    return _name_of(min(others)) if others else None


def _name_of(user: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"the user {user}"
