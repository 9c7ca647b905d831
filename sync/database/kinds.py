"""The kinds of changes. Apart, so that the command line knows them without loading anything."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What a row of `repository_changes` tells of; `changed` is whatever has no name of its own."""

    created = "created"
    changed = "changed"
    renamed = "renamed"
    transferred = "transferred"
    removed = "removed"
    restored = "restored"
    redacted = "redacted"
    joined = "joined"
    left = "left"
