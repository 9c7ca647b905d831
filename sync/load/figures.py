"""Stores figures of a repository, within a transaction: read the answers, merge the rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from sync.database.row_writer import count_of_day, total, write_rows
from sync.database.run_transaction import RunTransaction
from sync.database.writes import Rejection
from sync.load.fetched import Fetched
from sync.resources.figures import Answer, Asked, Figures, Told


class Stored(NamedTuple):
    """The result of storing answers: the number of rows, the memory for the next answer."""

    written: int
    memory: dict[str, Any]


def asked_of(fetched: Fetched, newest: Mapping[str, date]) -> Asked:
    """Return what is known of a repository. `newest`: as in `Asked`."""
    state = fetched.candidate.state
    return Asked(
        id=fetched.candidate.id,
        now=min(each.at for each in fetched.parts),
        until=max(each.until for each in fetched.parts),
        listed=fetched.candidate.listed,
        memory=state.memory if state else {},
        lost_at=state.lost_at if state else None,
        newest=newest,
    )


def read_answers(figures: Figures, fetched: Fetched, asked: Asked) -> Told:
    """Return what answers say. Raises ValueError, LookupError and msgspec's errors."""
    answers = [Answer(each.part, each.body, each.next_url) for each in fetched.parts]
    return figures.read(answers, asked)


def store_answers(
    transaction: RunTransaction, figures: Figures, asked: Asked, told: Told
) -> Stored:
    """Merge the rows of `told` with the stored ones."""
    id_ = asked.id
    written = sum(
        write_rows(transaction, table, id_, rows, asked.now.date())
        for table, rows in told.rows.items()
    )
    if figures.counter is not None and told.counted is not None:
        written += count_of_day(transaction, figures.counter, id_, told.counted)
    transaction.reject(
        Rejection(position, each.reason, each.payload, id_, None, figures.name)
        for position, each in enumerate(told.oddities)
    )
    memory = told.memory
    if figures.settle is not None and figures.total is not None:
        memory = figures.settle(asked, told, total(transaction, *figures.total, id_))
    return Stored(written, dict(memory))
