"""The changes that a run would make: the run writes to a scratch ledger, and is compared there."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from sync.database.scratch import COMPARED, ScratchLedger, Written
from sync.database.writes import Change
from sync.load.page_plan import diff
from sync.run.outcome import RunOutcome
from sync.run.progress import Progress

Action = Literal[
    "insert", "update", "restore", "join", "leave", "remove", "purge", "withhold", "reject"
]

_NOTHING = (None,) * len(COMPARED)
_NAME, _REMOVED = COMPARED.index("full_name"), COMPARED.index("removed_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The change that a run makes to a repository, field by field, counters included.

    `join`: a stored repository that the account begins to list. `leave`: the account no
    longer lists it, another account still does. `withhold`: a missing repository that the
    run leaves undecided; its last change is the reason. `reject`: an item that could not
    be stored, without host, id and name; the reason is its only change.
    """

    host: str | None
    id: int | None
    full_name: str | None
    action: Action
    changes: tuple[Change, ...]


class DryRun(Progress):
    """Progress callbacks of a run in `scratch`; afterwards, the differences it made there."""

    def __init__(self, scratch: ScratchLedger) -> None:
        self._scratch = scratch
        self._withheld: dict[tuple[str, int], str] = {}

    def withheld(self, host: str, ids: Collection[int], reason: str) -> None:
        self._withheld |= {(host, id_): reason for id_ in ids}

    def difference(self, outcome: RunOutcome) -> Iterator[Difference]:
        """Yield what the run, which ended with `outcome`, wrote. Raises DatabaseError."""
        if outcome.run_id is None:  # the run could not begin
            return
        for written in self._scratch.written(outcome.run_id, besides=self._withheld):
            found = _difference(written, self._withheld.get((written.host, written.id)))
            if found.changes:
                yield found
        for reason in self._scratch.rejected(outcome.run_id):
            yield _note("reject", reason)
        if outcome.status == "partial" and not outcome.complete:
            reason = "GitHub left out organizations: the token lacks their single sign-on"
            yield _note("withhold", reason)


def _difference(written: Written, withheld: str | None) -> Difference:
    before, now = written.before or _NOTHING, written.now or _NOTHING
    action, changes = _action(written), [*diff(before, now, COMPARED)]
    if action not in ("insert", "purge"):
        changes += written.lists
    if withheld is not None:
        action = "withhold"
        changes.append(Change("", None, withheld))
    goes = action in ("leave", "remove", "purge", "withhold")
    name = str((before if goes else now)[_NAME])
    return Difference(
        host=written.host, id=written.id, full_name=name, action=action, changes=tuple(changes)
    )


def _action(written: Written) -> Action:
    before, now, lists = written.before, written.now, written.lists
    if before is None or now is None:
        return "insert" if before is None else "purge"
    if (before[_REMOVED] is None) != (now[_REMOVED] is None):
        return "restore" if now[_REMOVED] is None else "remove"
    if any(change.new_value is None for change in lists):
        return "leave"
    return "join" if lists and before == now else "update"


def _note(action: Action, reason: str) -> Difference:
    told = (Change("", None, reason),)
    return Difference(host=None, id=None, full_name=None, action=action, changes=told)
