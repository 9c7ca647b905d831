"""Plays a scenario: GitHub is set up, things happen there, accounts run, and rows are read.

    1 octo/one, 2 octo/two, 3 octo/three    octo's own, whom the account me is
    4 guild/club, 5 guild/pool              of an organization that octo is a member of
    6 hubber/kit                            hubber's, whom the account other is; octo works on it
    7 octo/pair                             octo's; hubber works on it
    8 hubber/own                            hubber's alone

Repositories go by these numbers. A scenario with `fillers` has as many more of octo's, older
than all others, so that the listing has pages. What is added later has the numbers behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sync.sandbox import Sandbox
from tests.conftest import QUICK, TOKEN
from tests.removals.telling import (
    FIRST,
    Lines,
    Stage,
    amended,
    in_order,
    lasting,
    told_log,
    told_outcome,
    told_rows,
    unlike,
)
from tests.support.inside.config import Removals
from tests.support.inside.database import Store
from tests.support.inside.github import AFFILIATIONS, GitHubClient
from tests.support.inside.run import RunOutcome
from tests.support.runs import sync

OTHERS_TOKEN = "ghp_" + "u1" * 18
TOKENS = {
    "token of me": TOKEN,
    "token of other": OTHERS_TOKEN,
    "token of mine": TOKEN,  # what the account me may be called later
}
OCTO, HUBBER, GUILD, STRANGER = (
    (1001 + n, login) for n, login in enumerate(("octo", "hubber", "guild", "stranger"))
)
WORLD = (
    *("octo/one", "octo/two", "octo/three", "guild/club", "guild/pool"),
    *("hubber/kit", "octo/pair", "hubber/own"),
)
_OLD = datetime(2021, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Deed:
    """Something that happens at GitHub, in words and in fact."""

    words: str
    perform: Callable[[Sandbox], object]


def do(verb: str, *given: Any, **options: Any) -> Deed:
    """Return a deed that is a method of the sandbox; numbers stand for repositories."""
    words = [verb, *map(str, given), *(f"{name}={value}" for name, value in options.items())]
    meant = [_meant(value) for value in given]
    return Deed(" ".join(words), lambda github: getattr(github, verb)(*meant, **options))


def _meant(value: Any) -> Any:
    if isinstance(value, int):
        return FIRST + value
    return TOKENS.get(value, value) if isinstance(value, str) else value


@dataclass(frozen=True, kw_only=True)
class Step:
    """What happens, and what the runs that follow make of it.

    `meanwhile` happens during the runs, at `moment`, which is "page 2" of the listing or
    "ask 1", the first request for a repository by its id. `rows` are those that differ from
    before; "1 no row" is one that is gone. `runs` are the accounts that run, and `configured`
    those that there are, if not all.
    """

    happens: tuple[Deed, ...] = ()
    moment: str = ""
    meanwhile: tuple[Deed, ...] = ()
    runs: Lines = ()
    configured: Lines = ()
    ran: Lines = ("me succeeded",)
    rows: Lines = ()
    log: Lines = ()

    @property
    def title(self) -> str:
        words = [deed.words for deed in self.happens]
        words += [f"at {self.moment}: {deed.words}" for deed in self.meanwhile]
        return "; ".join(words) or "nothing happens"


@dataclass(frozen=True)
class Scenario:
    """What can become of repositories, step by step, with all that has to be stored of it.

    `begins` is done to the world before the first runs, and `before` are the rows that differ
    for it. `visibility` is that of accounts that list not only what is public. With
    `username`, that user's are read without a token.
    """

    name: str
    steps: tuple[Step, ...]
    accounts: Lines = ("me",)
    begins: tuple[Deed, ...] = ()
    before: Lines = ()
    fillers: int = 0
    removals: Removals = field(default_factory=Removals)
    visibility: Mapping[str, str] = field(default_factory=dict)
    affiliation: Lines = AFFILIATIONS
    username: str | None = None

    @property
    def expected(self) -> list[Stage]:
        """What there should be after each step."""
        stages = [Stage("before", (), amended(_first_rows(self), self.before))]
        for step in self.steps:
            stored = amended(stages[-1].rows, step.rows)
            stages.append(Stage(step.title, step.ran, stored, in_order(step.log)))
        return [*stages, Stage("a further run", (), ())]


def one(name: str, *steps: Step, **options: Any) -> Scenario:
    """Return a scenario of one account."""
    return Scenario(name, steps, **options)


def two(name: str, *steps: Step, **options: Any) -> Scenario:
    """Return a scenario of two accounts."""
    return Scenario(name, steps, ("me", "other"), **options)


def _first_rows(scenario: Scenario) -> Iterator[str]:
    lists = {6: "me", 7: "me"}
    if len(scenario.accounts) == 2:
        lists = {6: "me other", 7: "me other", 8: "other"}
    for number, place in enumerate(WORLD, 1):
        if number < 6 or number in lists:
            yield f"{number} {place} public - {lists.get(number, 'me')}"
    if scenario.fillers:
        yield f"+ {scenario.fillers}×octo/fill public - me"


# Playing


def play(scenario: Scenario, store: Store) -> list[Stage]:
    """Return what there is after each step of a scenario."""
    with Sandbox() as github:
        _build(github, scenario)
        game = _Game(scenario, github, store)
        stages = [game.stage("before", game.run(Step()))]
        stages[0] = Stage("before", (), stages[0].rows)
        for step in scenario.steps:
            with _happening(github, step):
                ran = game.run(step)
            stages.append(game.stage(step.title, ran))
        kept = lasting(store.url)
        game.run(scenario.steps[-1])
        changed = tuple(unlike(kept, lasting(store.url)))
        assert github.errors == []
        return [*stages, Stage("a further run", (), (), changed)]


class _Game:
    """A ledger that the accounts of a scenario are synced into."""

    def __init__(self, scenario: Scenario, github: Sandbox, store: Store) -> None:
        self.scenario, self.github, self.store = scenario, github, store
        self.read = 0  # of the log

    def run(self, step: Step) -> Lines:
        """Sync the accounts, each once; return how that went."""
        accounts = self.scenario.accounts
        configured = step.configured or accounts
        return tuple(told_outcome(self._sync(each, configured)) for each in step.runs or accounts)

    def _sync(self, account: str, configured: Lines) -> RunOutcome:
        with GitHubClient(
            token=None if self.scenario.username else TOKENS[f"token of {account}"],
            username=self.scenario.username,
            api_url=self.github.url,
            retry=QUICK,
            concurrency=1 if self.scenario.fillers else 4,  # pages in order, one after the other
        ) as client:
            return sync(
                client,
                self.store,
                account=account,
                visibility=self.scenario.visibility.get(account, "public"),
                affiliation=self.scenario.affiliation,
                removals=self.scenario.removals,
                configured=configured,
            )

    def stage(self, title: str, ran: Lines) -> Stage:
        log, self.read = told_log(self.store.url, self.read)
        return Stage(title, ran, told_rows(self.store.url), log)


def _build(github: Sandbox, scenario: Scenario) -> None:
    github.add_user("octo", token=TOKEN)
    github.add_user("hubber", token=OTHERS_TOKEN)
    github.add_user("guild", kind="Organization")
    github.add_user("stranger")
    github.add_member("guild", "octo")
    for number, place in enumerate(WORLD, 1):
        owner, _, name = place.partition("/")
        github.add_repository(owner, name, created_at=_OLD + timedelta(days=number))
    github.add_collaborator("octo", FIRST + 6)
    github.add_collaborator("hubber", FIRST + 7)
    for deed in scenario.begins:
        deed.perform(github)
    for number in range(scenario.fillers):
        older = _OLD - timedelta(days=1000 - number)
        github.add_repository("octo", f"fill-{number:03}", created_at=older)


@contextmanager
def _happening(github: Sandbox, step: Step) -> Iterator[None]:
    """Do what a step is about, before the block and at its moment."""
    for deed in step.happens:
        deed.perform(github)
    pending, asked = list(step.meanwhile), count(1)

    def note(request: Any) -> None:
        with github.lock:
            if not _is_moment(step.moment, request, asked):
                return
            while pending:
                pending.pop(0).perform(github)

    github.on_request = note if pending else None
    yield
    github.on_request = None
    assert not pending, f"{step.moment} did not come"


def _is_moment(moment: str, request: Any, asked: Iterator[int]) -> bool:
    what, _, number = moment.partition(" ")
    if what == "page":
        return bool(request.path == "/user/repos" and request.query.get("page", "1") == number)
    return request.path.startswith("/repositories/") and next(asked) == int(number)
