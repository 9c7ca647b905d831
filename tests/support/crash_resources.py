"""What happens to traffic, stars, releases and languages between the runs of a crash sweep."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.crash_story import DeadlySandbox, Step
from tests.support.database import HandClock

_BEGIN = datetime(2026, 3, 1, 9, tzinfo=UTC)
_FIRST = 500_000_001
_NAMES = ("busy", "old", "young")
_VIEWS = {"views": 9, "clones": 4}


def _visits(least: int, day: date) -> tuple[int, int]:
    return least + day.day % 5, 3


def _nothing(_: Sandbox) -> None:
    pass


def _two_days_later(github: Sandbox) -> None:
    """Let everything change, and the history of one be read again from its beginning."""
    _pass(github, 2)
    for id_ in _ids():
        github.push(id_)
        github.set_child(id_, "languages", {"Rust": id_ % 7, "C": 5})
        github.star(id_)
        github.download(id_, "v1", "one.zip", by=3)
    github.replace_asset(_FIRST, "v1", "one.zip")
    github.add_release(_FIRST, "v2", assets={"two.zip": 2})
    github.unstar(_FIRST + 1, date(2024, 6, 1), by=2)
    github.set_popular(_FIRST, "referrers", [("search.example", 8, 3), ("chat.example", 2, 1)])


def _weeks_later(github: Sandbox) -> None:
    """Let days of traffic be lost; one repository refuses, another has no releases any more."""
    _pass(github, 20)
    github.delete_release(_FIRST, "v1")
    github.answer_child("languages", "empty", rid=_FIRST + 1)
    github.answer_child("traffic/*", "no push", rid=_FIRST + 2)
    for id_ in _ids():
        github.push(id_)


def _pass(github: Sandbox, days: int) -> None:
    clock = github.now
    assert isinstance(clock, HandClock)
    clock.advance(days=days)


def _ids() -> range:
    return range(_FIRST, _FIRST + len(_NAMES))


STEPS = (
    Step("the first load of resources", _nothing, resources=True),
    Step("two days later", _two_days_later, resources=True),
    Step("weeks later", _weeks_later, resources=True),
)


@contextmanager
def scene() -> Iterator[DeadlySandbox]:
    """Yield a GitHub with three repositories that have something of each resource."""
    with DeadlySandbox() as github:
        github.now = HandClock(_BEGIN)
        github.add_user("octo", token=TOKEN, scopes=("public_repo",))
        github.set_quota(TOKEN, limit=10**9)
        for number, name in enumerate(_NAMES):
            id_ = github.add_repository("octo", name, created_at=_BEGIN - timedelta(days=700))
            for kind, count in _VIEWS.items():
                github.set_traffic(id_, kind, partial(_visits, count))
            github.set_popular(id_, "referrers", [("search.example", 7, 3)])
            github.set_popular(id_, "paths", [(f"/octo/{name}", name, 7, 3)])
            github.set_stars(id_, {date(2024, 6, 1): 5, date(2025, 6, 1 + number): 2})
            github.add_release(id_, "v1", assets={"one.zip": 4})
            github.set_child(id_, "languages", {"C": 5, "Python": 100})
        yield github
        assert github.errors == []
