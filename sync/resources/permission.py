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


def allowing(reason: str | None, needs: str) -> str:
    """Return what a token would need instead, whatever its kind, or GitHub's words."""
    reason = reason or ""
    found = _NOT_ACCESSIBLE.search(reason)
    if found and found[1].lower() == "integration":
        return f"the App needs {access(needs)} (repository permission)"
    if not found and not _NO_PUSH.search(reason):
        return reason
    pushing = " and push access" if needs.startswith("administration") else ""
    return (
        f"a fine-grained token needs {access(needs)} (repository permission); "
        f"a classic token needs the scope public_repo or repo{pushing}"
    )
