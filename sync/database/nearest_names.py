"""The names of a ledger's repositories that are nearest to one that it does not hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from itertools import combinations
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, and_, literal, or_, select, true

from sync.database.dialects import Dialect
from sync.database.tables import repositories, repository_changes

_SHOWN = 3
_ALIKE = 0.7  # of 1.0: how alike a name has to be
_AS_ALIKE = 0.02  # how much less alike a further one may be
_OTHER_OWNER = 0.9  # what the same name of another owner counts
_SHORT = 5  # letters of a name whose ends say little
_COMPARED = 1_000  # names; comparing takes some 20 µs each


def names_near(
    connection: Connection, dialect: Dialect, typed: str, host: str | None = None
) -> list[str]:
    """Return the present and former names nearest to `typed`, at `host` if one is given."""
    name = bare(typed)
    pieces = pieces_of(name)
    wide: list[tuple[str, ...]] = [(piece,) for piece in pieces]
    narrow: list[tuple[str, ...]] = list(combinations(pieces, 2))
    ends: list[tuple[str, ...]] = [(name[:-2],), (name[2:],)] if len(name) > _SHORT else []
    for wanted in (ends, narrow, wide):  # one slip leaves two of three pieces whole
        found = nearest(typed, _candidates(connection, dialect, wanted, host) if wanted else [])
        if found:
            return [_spelled(connection, dialect, each) for each in found]
    return []


def nearest(typed: str, names: Iterable[str]) -> list[str]:
    """Return those of `names` that are most like `typed`. No I/O here."""
    typed = typed.casefold()
    of_owner, of_name = SequenceMatcher(None, "", typed), SequenceMatcher(None, "", bare(typed))
    scores: list[tuple[float, str]] = []
    for name in dict.fromkeys(names):
        folded = name.casefold()
        whole = _likeness(of_owner, folded) if "/" in typed else 0.0
        weight = _OTHER_OWNER if "/" in typed else 1.0
        score = max(whole, weight * _likeness(of_name, bare(folded)))
        if score >= _ALIKE:
            scores.append((-score, name))
    scores.sort()
    return [name for score, name in scores[:_SHOWN] if score <= scores[0][0] + _AS_ALIKE]


def pieces_of(name: str) -> list[str]:
    """Return the three parts of a name, as long as each other; fewer of a short one."""
    size = max(1, -(-len(name) // 3))
    return [name[start : start + size] for start in range(0, len(name), size)]


def bare(full_name: str) -> str:
    """Return a repository's name without its owner."""
    return full_name.rpartition("/")[2]


def _likeness(matcher: SequenceMatcher[str], name: str) -> float:
    matcher.set_seq1(name)
    if matcher.real_quick_ratio() < _ALIKE or matcher.quick_ratio() < _ALIKE:
        return 0.0
    return matcher.ratio()


def _spelled(connection: Connection, dialect: Dialect, name: str) -> str:
    """Return a name with the letters that the ledger has; `_candidates` may give small ones."""
    present, log = repositories.c.full_name, repository_changes.c
    of_name = log.field == literal("full_name", literal_execute=True)
    now = select(present).where(dialect.is_name(present, name)).limit(1)
    before = select(log.old_value).where(of_name, dialect.is_name(log.old_value, name)).limit(1)
    return connection.execute(now).scalar() or connection.execute(before).scalar() or name


def _candidates(
    connection: Connection, dialect: Dialect, wanted: Sequence[tuple[str, ...]], host: str | None
) -> list[str]:
    """Return names that hold all pieces of one of `wanted`, present ones first."""

    def holds(column: Column[Any]) -> ColumnElement[bool]:
        key = dialect.name_key(column)
        all_of = (and_(*(key.contains(p.lower(), autoescape=True) for p in s)) for s in wanted)
        at = column.table.c.host == host if host else true()
        return and_(or_(*all_of), at)

    log = repository_changes.c
    of_name = log.field == literal("full_name", literal_execute=True)
    # The key itself, which an index holds on every database: rows are large.
    present = repositories.c.full_name
    now = select(dialect.name_key(present)).select_from(repositories).where(holds(present))
    keys = select(dialect.name_key(log.old_value)).select_from(repository_changes)
    before = keys.where(of_name, holds(log.old_value))
    rows = [connection.execute(s.limit(_COMPARED)).scalars() for s in (now, before)]
    return [name for found in rows for name in found if name]
