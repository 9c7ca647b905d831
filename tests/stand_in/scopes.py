"""Pure: the scopes that a token may have, and which of them include others."""

from __future__ import annotations

import re

# https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps
_PARTS = {
    "repo": ("repo:status", "repo_deployment", "public_repo", "repo:invite", "security_events"),
    "user": ("read:user", "user:email", "user:follow"),
    "project": ("read:project",),
    "write:packages": ("read:packages",),
    "read:audit_log": (),
} | {
    f"admin:{what}": (f"write:{what}", f"read:{what}")
    for what in ("org", "repo_hook", "public_key", "gpg_key")
}
_PARTS |= {parts[0]: parts[1:] for name, parts in _PARTS.items() if name.startswith("admin:")}
_SINGLE = {
    *("gist", "notifications", "delete_repo", "delete:packages", "admin:org_hook"),
    *("codespace", "workflow"),
}
KNOWN = _SINGLE | set(_PARTS) | {part for parts in _PARTS.values() for part in parts}


def normalized(asked: str) -> tuple[str, ...]:
    """The scopes granted for those asked for: none unknown, and none that another includes."""
    words = set(re.split(r"[\s,]+", asked)) & KNOWN
    included = {part for word in words for part in _PARTS.get(word, ())}
    return tuple(sorted(words - included))
