"""Known secrets, and their removal from any text that leaves the program.

The first defence is that no code puts a secret into a log event, an error or
a row. This is the second: whatever is told to `protect` is replaced in every
log line, error message and traceback. It also covers what others write, such
as a server that repeats a token in its error message.
"""

from __future__ import annotations

import json
import re
import threading
from base64 import b64encode
from collections import deque
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, quote_plus

MASK = "***"
SHORTEST = 6  # a shorter "secret" would blank out ordinary words

_SENSITIVE_PARAMS = re.compile(
    r"(?i)([?&](?:[a-z_\-]*(?:token|secret|password|signature)|(?:api[_\-]?)?key|sig|auth|code)=)[^&#\s]+"
)
# Up to the last @. The scheme's length is bounded, or a long word would take quadratic time.
# What is masked already, and names a user, stays: `scheme://user:***@`.
_USERINFO = re.compile(
    r"(?i)([a-z0-9+.\-]{1,30}://)(?![a-z0-9_.\-]{0,64}:\*\*\*@[^@/\s?#]*(?:[/\s?#]|$))[^/\s?#]*@"
)
# An installation's are ghs_, the App's id, and a JSON Web Token, or as all the others.
_TOKENS = re.compile(
    r"(?<![A-Za-z0-9])(?:ghs_[A-Za-z0-9]+_eyJ[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){0,2}"
    r"|gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,})"
)

_MOST_PASSING = 1_000  # of those that end within hours

_lock = threading.Lock()
_known: set[str] = set()
_passing: deque[str] = deque()
_longest_first: tuple[str, ...] = ()


def protect(*secrets: str) -> None:
    """Have each of `secrets` masked from now on: plain, quoted for a URL, escaped or in Base64."""
    with _lock:
        for secret in secrets:
            if secret in _passing:  # it stays after all
                _passing.remove(secret)
        _replace(set().union(*map(_forms, secrets)), set())


def protect_passing(secret: str) -> None:
    """Have `secret`, which ends within hours, masked until many others have followed it.

    In months there are so many of them that looking for each would take its time.
    """
    with _lock:
        forms = _forms(secret)
        if forms <= _known:
            return
        _passing.append(secret)
        ended = _passing.popleft() if len(_passing) > _MOST_PASSING else ""
        _replace(forms, _forms(ended))


def _replace(added: Iterable[str], ended: Iterable[str]) -> None:
    global _longest_first
    _known.difference_update(ended)
    _known.update(added)
    # Another one, not the same changed: somebody may be half way through it.
    _longest_first = tuple(sorted(_known, key=len, reverse=True))


@lru_cache(maxsize=16)  # a request's secrets are mostly those of the one before it
def _forms(secret: str) -> frozenset[str]:
    """Return how a secret may be written; most forms of most secrets are the same."""
    if len(secret) < SHORTEST:
        return frozenset()
    data = secret.encode("utf-8", "surrogatepass")
    return frozenset(
        {
            secret,
            repr(secret)[1:-1],
            json.dumps(secret)[1:-1],
            json.dumps(secret, ensure_ascii=False)[1:-1],
            quote(data, safe=""),
            quote(data),
            quote_plus(data),
            b64encode(data).decode().rstrip("="),
        }
    )


def scrub(text: str) -> str:
    """Return `text` with known secrets, GitHub tokens and URL credentials masked."""
    for secret in _longest_first:
        if secret in text:
            text = text.replace(secret, MASK)
    if "://" in text:
        text = _USERINFO.sub(rf"\1{MASK}@", text)
    if "=" in text:
        text = _SENSITIVE_PARAMS.sub(rf"\1{MASK}", text)
    if "gh" in text or "github_pat_" in text:
        text = _TOKENS.sub(MASK, text)
    return text


def holds_token(text: str) -> bool:
    """Tell whether `text` holds something of the shape of a GitHub token."""
    return _TOKENS.search(text) is not None


def printable(text: str) -> str:
    """Return `text` on one line, with control characters spelled out.

    Data from outside must not move the cursor, colour or retitle a terminal,
    or forge a line of a log.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _spelled(c) for c in text)


def printable_json(text: str) -> str:
    """Return a line of JSON, of the same value, in which nothing can act on a terminal.

    JSON escapes the controls below U+0020 alone: U+009B begins a sequence on many
    terminals, and U+202E turns what is read.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _spelled(character: str) -> str:
    code = ord(character)
    if character in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[character]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
