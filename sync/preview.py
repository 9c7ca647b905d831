"""What a sync run would write, without writing anything."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from operator import attrgetter
from typing import Any, Literal, NamedTuple

from sync.absence import Absence, Search
from sync.clock import utc_now
from sync.config.sections import Removals
from sync.database import migrate
from sync.database.dialects import dialect_of
from sync.database.logged import ACCOUNT, REDACTED
from sync.database.queries import Ledger
from sync.database.reader import PageReader
from sync.database.rows import Change, Known, RepositoryWrite
from sync.database.tables import FIELDS
from sync.departures import Departure
from sync.github.client import GitHubClient, Visibility
from sync.github.records import Item
from sync.planning import diff, differing, hash_items, make_plan
from sync.settling import AT_ONCE, departures_of
from sync.verdicts import Verdict

Action = Literal[
    "insert", "update", "restore", "join", "leave", "remove", "purge", "withhold", "reject"
]
Values = tuple[Any, ...]

_NOTHING = (None,) * len(FIELDS)
_NAME = FIELDS.index("full_name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a run would do with a repository, field by field, counters included.

    `join`: it is stored already, and the account begins to list it. `leave`: the
    account lists it no longer, but another still does. `withhold`: it is missing,
    and nothing is decided of it; the last change says why. `reject`: an item that
    could not be stored, without id and name; the reason is its only change.
    """

    id: int | None
    full_name: str | None
    action: Action
    changes: tuple[Change, ...]


class _Row(NamedTuple):
    values: Values
    content_hash: str
    removed_at: datetime | None = None
    removal_reason: str | None = None


