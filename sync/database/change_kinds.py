"""The kinds of changes, in a module of their own: the command line imports nothing else."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """The kind of a row of `repository_changes`; `changed` is every change without its own name."""

    created = "created"
    changed = "changed"
    renamed = "renamed"
    transferred = "transferred"
    removed = "removed"
    restored = "restored"
    redacted = "redacted"
    joined = "joined"
    left = "left"
