"""The past of a ledger: the change log replayed from nothing, and lists kept to be asked for later.

Nothing here uses the product's own way of undoing changes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sync.database.changelog import as_text
from sync.database.filters import REPOSITORY_COLUMNS
from sync.database.queries import Ledger
from sync.database.tables import BY_DAY, CONTENT
from tests.support.walk_checks import BLANKED, difference
from tests.support.walk_view import Row, View, redacted_name

SECRET = ("name", "full_name", *BLANKED)
STATE = ("removed_at", "removal_reason")


@dataclass(slots=True)
class _Replayed:
    """A repository as far as the log has told of it; `redactions` are still to come."""

    rid: int
    redactions: int
    values: dict[str, str | None] = field(default_factory=dict)
    accounts: set[str] = field(default_factory=set)

    def take(self, row: Row) -> None:
        """Go on by one row of the log."""
        name, old, new = row["field"], row["old_value"], row["new_value"]
        if name == "created":
            assert not self.values, "created twice"
            self._document(new)
            self.values |= dict.fromkeys(STATE)
            self.accounts.add(row["account"])
        elif name == "redacted":
            self.redactions -= 1
            self._redacted(new)
        elif name == "account":
            self._account(old, new)
        else:
            self._changed(name, old, new)

    def _document(self, text: str) -> None:
        document = json.loads(text)
        expected = set(CONTENT) - (set(SECRET) if self.redactions else set())
        assert document.keys() == expected, f"a document of {sorted(document.keys() ^ expected)}"
        self.values |= document

    def _redacted(self, text: str) -> None:
        before = dict(self.values)
        self.values = {name: before[name] for name in STATE}
        self._document(text)
        for name, value in self.values.items():
            assert name in (*SECRET, *BY_DAY) or value == before[name], (
                f"redacted, and {name} changed"
            )
        if not self.redactions:
            assert self.values["name"] == redacted_name(self.rid), self.values["name"]

    def _account(self, old: str | None, new: str | None) -> None:
        assert (old is None) != (new is None), f"an account from {old} to {new}"
        if new is not None:
            assert new not in self.accounts, f"{new} lists it already"
            self.accounts.add(new)
        if old is not None:
            assert old in self.accounts, f"{old} did not list it"
            self.accounts.remove(old)

    def _changed(self, name: str, old: str | None, new: str | None) -> None:
        if self.redactions and name in SECRET:
            assert (old, new) == (None, None), f"{name} tells what was redacted: {old}, {new}"
            return
        assert self.values[name] == old, f"{name} was {self.values[name]}, and not {old}"
        assert old != new, f"{name} did not change: {old}"
        self.values[name] = new


def replays(view: View) -> None:
    """Assert that the log, from nothing, leads to what is stored."""
    log = view.log()
    redactions: dict[int, int] = {}
    for row in log:
        rid = row["repository_id"]
        redactions[rid] = redactions.get(rid, 0) + (row["field"] == "redacted")
    replayed: dict[int, _Replayed] = {}
    for row in log:
        rid = row["repository_id"]
        try:
            replayed.setdefault(rid, _Replayed(rid, redactions[rid])).take(row)
        except (AssertionError, KeyError) as error:
            raise AssertionError(f"the log of {rid} at {row}: {error!r}") from error
    look, rows = view.look(), view.rows()
    assert replayed.keys() == rows.keys(), "other repositories than are stored"
    for rid, state in replayed.items():
        told = (name for name in (*CONTENT, *STATE) if name not in BY_DAY)
        stored = {name: as_text(rows[rid][name]) for name in told}
        wrong = {n: (v, state.values.get(n)) for n, v in stored.items() if v != state.values.get(n)}
        assert not wrong, f"of {rid} are stored and told: {wrong}"
        live = {name for name, ids in look.live.items() if rid in ids}
        assert state.accounts == live, f"{rid} is listed by {live}, and told {state.accounts}"


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """Lists as they were shown at `moment`, by what was asked for."""

    moment: datetime
    lists: dict[str, dict[int, Row]]


class Past:
    """Keeps what a ledger showed, and asks it later what it showed then."""

    def __init__(self, ledger: Ledger, view: View, accounts: tuple[str, ...], purges: bool) -> None:
        self._ledger = ledger
        self._view = view
        self._purges = purges
        self._questions: dict[str, dict[str, Any]] = {"all": {}, "removed": {"removed": True}}
        self._questions |= {name: {"account": name} for name in accounts}
        self._kept: list[_Snapshot] = []

    def keep(self, moment: datetime) -> None:
        """Take a snapshot; nothing may be written any more at `moment`."""
        lists = {
            name: {row["id"]: dict(row) for row in self._ledger.repos(**question)}
            for name, question in self._questions.items()
        }
        self._kept.append(_Snapshot(moment, lists))

    def days_end(self, now: datetime) -> None:
        """Take in what is kept by the day as it is: a day is told of as it ended."""
        today = [snapshot for snapshot in self._kept if snapshot.moment.date() == now.date()]
        rows = self._view.rows() if today else {}
        for snapshot in today:
            for listed in snapshot.lists.values():
                for rid, row in listed.items():
                    row |= {name: rows[rid][name] for name in BY_DAY if rid in rows}

    def is_told(self, chosen: list[int], now: datetime) -> None:
        """Assert that the snapshots of these numbers are still what is told of their times."""
        self.days_end(now)
        redacted, rows = self._view.redacted_at(), self._view.rows("first_seen_at")
        for snapshot in (self._kept[number] for number in chosen):
            moment = snapshot.moment
            since = {rid for rid, last in redacted.items() if last > moment}
            known = {rid for rid, row in rows.items() if row["first_seen_at"] <= moment}
            for name, question in self._questions.items():
                told = self._ledger.repos(as_of=moment, **question)
                try:
                    self._compare(snapshot.lists[name], {r["id"]: r for r in told}, since, known)
                except AssertionError as error:
                    raise AssertionError(f"{name} as of {moment}: {error}") from error

    def __len__(self) -> int:
        return len(self._kept)

    def _compare(
        self, shown: dict[int, Row], told: dict[int, Any], redacted: set[int], known: set[int]
    ) -> None:
        """Compare two lists, apart from what was `redacted` since, or is not `known` since then."""
        purged = shown.keys() - known
        assert not purged or self._purges, f"{sorted(purged)} are no longer known"
        assert told.keys() == shown.keys() & known, difference("told", told, shown.keys() & known)
        for rid, row in told.items():
            before = shown[rid]
            assert row["changed_at"] in (None, before["changed_at"]), f"{rid}: changed_at"
            names = [name for name in REPOSITORY_COLUMNS if name != "changed_at"]
            if rid in redacted:
                blanked = {name: row[name] for name in BLANKED if row[name] is not None}
                assert not blanked, f"{rid} was redacted, and {blanked} is told"
                name = redacted_name(rid)
                assert row["name"] == name, f"{rid} is told as {row['name']}"
                assert row["full_name"].endswith(f"/{name}"), row["full_name"]
                names = [name for name in names if name not in SECRET]
            wrong = {n: (row[n], before[n]) for n in names if row[n] != before[n]}
            assert not wrong, f"of {rid} are told, and were shown: {wrong}"
