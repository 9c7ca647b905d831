"""One resource in a run: what was chosen, how far it is, and what was loaded of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sync.database.resource_runs import ResourceCounts, record
from sync.database.run_transaction import RunTransaction
from sync.load.agenda import REFUSALS
from sync.load.due import ResourcePlan, Status
from sync.load.fetched import Fetched
from sync.load.resource_answer import Answered, store_answer
from sync.load.tally import Tally
from sync.resources.figures import Figures
from sync.resources.resource import Due, Resource

_IN_A_ROW = 5  # failures in a row after which the rest of a resource is left for the next run


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A resource to load.

    `by_name`: whether the configuration asks for it by its name. `covers`: whether a
    repository's name is among those wanted. `every`: the time between two requests, in place of
    the resource's own.
    """

    resource: Resource | Figures
    by_name: bool = False
    covers: Callable[[str], bool] = lambda _: True
    every: timedelta | None = None


@dataclass(slots=True)
class Loaded:
    """The resources as far as a run loaded them.

    `counts`, by resource: as in `resource_runs`. `waiting`: numbers of repositories left for a
    later run because of the quota, by resource. `lost_at`: when the first of what waits is
    lost. `next_at`: when something is due next. `resume_at`: when what is due now can be loaded:
    at once if the run ended early, or after the reset of the quota. `refused_by_name`: resources
    that were asked for by name, and refused. `given`: whether GitHub gave anything of a repository
    that was asked for by name, by its id. `tallies`: the repositories of each resource.
    """

    counts: dict[str, ResourceCounts] = field(default_factory=dict)
    tallies: dict[str, Tally] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)
    lost_at: datetime | None = None
    next_at: datetime | None = None
    resume_at: datetime | None = None
    refused_by_name: tuple[str, ...] = ()
    given: dict[int, bool] = field(default_factory=dict)

    @property
    def lost_days(self) -> int:
        """The number of days whose figures are gone."""
        return sum(each.lost_days for each in self.counts.values())

    @property
    def is_flawed(self) -> bool:
        """Whether days are lost, or something that was asked for by name was not given."""
        return bool(self.lost_days or self.refused_by_name) or not all(self.given.values())

    def note_named(self, repository_id: int, status: Status) -> None:
        """Note an answer about a repository that was asked for by name."""
        given = status not in ("missing", "failed")
        self.given[repository_id] = given or self.given.get(repository_id, False)


@dataclass(slots=True)
class Loading:
    """One resource in a run.

    `named`: whether its repositories were asked for by name, so that none is left out because
    of others. `newest`: the newest day of each part that GitHub is known to have. `failed`:
    failures in a row. `refused`: refusals in a row, by owner. `missing`: owners for one of whose
    repositories there is nothing. `unproven`: repositories whose answer proved nothing, since no
    other one had shown a day.
    """

    number: int
    choice: Choice
    named: bool = False
    plan: ResourcePlan = field(default_factory=lambda: ResourcePlan(number=0, due=Due(), cost=0))
    counts: ResourceCounts = field(default_factory=ResourceCounts)
    tally: Tally = field(default_factory=Tally)
    newest: Mapping[str, date] = field(default_factory=dict)
    failed: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    missing: set[str] = field(default_factory=set)
    unproven: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Do not take the server for one without the resource where only some were asked for."""
        self.tally.found = self.named

    @property
    def resource(self) -> Resource | Figures:
        return self.choice.resource

    @property
    def is_given_up(self) -> bool:
        """Whether it failed so often that the server seems to be unable to answer."""
        return self.failed >= _IN_A_ROW

    @property
    def is_absent(self) -> bool:
        """Whether the server seems not to have it at all, as an Enterprise Server may."""
        return len(self.missing) >= REFUSALS and not self.tally.found

    def leaves_out(self, owner: str) -> bool:
        """Return whether refusals of other repositories speak for those of this owner, too."""
        return self.is_absent or (self.refused[owner] >= REFUSALS and not self.named)

    @property
    def paused(self) -> set[tuple[int, str]]:
        """Its number with each owner whose repositories are left out."""
        return {(self.number, owner) for owner in self.refused if self.leaves_out(owner)}

    def take(self, fetched: Fetched, answered: Answered) -> None:
        """Count an answer."""
        candidate = fetched.candidate
        self.counts += answered.counts
        self.tally.take(candidate.id, answered, fetched.detail)
        self.failed = self.failed + 1 if answered.status == "failed" else 0
        if answered.status == "missing":
            self.missing.add(candidate.owner)
        if candidate.state is not None and candidate.state.status == "complete":
            self.tally.found = True
        refused = answered.status in ("refused", "missing")
        self.refused[candidate.owner] = self.refused[candidate.owner] + 1 if refused else 0
        told = answered.told
        if told is not None:
            self.note_newest(told.newest)
            self.tally.read -= candidate.id in self.unproven  # it is read again in this run
            (self.unproven.add if told.memory.get("unproven") else self.unproven.discard)(
                candidate.id
            )

    def note_newest(self, told: Mapping[str, date]) -> None:
        """Note the newest day of each part in an answer."""
        least, parts = date.min, {*self.newest, *told}
        self.newest = {
            part: max(self.newest.get(part, least), told.get(part, least)) for part in parts
        }


def stored(
    loading: Loading,
    fetched: Fetched,
    transaction: RunTransaction,
    *,
    rights: str,
    newest: Mapping[str, date],
) -> Answered:
    """Store an answer, and what it tells as lost: a run that is killed later has told it."""
    answered = store_answer(
        *(transaction, loading.resource, loading.plan, fetched), rights=rights, newest=newest
    )
    if answered.counts.lost_days:
        record(transaction, loading.resource.name, loading.counts + answered.counts)
    return answered


def recorded(counts: Mapping[str, ResourceCounts], transaction: RunTransaction) -> None:
    """Record the counts of resources in the run, by their names."""
    for name, each in counts.items():
        record(transaction, name, each)
