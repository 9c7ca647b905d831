"""What a sync run would write, without writing anything."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from typing import Any, Literal, TypeVar

from sync.absence import Search
from sync.config.sections import Removals
from sync.database import migrate
from sync.database.logged import ACCOUNT, REDACTED
from sync.database.queries import Ledger
from sync.database.reader import PageReader
from sync.database.rows import Change
from sync.database.tables import FIELDS
from sync.departures import Departure
from sync.github.client import GitHubClient, Visibility
from sync.github.records import Item
from sync.planning import diff, differing, hash_items, make_plan
from sync.settling import AT_ONCE, departures_of
from sync.verdicts import Verdict

T = TypeVar("T")
Action = Literal[
    "insert", "update", "restore", "join", "leave", "remove", "purge", "withhold", "reject"
]

_NOTHING = (None,) * len(FIELDS)
_NAME = FIELDS.index("full_name")


class Written:
    """What the previews of other accounts would have written by then."""

    def __init__(self) -> None:
        self.hashes: dict[tuple[str, int], str] = {}
        self.left: set[tuple[str, int]] = set()


@contextmanager
def open_reader(
    url: str, account: str, host: str, configured: Collection[str] | None = None
) -> Iterator[PageReader | None]:
    """Yield what a preview compares with: the ledger at `url`, or None if there is none."""
    if migrate.check(url) is None:
        yield None
        return
    with Ledger(url) as ledger, ledger.page_reader(account, host, configured) as reader:
        yield reader


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


def preview_sync(
    *,
    client: GitHubClient,
    reader: PageReader | None,
    visibility: Visibility,
    affiliation: tuple[str, ...],
    removals: Removals,
    accept_removals: bool = False,
    written: Written | None = None,
) -> Iterator[Preview]:
    """Yield what `run_sync` would write, once `written` is. Raises RestErrors."""
    written = written or Written()
    listing: dict[str, Any] = {"visibility": visibility, "affiliation": affiliation}
    search = Search(client, lambda work: work(_required(reader)), listing)
    for page in client.repository_pages(**listing):
        search.look.take(page)
        yield from _items(reader, page.items, client.host, written)
        for rejected in page.rejected:
            reason = Change("", None, rejected.reason)
            yield Preview(id=None, full_name=None, action="reject", changes=(reason,))
    if reader is None or search.look.partial:
        return
    absence = search.absent(client.identify(), removals, accept=accept_removals)
    verdicts = search.verdicts(absence, limit=removals.max_probes, seed=0)
    why = absence.objection or "not decided yet; the next run asks for it again"
    reader.left = written.left
    while batch := list(islice(verdicts, AT_ONCE)):
        batch.sort(key=attrgetter("id"))
        yield from _settled(reader, batch, removals, why, written)


def _required(reader: PageReader | None) -> PageReader:
    if reader is None:
        raise LookupError("there is no ledger to ask")
    return reader


def _items(
    reader: PageReader | None, items: Sequence[Item], host: str, written: Written
) -> Iterator[Preview]:
    hashed = [
        item
        for item in hash_items(items)
        if written.hashes.get((host, item.id)) != item.content_hash
    ]
    written.hashes |= {(host, item.id): item.content_hash for item in hashed}
    ids = [item.id for item in hashed]
    known = reader.known(ids) if reader else {}
    stored = reader.values(differing(hashed, known)) if reader else {}
    plan = make_plan(hashed, known, stored, seen=len(items))
    for write in plan.writes:
        changes = list(diff(stored.get(write.id, _NOTHING), write.values, FIELDS))
        if write.restores:
            changes += [c for c in write.changes if c.field in ("removed_at", "removal_reason")]
        if write.joins and not write.is_new and reader is not None:
            changes.append(Change(ACCOUNT, None, reader.account))
        action: Action = "insert" if write.is_new else "restore" if write.restores else "update"
        name = str(write.values[_NAME])
        yield Preview(id=write.id, full_name=name, action=action, changes=tuple(changes))
    if reader is not None:
        joined = (Change(ACCOUNT, None, reader.account),)
        names = {item.id: item.item.record.full_name for item in hashed}
        for id_ in plan.joins:
            yield Preview(id=id_, full_name=names[id_], action="join", changes=joined)


def _settled(
    reader: PageReader, verdicts: Sequence[Verdict], rules: Removals, why: str, written: Written
) -> Iterator[Preview]:
    stored = reader.values([verdict.id for verdict in verdicts])
    departures = {gone.id: gone for gone in departures_of(reader, verdicts, rules.on_private)}
    for verdict in verdicts:
        items = [verdict.item] if verdict.item else []
        answer = {p.id: p for p in _items(reader, items, reader.host, written)}
        learned = answer[verdict.id].changes if verdict.id in answer else ()
        name = str(stored[verdict.id][_NAME])
        if verdict.id in departures:
            gone = departures[verdict.id]
            written.left |= {(name, gone.id) for name in gone.leaving}
            changes = (*learned, *_departing(gone, stored))
            action: Action = "purge" if gone.purges else "remove" if gone.reason else "leave"
            yield Preview(id=verdict.id, full_name=name, action=action, changes=changes)
        elif verdict.outcome == "unknown":
            reason = (*learned, Change("", None, why))
            yield Preview(id=verdict.id, full_name=name, action="withhold", changes=reason)
        else:
            yield from answer.values()


def _departing(gone: Departure, stored: Mapping[int, tuple[Any, ...]]) -> Iterable[Change]:
    """Return what goes field by field, which the log tells no more where it is redacted."""
    if gone.purges:
        return diff(stored[gone.id], _NOTHING, FIELDS)
    if not gone.redacts or gone.values is None:
        return gone.changes
    blanked = diff(stored[gone.id], gone.values, FIELDS)
    told = (change for change in gone.changes if change.field not in ("visibility", REDACTED))
    return (*blanked, *told)
