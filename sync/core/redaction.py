"""Masks known secrets in every text that leaves the program.

The first defence is that no code puts a secret into a log event, an error or a row. This is
the second: secrets given to `protect` are replaced in every log line, error message and
traceback, also if a server repeats a token in its error message.

Data is not masked, since a password may equal somebody's login. See `holds_secret`.
"""

from __future__ import annotations

import json
import re
import threading
from base64 import b64encode
from collections import Counter, deque
from functools import lru_cache
from urllib.parse import quote, quote_plus
from weakref import finalize

MASK = "***"
_SHORTEST = 6  # characters: masking a shorter secret would mask ordinary words
_BY_CHANCE = 20  # characters: a shorter secret may occur in data by chance

_SENSITIVE_PARAMS = re.compile(
    r"(?i)([?&](?:[a-z_\-]*(?:token|secret|password|signature)|(?:api[_\-]?)?key|sig|auth|code)=)[^&#\s]+"
)
# Up to the last @. The scheme's length is limited, since a long word would take quadratic time.
# A password that is masked already keeps its user: `scheme://user:***@`.
_USERINFO = re.compile(
    r"(?i)([a-z0-9+.\-]{1,30}://)(?![a-z0-9_.\-]{0,64}:\*\*\*@[^@/\s?#]*(?:[/\s?#]|$))[^/\s?#]*@"
)
# An App installation's token is ghs_, the App's id and a JSON Web Token, or like all others.
_TOKENS = re.compile(
    r"(?<![A-Za-z0-9])(?:ghs_[A-Za-z0-9]+_eyJ[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){0,2}"
    r"|gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,})"
)

# GitHub's tokens until 2021 look like commit ids: only text that a user typed is taken for one.
_OLD_TOKEN = re.compile(r"(?i)(?<![a-z0-9])(?:v1\.)?([0-9a-f]{40})(?![a-z0-9])")
_PASSWORD = re.compile(r"(?i)\b((?:passw(?:or)?d|pwd)\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&#;,]+)")
_WORD = re.compile(r"[A-Za-z][a-z]{0,14}|[A-Z]{1,15}")

_MOST_SHORT_LIVED = 1_000  # short-lived secrets, which change with each run or hour
_MOST_TEXT = 1_000_000  # characters of all short-lived secrets

_lock = threading.Lock()
_permanent: Counter[str] = Counter()  # permanent secrets -> number of their owners
_released: deque[tuple[str, ...]] = deque()  # secrets whose owner has been deleted
_short_lived: dict[str, None] = {}  # short-lived secrets, the last used one at the end
_known: Counter[str] = Counter()  # spellings -> number of secrets with each
_longest_first: tuple[str, ...] = ()


def protect(*secrets: str) -> None:
    """Mask each of `secrets` from now on: plain, URL-quoted, escaped or in Base64.

    Except those that `can_be_masked` excludes.
    """
    with _lock:
        _take_released()
        for secret in filter(can_be_masked, secrets):
            if secret in _short_lived:
                del _short_lived[secret]
            elif secret not in _permanent:
                _known.update(_forms(secret))
            _permanent[secret] += 1
        _sort()


def protect_while(owner: object, *secrets: str) -> None:
    """Mask `secrets` while `owner` exists, and after that like short-lived ones."""
    protect(*secrets)
    # Only noted here: garbage collection may run in a thread that holds the lock.
    finalize(owner, _released.append, secrets).atexit = False


def protect_short_lived(*secrets: str) -> None:
    """Mask short-lived `secrets` until many newer ones have been used.

    Not for ever: after months there would be so many that the search takes noticeable time.
    """
    with _lock:
        added = _take_released()
        for secret in filter(can_be_masked, secrets):
            if secret in _permanent:
                continue
            if secret not in _short_lived:
                _known.update(_forms(secret))
                added = True
            _short_lived[secret] = _short_lived.pop(secret, None)
        if added:
            _sort()


def protect_typed(*texts: str) -> None:
    """Mask everything that looks like a token in `texts` that a user typed."""
    protect(*(token for text in texts for token in _OLD_TOKEN.findall(text)))


def can_be_masked(secret: str) -> bool:
    """Return whether `secret` can be masked everywhere: it is neither short nor a common word.

    Otherwise messages would become unreadable: the password of the user `postgres` is often
    `postgres`. In the place of a password, such as in a URL, it is masked all the same.
    """
    return len(secret) >= _SHORTEST and not _WORD.fullmatch(secret)


def _take_released() -> bool:
    """Turn released secrets into short-lived ones; return whether there were any."""
    released = [secret for _ in range(len(_released)) for secret in _released.popleft()]
    for secret in filter(_permanent.__contains__, released):
        _permanent[secret] -= 1
        if not _permanent[secret]:
            del _permanent[secret]
            _short_lived[secret] = None
    return bool(released)


def _sort() -> None:
    """Drop the oldest short-lived secrets, and sort the others."""
    global _longest_first
    size = sum(map(len, _short_lived))
    while len(_short_lived) > _MOST_SHORT_LIVED or (size > _MOST_TEXT and len(_short_lived) > 1):
        ended = next(iter(_short_lived))
        del _short_lived[ended]
        size -= len(ended)
        for form in _forms(ended):
            _known[form] -= 1
            if not _known[form]:
                del _known[form]
    # A new tuple, since another thread may be iterating over the old one.
    _longest_first = tuple(sorted(_known, key=len, reverse=True))


@lru_cache(maxsize=16)  # consecutive requests mostly use the same secrets
def _forms(secret: str) -> frozenset[str]:
    """Return the spellings of a secret: plain, quoted, escaped, in Base64."""
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
    return _without_tokens(text)


def _without_tokens(text: str) -> str:
    """Return `text` with everything masked that looks like a token or a credential."""
    if "://" in text:
        text = _USERINFO.sub(rf"\1{MASK}@", text)
    if "=" in text:
        text = _PASSWORD.sub(rf"\1{MASK}", _SENSITIVE_PARAMS.sub(rf"\1{MASK}", text))
    if "gh" in text or "github_pat_" in text:
        text = _TOKENS.sub(MASK, text)
    return text


def holds_secret(data: str) -> bool:
    """Return whether `data`, which is to be stored unmasked, contains a secret.

    Short secrets do not count: they may be somebody's login, or a part of an address.
    """
    long = (form for form in _longest_first if len(form) >= _BY_CHANCE)
    return _without_tokens(data) != data or any(form in data for form in long)


def as_kept(data: str) -> str:
    """Return `data` for storing: masked only if it contains a secret."""
    return scrub(data) if holds_secret(data) else data


def holds_token(text: str) -> bool:
    """Return whether `text` contains something that looks like a GitHub token."""
    return _TOKENS.search(text) is not None


def is_token(text: str) -> bool:
    """Return whether `text` that a user typed looks like a GitHub token, old forms included."""
    return holds_token(text) or _OLD_TOKEN.fullmatch(text) is not None


def printable(text: str) -> str:
    """Return `text` on one line, with control characters escaped (`\\x1b`).

    Otherwise data could move a terminal's cursor, change its colours or title, or forge a log
    line.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _spelled(c) for c in text)


def printable_json(text: str) -> str:
    """Return the same JSON with all characters escaped that can act on a terminal.

    JSON itself escapes only control characters below U+0020: U+009B begins an escape sequence
    on many terminals, and U+202E reverses the reading direction.
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
