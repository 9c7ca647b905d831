"""Applies verdicts about missing repositories to the ledger, within a transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sync.config.sections import Removals
from sync.database import lineage, removal_writer
from sync.database.run_reader import RunReader
from sync.database.run_transaction import RunTransaction
from sync.database.tables import FIELDS
from sync.database.writes import Known, RunCounts
from sync.load.page import Stored, store_items
from sync.removals.departure import Departure, OnPrivate, make_departure
from sync.removals.judge import Verdict

AT_ONCE = 100  # verdicts in one transaction
_NAME, _VISIBILITY = FIELDS.index("full_name"), FIELDS.index("visibility")


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The result of applying verdicts: stored answers, removals, counts.

    `undecided`: ids left to the next run. By id: `refused`, the database's reasons against a
    removal; `unpurged`, its reasons against a purge, in place of which the repository was
    redacted; `names`, full names from before.
    """

    stored: Stored
    departures: tuple[Departure, ...]
    counts: RunCounts
    refused: dict[int, str]
    unpurged: dict[int, str]
    names: dict[int, str]
    undecided: tuple[int, ...] = ()


def apply_verdicts(
    transaction: RunTransaction,
    verdicts: Sequence[Verdict],
    rules: Removals,
    *,
    former: Collection[str],
    position: int,
) -> Applied:
    """Write the verdicts; `former` are earlier names of the account.

    `position`: the number of items in the listing, where rejected answers are placed.
    """
    known = transaction.known([verdict.id for verdict in verdicts])
    verdicts = [verdict for verdict in verdicts if verdict.id in known]  # purged by another run
    verdicts = list(_not_overtaken(transaction, verdicts, known))
    mine = {transaction.account, *former}
    leaving = tuple(_departures(transaction, verdicts, rules.on_private, mine))

    def redact(ids: Collection[int]) -> tuple[Departure, ...]:
        again = [verdict for verdict in verdicts if verdict.id in ids]
        return tuple(_departures(transaction, again, "redact", mine))

    answers = [
        v.item
        for v in verdicts
        if v.item is not None and (v.outcome == "keep" or known[v.id].removed_at is None)
    ]
    names = {id_: str(row[_NAME]) for id_, row in transaction.values(list(known)).items()}
    stored = store_items(transaction, answers, position=position)
    referrers = lineage.referrers(transaction, {gone.id for gone in leaving if gone.clears})
    leaving, unpurged = _purged(transaction, leaving, referrers, redact)
    kept = [gone for gone in leaving if not gone.purges]
    refused = removal_writer.remove(transaction, kept, referrers)
    leaving = tuple(gone for gone in leaving if gone.id not in refused)
    undecided = tuple(verdict.id for verdict in verdicts if verdict.outcome == "unknown")
    same = sum(verdict.outcome == "keep" and verdict.item is None for verdict in verdicts)
    counts = RunCounts(removed=len(leaving), withheld=len(undecided) + len(refused), unchanged=same)
    return Applied(
        stored=stored,
        departures=leaving,
        counts=stored.counts + counts,
        refused=refused,
        unpurged=unpurged,
        names=names,
        undecided=undecided,
    )


def clear_due(transaction: RunTransaction, due: Collection[int], rules: Removals) -> Applied:
    """Redact or purge repositories that had to wait until the other accounts were listed.

    They stay if `on_private` is "keep" by now. Those that the database refuses go on waiting.
    """
    still_due = transaction.redactions_due(transaction.run.revision)
    ids = sorted(set(due).intersection(still_due))
    known, values = transaction.known(ids), transaction.values(ids)

    def departures(ids: Collection[int], on_private: OnPrivate) -> tuple[Departure, ...]:
        return tuple(
            make_departure(
                Verdict(id=id_, outcome="remove", reason="private"),
                known[id_],
                values[id_],
                leaving=(),
                stays_with=(),
                on_private=on_private,
                now=transaction.now,
            )
            for id_ in ids
            if known[id_].removed_at is not None
        )

    leaving = [gone for gone in departures(known, rules.on_private) if gone.clears]
    referrers = lineage.referrers(transaction, {gone.id for gone in leaving})
    transaction.forget_departures(set(ids).difference(gone.id for gone in leaving))
    cleared, unpurged = _purged(
        transaction, tuple(leaving), referrers, lambda ids: departures(ids, "redact")
    )
    kept = [gone for gone in cleared if not gone.purges]
    refused = removal_writer.remove(transaction, kept, referrers)
    return Applied(
        stored=Stored(),
        departures=tuple(gone for gone in cleared if gone.id not in refused),
        counts=RunCounts(withheld=len(refused)),
        refused=refused,
        unpurged=unpurged,
        names={},
    )


def _not_overtaken(
    transaction: RunTransaction, verdicts: Sequence[Verdict], known: Mapping[int, Known]
) -> Iterator[Verdict]:
    """Yield the verdicts, as "unknown" where another run may have written newer data.

    A verdict without such data, which only ends the account's listing, stays.
    """
    newer = transaction.outdated(known)
    values = transaction.values(newer)
    for verdict in verdicts:
        overtaken = verdict.id in newer and (
            verdict.item is not None
            or (verdict.reason == "private" and values[verdict.id][_VISIBILITY] != "private")
        )
        yield Verdict(id=verdict.id, outcome="unknown") if overtaken else verdict


def _purged(
    transaction: RunTransaction,
    leaving: tuple[Departure, ...],
    referrers: Mapping[int, Collection[int]],
    redact: Callable[[Collection[int]], tuple[Departure, ...]],
) -> tuple[tuple[Departure, ...], dict[int, str]]:
    """Purge; return the departures, with redactions where the database refused, and its reasons."""
    unpurged: dict[int, str] = {}
    for gone in leaving:
        if not gone.purges:
            continue
        reason = removal_writer.purge(transaction, gone.id, referrers.get(gone.id, ()))
        if reason is not None:
            unpurged[gone.id] = reason
    kept = tuple(gone for gone in leaving if gone.id not in unpurged)
    return kept + redact(unpurged), unpurged


def _departures(
    reader: RunReader, verdicts: Sequence[Verdict], on_private: OnPrivate, mine: Collection[str]
) -> Iterator[Departure]:
    """Yield the departures of repositories that the account no longer lists.

    `mine`: the account's present and former names.
    """
    removals = [verdict for verdict in verdicts if verdict.outcome == "remove"]
    ids = [verdict.id for verdict in removals]
    if not ids:
        return
    others, departed = reader.accounts_here() - set(mine), reader.departed(ids)
    known, values, listed_by = reader.known(ids), reader.values(ids), reader.lists(ids)
    for verdict in removals:
        accounts = listed_by.get(verdict.id, [])
        leaving = [name for name in accounts if name in mine]
        if not leaving:  # an earlier transaction did it
            continue
        if verdict.item is not None and reader.account not in leaving:
            leaving.append(reader.account)  # storing the answer added it to the account's list
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
            others=others,
            departed=departed.get(verdict.id, ()),
        )
