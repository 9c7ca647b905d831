"""How far GitHub has counted, as the account's answers show it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from sync.database import child_reader, child_writer
from sync.database.run_transaction import RunTransaction
from sync.resources.traffic import lost_when

_QUORUM = 3  # repositories with traffic that show how far GitHub has counted
_DAY = timedelta(days=1)


def note_behind(
    name: str, kinds: Sequence[str], begun: date, transaction: RunTransaction
) -> date | None:
    """Note when days that GitHub has not counted are lost; return the newest one that it has."""
    repositories, newest = child_reader.counted_since(transaction, name, kinds, begun)
    if newest is None or repositories < _QUORUM or newest >= begun - _DAY:
        return None
    child_writer.note_behind(transaction, name, begun, lost_when(newest + _DAY))
    return newest
