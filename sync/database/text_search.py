"""Words that people search for in the texts of repositories.

A word is letters and digits; every other character is between words, so nothing has a meaning of
its own. A repository is found if each word is the beginning of a word in its texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from sync.core.errors import QueryRefused
from sync.database.text_match import folded

_WORD = re.compile(r"[^\W_]+")
_MOST = 20  # words; more are a paste by mistake


def words_of(text: str) -> tuple[str, ...]:
    """Return the words to search for. Raises QueryRefused if there are none, or too many."""
    words = tuple(dict.fromkeys(_WORD.findall(folded(text) or "")))
    if not words:
        raise QueryRefused("there is nothing to search for: give a word of letters or digits")
    if len(words) > _MOST or any(len(word) > 100 for word in words):
        raise QueryRefused(
            f"that is too much to search for: give at most {_MOST} words of 100 characters"
        )
    return words


def hold_words(texts: Iterable[str | None], words: Sequence[str]) -> bool:
    """Return whether each word begins a word of these texts."""
    whole = "\n".join(folded(text) or "" for text in texts)
    return all(_beginning(word).search(whole) for word in words)


@lru_cache(maxsize=64)
def _beginning(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_]){re.escape(word)}")
