"""Comparisons of texts that ignore the case of ASCII letters, as SQL and in Python.

Of ASCII letters alone, as in GitHub's names: databases differ about other letters.
"""

from __future__ import annotations

import re
from functools import lru_cache, reduce
from string import ascii_lowercase, ascii_uppercase
from typing import Any

from sqlalchemy import func

_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
_ESCAPE = "/"
_WILDCARDS = {"*": ("%", ".*"), "?": ("_", ".")}


def folded(text: str | None) -> str | None:
    """Return a text in lower case."""
    return None if text is None else text.translate(_LOWER)


def within(part: str, whole: str | None) -> bool:
    """Return whether a text contains `part`."""
    return whole is not None and part.translate(_LOWER) in whole.translate(_LOWER)


def is_text(column: Any, wanted: str) -> Any:
    """Return the SQL condition that a column is this text."""
    # LIKE without wildcards: "=" would ignore spaces at the end on MySQL.
    return _lowered(column, wanted).like(_pattern(wanted), escape=_ESCAPE)


def has_text(column: Any, wanted: str) -> Any:
    """Return the SQL condition that a column contains this text."""
    return _lowered(column, wanted).like(f"%{_pattern(wanted)}%", escape=_ESCAPE)


def is_glob(text: str) -> bool:
    """Return whether a text is a pattern, not a name: GitHub's names have neither `*` nor `?`."""
    return any(wildcard in text for wildcard in _WILDCARDS)


def matches_glob(column: Any, glob: str) -> Any:
    """Return the SQL condition that a column is like a pattern.

    `*` stands for any text, `?` for one character; `[` is an ordinary character.
    """
    parts = (_WILDCARDS[c][0] if c in _WILDCARDS else _pattern(c) for c in glob)
    return _lowered(column, glob).like("".join(parts), escape=_ESCAPE)


def is_like_glob(text: str | None, glob: str) -> bool:
    """Return whether a text is like a pattern, as `matches_glob` in SQL."""
    return text is not None and _regular(glob).fullmatch(text.translate(_LOWER)) is not None


@lru_cache(maxsize=64)
def _regular(glob: str) -> re.Pattern[str]:
    parts = (_WILDCARDS[c][1] if c in _WILDCARDS else re.escape(c.translate(_LOWER)) for c in glob)
    return re.compile("".join(parts), re.DOTALL)


def _lowered(column: Any, wanted: str) -> Any:
    """Return a column with the capital letters of `wanted` in lower case."""
    letters = sorted(set(wanted.translate(_LOWER)) & set(ascii_lowercase))
    return reduce(lambda text, letter: func.replace(text, letter.upper(), letter), letters, column)


def _pattern(wanted: str) -> str:
    """Return the LIKE pattern that matches exactly this text."""
    return re.sub(r"([/%_])", r"/\1", wanted.translate(_LOWER))
