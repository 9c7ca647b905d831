"""Verdicts into the ledger, within a transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from sync.config.sections import Removals
from sync.database import removing
from sync.database.page import PageTransaction
from sync.database.reader import PageReader
from sync.database.rows import RunCounts
from sync.database.tables import FIELDS
from sync.departures import REDACTED_FIELDS, Departure, OnPrivate, make_departure
from sync.storing import Stored, store_items
from sync.verdicts import Verdict

AT_ONCE = 100  # verdicts in one transaction
_NAME = FIELDS.index("full_name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of verdicts: what was stored of the answers, what was removed.

    `refused` are removals that the database refuses, and why, by id. `unpurged` are
    repositories that it does not let go: they were redacted instead. `names` are
    full names as they were before, by id.
    """

    stored: Stored
    departures: tuple[Departure, ...]
    counts: RunCounts
    refused: dict[int, str]
    unpurged: dict[int, str]
    names: dict[int, str]


def settle(
    transaction: PageTransaction,
    verdicts: Sequence[Verdict],
    rules: Removals,
    *,
    former: Collection[str],
    position: int,
) -> Settled:
    """Write what became of missing repositories; `former` are names that the account had before."""
    known = transaction.known([verdict.id for verdict in verdicts])
    verdicts = [verdict for verdict in verdicts if verdict.id in known]  # purged by another run
    leaving = departures_of(transaction, verdicts, rules.on_private, former)
    answers = [
        v.item
        for v in verdicts
        if v.item is not None and (v.outcome == "keep" or known[v.id].removed_at is None)
    ]
    names = {id_: str(row[_NAME]) for id_, row in transaction.values(list(known)).items()}
    stored = store_items(transaction, answers, position=position)
    leaving, unpurged = _purged(transaction, verdicts, leaving, former)
    refused = removing.remove(transaction, [g for g in leaving if not g.purges], REDACTED_FIELDS)
    leaving = tuple(gone for gone in leaving if gone.id not in refused)
    undecided = sum(verdict.outcome == "unknown" for verdict in verdicts)
    counts = RunCounts(removed=len(leaving), withheld=undecided + len(refused))
    return Settled(
        stored=stored,
        departures=leaving,
        counts=stored.counts + counts,
        refused=refused,
        unpurged=unpurged,
        names=names,
    )


def _purged(
    transaction: PageTransaction,
    verdicts: Sequence[Verdict],
    leaving: tuple[Departure, ...],
    former: Collection[str],
) -> tuple[tuple[Departure, ...], dict[int, str]]:
    """Purge; return the departures, redactions for what the database does not let go, and why."""
    unpurged: dict[int, str] = {}
    for gone in leaving:
        if gone.purges and (reason := removing.purge(transaction, gone.id)) is not None:
            unpurged[gone.id] = reason
    again = [verdict for verdict in verdicts if verdict.id in unpurged]
    kept = tuple(gone for gone in leaving if gone.id not in unpurged)
    return kept + departures_of(transaction, again, "redact", former), unpurged


def departures_of(
    reader: PageReader,
    verdicts: Sequence[Verdict],
    on_private: OnPrivate,
    former: Collection[str],
) -> tuple[Departure, ...]:
    """Return what is to be written of those that the account lists no longer."""
    removals = [verdict for verdict in verdicts if verdict.outcome == "remove"]
    return tuple(_departures(reader, removals, on_private, {reader.account, *former}))


def _departures(
    reader: PageReader, removals: Sequence[Verdict], on_private: OnPrivate, mine: Collection[str]
) -> Iterator[Departure]:
    ids = [verdict.id for verdict in removals]
    if not ids:
        return
    known, values, listed_by = reader.known(ids), reader.values(ids), reader.lists(ids)
    for verdict in removals:
        accounts = listed_by.get(verdict.id, [])
        leaving = [name for name in accounts if name in mine]
        if not leaving:  # done already
            continue
        if verdict.item is not None and reader.account not in leaving:
            leaving.append(reader.account)  # which storing the answer makes list it
        stays_with = {
            name
            for name in accounts
            if name not in mine and (reader.configured is None or name in reader.configured)
        }
        yield make_departure(
            verdict,
            known[verdict.id],
            values[verdict.id],
            leaving=leaving,
            stays_with=stays_with,
            on_private=on_private,
            now=reader.now,
        )
