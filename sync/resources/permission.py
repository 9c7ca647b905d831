"""The words for what a token lacks to read a resource. No I/O here."""

from __future__ import annotations

import re

# GitHub's words for a token without the permission, and for a user who may not push.
_NOT_ACCESSIBLE = re.compile(
    r"not accessible by (integration|personal access token)", re.IGNORECASE
)
_NO_PUSH = re.compile(r"must have push access", re.IGNORECASE)


def access(needs: str) -> str:
    """Return a permission in words: "administration: read" is read access to Administration."""
    name, _, level = needs.partition(": ")
    return f"{level} access to {name.capitalize()}"


def lacking(reason: str | None, needs: str) -> str:
    """Return what to do about a refusal with these words of GitHub's, for a person."""
    reason = reason or ""
    if found := _NOT_ACCESSIBLE.search(reason):
        who = "App" if found[1].lower() == "integration" else "token"
        return f"the {who} needs {access(needs)}"
    if _NO_PUSH.search(reason):
        return "the token needs push access; a classic one also the scope public_repo or repo"
    return reason or f"the token needs {access(needs)}"
