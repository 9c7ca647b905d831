"""Verdicts into the ledger, within a transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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

    `unpurged` are repositories that the database does not let go, and why: they
    were redacted instead. `names` are full names as they were before, by id.
    """

    stored: Stored
    departures: tuple[Departure, ...]
    counts: RunCounts
    unpurged: dict[int, str]
    names: dict[int, str]


def settle(
    transaction: PageTransaction, verdicts: Sequence[Verdict], rules: Removals, *, position: int
) -> Settled:
    """Write what became of missing repositories; see `Verdict`."""
    leaving = departures_of(transaction, verdicts, rules.on_private)
    settled = {gone.id for gone in leaving}
    known = transaction.known([v.id for v in verdicts])
    answers = [
        v.item
        for v in verdicts
        if v.item is not None and (v.outcome == "keep" or known[v.id].removed_at is None)
    ]
    names = {id_: str(row[_NAME]) for id_, row in transaction.values(list(known)).items()}
    stored = store_items(transaction, answers, position=position)
    unpurged: dict[int, str] = {}
    for gone in leaving:
        if gone.purges and (reason := removing.purge(transaction, gone.id)) is not None:
            unpurged[gone.id] = reason
    if unpurged:
        again = [verdict for verdict in verdicts if verdict.id in unpurged]
        kept = tuple(gone for gone in leaving if gone.id not in unpurged)
        leaving = kept + departures_of(transaction, again, "redact")
    removing.remove(transaction, [g for g in leaving if not g.purges], REDACTED_FIELDS)
    undecided = sum(verdict.outcome == "unknown" for verdict in verdicts)
    counts = stored.counts + RunCounts(removed=len(settled), withheld=undecided)
    return Settled(stored=stored, departures=leaving, counts=counts, unpurged=unpurged, names=names)


def departures_of(
    reader: PageReader, verdicts: Sequence[Verdict], on_private: OnPrivate
) -> tuple[Departure, ...]:
    """Return what is to be written of those that the account lists no longer."""
    return tuple(_departures(reader, [v for v in verdicts if v.outcome == "remove"], on_private))


def _departures(
    reader: PageReader, removals: Sequence[Verdict], on_private: OnPrivate
) -> Iterator[Departure]:
    ids = [verdict.id for verdict in removals]
    if not ids:
        return
    mine = {reader.account, *reader.former_names()}
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