class Written:
    """What the previews so far would have written: the next one is of a run after that."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], _Row | None] = {}  # None for what would be purged
        self.listed: dict[tuple[str, str, int], bool] = {}


class Overlay(PageReader):
    """Reads a ledger as if `written` had been."""

    written = Written()

    def known(self, ids: Collection[int]) -> dict[int, Known]:
        found = super().known(ids)
        for id_ in ids:
            row = self.written.rows.get((self.host, id_))
            if row is not None:
                listed = id_ in found and found[id_].listed
                found[id_] = Known(row.content_hash, listed, row.removed_at, row.removal_reason)
            elif (self.host, id_) in self.written.rows:
                found.pop(id_, None)
            listed_now = self.written.listed.get((self.account, self.host, id_))
            if id_ in found and listed_now is not None:
                found[id_] = found[id_]._replace(listed=listed_now)
        return found

    def values(self, ids: Collection[int]) -> dict[int, Values]:
        rows = {id_: self.written.rows.get((self.host, id_)) for id_ in ids}
        over = {id_: row.values for id_, row in rows.items() if row is not None}
        return super().values(ids) | over

    def lists(self, ids: Collection[int]) -> dict[int, list[str]]:
        found = {id_: set(names) for id_, names in super().lists(ids).items()}
        for (account, host, id_), listed in self.written.listed.items():
            if host == self.host and id_ in ids:
                names = found.setdefault(id_, set())
                (names.add if listed else names.discard)(account)
        return {id_: sorted(names) for id_, names in found.items()}


@contextmanager
def open_reader(
    url: str,
    account: str,
    host: str,
    configured: Collection[str] | None = None,
    written: Written | None = None,
) -> Iterator[Overlay | None]:
    """Yield what a preview compares with: the ledger at `url`, or None if there is none."""
    if migrate.check(url) is None:
        yield None
        return
    with Ledger(url) as ledger, ledger.connect() as connection:
        reader = Overlay(connection, dialect_of(url), account, host, utc_now(), configured)
        reader.written = written or Written()
        yield reader


def preview_sync(
    *,
    client: GitHubClient,
    reader: Overlay | None,
    visibility: Visibility,
    affiliation: tuple[str, ...],
    removals: Removals,
    accept_removals: bool = False,
) -> Iterator[Preview]:
    """Yield what `run_sync` would write, and have `reader` take it for written.

    Raises RestErrors.
    """
    listing: dict[str, Any] = {"visibility": visibility, "affiliation": affiliation}
    search = Search(client, lambda work: work(_required(reader)), listing)
    for page in client.repository_pages(**listing):
        search.look.take(page)
        yield from _items(reader, page.items)
        for rejected in page.rejected:
            yield _note("reject", rejected.reason)
    if search.look.partial:
        yield _note("withhold", "GitHub left out organizations whose single sign-on is lacking")
    elif reader is not None:
        absence = search.absent(client.identify(), removals, accept=accept_removals)
        verdicts = search.verdicts(absence, limit=removals.max_probes)
        while batch := sorted(islice(verdicts, AT_ONCE), key=attrgetter("id")):
            yield from _settled(reader, batch, removals, absence)


def _note(action: Action, reason: str) -> Preview:
    return Preview(id=None, full_name=None, action=action, changes=(Change("", None, reason),))


def _required(reader: Overlay | None) -> Overlay:
    if reader is None:
        raise LookupError("there is no ledger to ask")
    return reader


def _items(reader: Overlay | None, items: Sequence[Item]) -> Iterator[Preview]:
    hashed = hash_items(items)
    ids = [item.id for item in hashed]
    known = reader.known(ids) if reader else {}
    stored = reader.values(differing(hashed, known)) if reader else {}
    plan = make_plan(hashed, known, stored, seen=len(items))
    for write in plan.writes:
        changes = (*_changes(write, stored.get(write.id, _NOTHING), reader),)
        action: Action = "insert" if write.is_new else "restore" if write.restores else "update"
        name = str(write.values[_NAME])
        yield Preview(id=write.id, full_name=name, action=action, changes=changes)
    if reader is None:
        return
    names = {item.id: item.item.record.full_name for item in hashed}
    for id_ in plan.joins:
        joined = (Change(ACCOUNT, None, reader.account),)
        yield Preview(id=id_, full_name=names[id_], action="join", changes=joined)
    for write in plan.writes:
        reader.written.rows[reader.host, write.id] = _Row(write.values, write.content_hash)
    for id_ in (*plan.joins, *(write.id for write in plan.writes if write.joins)):
        reader.written.listed[reader.account, reader.host, id_] = True


def _changes(write: RepositoryWrite, stored: Values, reader: Overlay | None) -> Iterator[Change]:
    yield from diff(stored, write.values, FIELDS)
    if write.restores:
        yield from (c for c in write.changes if c.field in ("removed_at", "removal_reason"))
    if write.joins and not write.is_new and reader is not None:
        yield Change(ACCOUNT, None, reader.account)


def _settled(
    reader: Overlay, verdicts: Sequence[Verdict], rules: Removals, absence: Absence
) -> Iterator[Preview]:
    stored = reader.values([verdict.id for verdict in verdicts])
    left = departures_of(reader, verdicts, rules.on_private, absence.former)
    departures = {gone.id: gone for gone in left}
    for verdict in verdicts:
        answer = {p.id: p for p in _items(reader, [verdict.item] if verdict.item else [])}
        learned = answer[verdict.id].changes if verdict.id in answer else ()
        name = str(stored[verdict.id][_NAME])
        if verdict.id in departures:
            gone = departures[verdict.id]
            changes = (*learned, *_departing(gone, stored[gone.id]))
            action: Action = "purge" if gone.purges else "remove" if gone.reason else "leave"
            yield Preview(id=verdict.id, full_name=name, action=action, changes=changes)
            _take_for_written(reader, gone)
        elif verdict.outcome == "unknown":
            why = absence.objection or "not decided yet; the next run asks GitHub again"
            reason = (*learned, Change("", None, why))
            yield Preview(id=verdict.id, full_name=name, action="withhold", changes=reason)
        else:
            yield from answer.values()


def _departing(gone: Departure, stored: Values) -> Iterable[Change]:
    """Return what goes field by field, which the log tells no more where it is redacted."""
    if gone.purges:
        return diff(stored, _NOTHING, FIELDS)
    if not gone.redacts or gone.values is None:
        return gone.changes
    blanked = diff(stored, gone.values, FIELDS)
    told = (change for change in gone.changes if change.field not in ("visibility", REDACTED))
    return (*blanked, *told)


def _take_for_written(reader: Overlay, gone: Departure) -> None:
    for account in gone.leaving:
        reader.written.listed[account, reader.host, gone.id] = False
    known = reader.known([gone.id]).get(gone.id)
    if known is None:
        return
    row = _Row(
        values=gone.values or reader.values([gone.id])[gone.id],
        content_hash="" if gone.values else known.content_hash,
        removed_at=reader.now if gone.reason else known.removed_at,
        removal_reason=gone.reason or known.removal_reason,
    )
    reader.written.rows[reader.host, gone.id] = None if gone.purges else row
