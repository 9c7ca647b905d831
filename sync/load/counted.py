"""How far GitHub has counted, as the account's answers show it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial

from sync.database import child_reader, child_writer
from sync.database.run_transaction import RunTransaction
from sync.load.loading import Loading
from sync.load.page_log import log_behind
from sync.load.writer import RunWriter
from sync.resources.figures import Figures
from sync.resources.traffic import TRAFFIC_WINDOWS, lost_when

_QUORUM = 3  # repositories with traffic that show how far GitHub has counted
_DAY = timedelta(days=1)


def note_counted(loading: Loading, writer: RunWriter) -> None:
    """Note the last day, by part, that GitHub was known to have counted when a run began.

    The account's answers since the day before show it: a run may have few, and of repositories
    without any visits.
    """
    resource = loading.resource
    if isinstance(resource, Figures) and TRAFFIC_WINDOWS in resource.tables:
        since = writer.run.started_at.date() - _DAY
        name, kinds = resource.name, _kinds(loading)
        loading.note_newest(
            writer.read(lambda reader: child_reader.complete_since(reader, name, kinds, since))
        )


def note_behind(loading: Loading, writer: RunWriter) -> None:
    """Note and log that GitHub has not counted the latest days yet: their loss comes earlier.

    The answers of the whole day show it: a run may have few.
    """
    name, begun = loading.resource.name, writer.run.started_at.date()
    newest = writer.transact(partial(_note_behind, name, _kinds(loading), begun))
    if newest is not None:
        log_behind(name, newest)


def _kinds(loading: Loading) -> list[str]:
    return [each.part for each in loading.resource.endpoints]


def _note_behind(
    name: str, kinds: Sequence[str], begun: date, transaction: RunTransaction
) -> date | None:
    """Note when days that GitHub has not counted are lost; return the newest one that it has."""
    repositories, newest = child_reader.counted_since(transaction, name, kinds, begun)
    if newest is None or repositories < _QUORUM or newest >= begun - _DAY:
        return None
    child_writer.note_behind(transaction, name, begun, lost_when(newest + _DAY))
    return newest
