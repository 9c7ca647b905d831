"""How databases look for words in the texts of repositories.

Each condition misses no row whose texts have the words, each at the beginning of a word; it may
hold of some more. The words are of letters and digits alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, Text, and_, cast, func, literal_column, or_, select
from sqlalchemy import tuple_ as row

Condition = ColumnElement[bool]


def by_reading(table: Table, words: Sequence[str]) -> Condition:
    """Return the condition for a database that reads the whole table."""
    texts = [func.lower(cast(column, Text)) for column in _texts(table)]
    return and_(*(or_(*(text.contains(word.lower()) for text in texts)) for word in words))


def by_sqlite(table: Table, words: Sequence[str]) -> Condition:
    """Return the condition for SQLite: it reads an index from end to end, and no payloads."""
    inner = table.alias("texts")
    # LIKE ignores the case of ASCII letters.
    held = (or_(*(cast(c, Text).contains(word) for c in _texts(inner))) for word in words)
    return row(table.c.host, table.c.id).in_(select(inner.c.host, inner.c.id).where(*held))


def by_postgresql(words: Sequence[str]) -> Condition:
    """Return the condition for PostgreSQL, which has an index of the words."""
    wanted = func.to_tsquery("simple", " & ".join(f"'{word}':*" for word in words))
    condition: Condition = literal_column(WORDS).op("@@", is_comparison=True)(wanted)
    return condition


def _texts(table: Any) -> tuple[Any, ...]:
    return table.c.full_name, table.c.description, table.c.topics


# What migration 0015 indexes, to the letter.
SIGNS = r"""!"#$%&()*+,-./:;<=>?@[\]^_`{|}~"""
WORDS = (
    "to_tsvector('simple', translate(left(full_name || ' ' || coalesce(description, '') || ' ' "
    f"|| coalesce(topics::text, ''), 200000), '{SIGNS}', '{' ' * len(SIGNS)}'))"
)
