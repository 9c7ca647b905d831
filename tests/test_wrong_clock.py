"""Runs by a clock that is wrong and is put right; what goes and comes back in between."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from sync.sandbox import Answer, Request, Sandbox
from tests.support.database import HandClock, values
from tests.support.inside.config import Retained, Retention
from tests.support.inside.database import Ledger, Store
from tests.support.inside.github import GitHubClient
from tests.support.runs import fill, sync

pytestmark = pytest.mark.slow_on_servers

DAY = timedelta(days=1)


@pytest.fixture
def clock() -> HandClock:
    return HandClock(datetime.now(UTC))


@pytest.fixture
def store(ledger_url: str, clock: HandClock) -> Iterator[Store]:
    with Store(ledger_url, clock=clock) as opened:
        yield opened


@pytest.fixture
def run(client: GitHubClient, store: Store, clock: HandClock) -> Callable[..., None]:
    """Return what does a run by the clock that is set by hand; the server's is right."""
    client.clock = clock

    def once(**options: Any) -> None:
        assert sync(client, store, accept_removals=True, **options).status == "succeeded"

    return once


def shown(store: Store, clock: HandClock, moment: datetime) -> list[tuple[int, str]]:
    with Ledger(store.url, clock=clock) as ledger:
        rows = ledger.repos(as_of=moment)
        return [(row["stargazers_count"], row["description"]) for row in rows]


def daily(store: Store, id_: int) -> list[tuple[str, int]]:
    about = f"FROM repository_daily WHERE repository_id = {id_} ORDER BY day"
    query = f"SELECT day, stargazers_count {about}"
    return [(str(day), stars) for day, stars in values(store.url, query)]


@pytest.mark.parametrize("wrong", [DAY, 3_650 * DAY, -DAY, -3_650 * DAY])
def test_a_run_by_a_wrong_clock_puts_nothing_after_what_later_runs_find(
    github: Sandbox,
    store: Store,
    clock: HandClock,
    run: Callable[..., None],
    wrong: timedelta,
) -> None:
    (id_,) = fill(github, 1)
    right = clock.now
    for stars, skew in ((1, timedelta()), (2, wrong), (3, timedelta()), (3, timedelta())):
        github.edit(id_, stargazers_count=stars, description=str(stars))
        clock.now = right + skew
        run()
    assert shown(store, clock, right) == [(3, "3")]
    later = HandClock(right + 9_999 * DAY)
    assert shown(store, later, right) == [(3, "3")]
    days = values(store.url, "SELECT day, stargazers_count FROM repository_metrics")
    assert [(str(day), stars) for day, stars in days] == [(str(right.date()), 3)]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_the_clock_does_stored_rows_are_current_and_none_is_in_the_future(
    github: Sandbox, client: GitHubClient, new_sqlite_ledger: Path, tmp_path: Path, seed: int
) -> None:
    rng = Random(seed)
    (id_,) = fill(github, 1)
    file = shutil.copyfile(new_sqlite_ledger, tmp_path / "ledger.db")
    url, right = f"sqlite:///{file}", datetime.now(UTC)
    client.clock = clock = HandClock(right)
    for stars in range(1, 20):
        if rng.random() < 0.7:
            github.edit(id_, stargazers_count=stars, description=str(stars))
        skew = rng.choice((timedelta(), timedelta(minutes=20), DAY, 400 * DAY))
        clock.now = right + skew * rng.choice((-1, 1))
        with Store(url, clock=clock) as store:
            assert sync(client, store).status == "succeeded"
            (stored,) = values(url, "SELECT stargazers_count, description FROM repositories")
            assert shown(store, clock, clock.now) == [stored]
        with Ledger(url, clock=clock) as ledger:
            today = clock.now.date()
            (row,) = ledger.history("octo/repo-0000", since=today, until=today)
            assert row["stargazers_count"] == stored[0]
        logged = values(url, "SELECT observed_at FROM repository_changes ORDER BY id")
        assert logged == sorted(logged)
        if not skew:
            (latest,) = values(url, "SELECT max(day) FROM repository_metrics")
            assert latest[0] <= str(right.date())
            assert logged[-1][0] <= f"{right:%Y-%m-%d %H:%M:%S.%f}"


def test_the_days_between_a_removal_and_a_return_are_not_known(
    github: Sandbox, store: Store, clock: HandClock, run: Callable[..., None]
) -> None:
    github.add_user("other")
    mine, shared = fill(github, 1)[0], github.add_repository("other", "shared")
    github.add_collaborator("octo", shared)
    today = clock.now
    clock.now = today - 9 * DAY
    run()
    clock.now += 3 * DAY
    github.remove_collaborator("octo", shared)
    run()
    clock.now += 4 * DAY
    github.add_collaborator("octo", shared)
    run()
    clock.now = today
    expected = [(today - age * DAY).date() for age in (9, 8, 7, 6, 2, 1, 0)]
    query = f"SELECT day FROM repository_metrics WHERE repository_id = {shared} ORDER BY day"
    told = [str(day) for (day,) in values(store.url, query)]
    assert told == [str(expected[0]), str(expected[4])]  # the return begins anew
    with Ledger(store.url, clock=clock) as ledger:
        span = {"since": expected[0], "until": expected[-1]}
        assert [row["day"] for row in ledger.history("other/shared", **span)] == expected
        assert len(list(ledger.history("octo/repo-0000", **span))) == 10
        assert [day for day, _ in daily(store, shared)] == [str(day) for day in expected]
        assert len(daily(store, mine)) == 10
        for age, there in ((6.5, True), (5, False), (3, False), (1, True)):
            found = {row["id"] for row in ledger.repos(as_of=today - age * DAY)}
            assert found == ({mine, shared} if there else {mine})


@pytest.mark.parametrize("told", [True, False], ids=["told by the server", "told by nobody"])
@pytest.mark.parametrize("wrong", [timedelta(hours=1), 1_095 * DAY])
def test_no_run_by_a_clock_that_may_be_wrong_forgets_runs_that_are_not_old(
    github: Sandbox,
    store: Store,
    clock: HandClock,
    run: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    wrong: timedelta,
    told: bool,
) -> None:
    fill(github, 1)
    right = clock.now
    briefly = Retention(runs=Retained(1_800), rejected=Retained(1_800))
    for age in (3, 2, 1):
        clock.now = right - timedelta(seconds=age)
        run()
    answer = github.answer

    def undated(request: Request) -> Answer:
        given = answer(request)
        headers = {name: text for name, text in given.headers.items() if name != "Date"}
        return replace(given, headers=headers)

    if not told:
        monkeypatch.setattr(github, "answer", undated)
    clock.now = right + wrong
    run(retention=briefly)
    runs = "SELECT count(*) FROM sync_runs"
    assert values(store.url, runs) == [(4,)]
    monkeypatch.setattr(github, "answer", answer)
    github.now = lambda: clock.now
    run(retention=briefly)  # now they are old
    assert values(store.url, runs) == [(3,)]


def test_a_run_by_a_right_clock_forgets_nothing_for_what_a_wrong_one_has_written(
    github: Sandbox, store: Store, clock: HandClock, run: Callable[..., None]
) -> None:
    (id_,) = fill(github, 1)
    right = clock.now
    for number in range(40):  # more days than the clock can have been ahead: they stay
        clock.now = right + number * 30 * DAY
        github.edit(id_, stargazers_count=number)
        run()
    clock.now = right
    for _ in range(3):
        run()
    runs = values(store.url, "SELECT count(*) FROM sync_runs")
    run()
    assert runs == [(43,)]
    assert values(store.url, "SELECT count(*) FROM sync_runs") == [(44,)]


@pytest.mark.parametrize(
    ("first", "left", "back", "shown"),
    [
        pytest.param(0, 3, None, (-3, -2, -1, 0), id="gone while the clock was ahead"),
        pytest.param(2, 3, None, (0,), id="first seen and gone while it was"),
        pytest.param(0, 1, 2, (-3, -2, 0), id="gone before, and back while it was"),
        pytest.param(0, 2, 3, (-3, -2, -1, 0), id="gone and back while it was"),
    ],
)
def test_nothing_shows_a_day_to_come_before_a_right_run_has_put_it_right(
    github: Sandbox,
    store: Store,
    clock: HandClock,
    run: Callable[..., None],
    first: int,
    left: int,
    back: int | None,
    shown: tuple[int, ...],
) -> None:
    now = clock.now
    github.add_user("other")
    shared = github.add_repository("other", "shared")
    github.add_collaborator("octo", shared)
    for stars, days in list(enumerate((-3, -2, 2, 3)))[first:]:
        clock.now = now + days * DAY
        github.edit(shared, stargazers_count=stars)
        if stars == left:
            github.remove_collaborator("octo", shared)
        if stars == back:
            github.add_collaborator("octo", shared)
        run()
    clock.now = now
    today = now.date()
    (stored,) = values(store.url, "SELECT stargazers_count FROM repositories")
    with Ledger(store.url, clock=clock) as ledger:
        rows = ledger.history("other/shared", since=today - 9 * DAY, until=today + 9 * DAY)
        told = [(str(row["day"]), row["stargazers_count"]) for row in rows]
        assert ledger.removed_on("other/shared") == (today if back is None else None)
    assert [day for day, _ in told] == [str(today + days * DAY) for days in shown]
    assert told[-1][1] == stored[0]
    assert daily(store, shared) == told


# Servers whose time cannot be relied on


@pytest.fixture
def behind(
    github: Sandbox, clock: HandClock, run: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """Return what does a run by a clock five years behind, in a ledger of twenty right days.

    The answers tell times that are so far from that clock's, one after the other and the last
    one on and on; None is an answer without a time.
    """
    (id_,) = fill(github, 1)
    for day in range(-20, 0):
        clock.now = datetime.now(UTC) + day * DAY
        github.edit(id_, stargazers_count=100 + day, description=str(day))
        run()
    answer = github.answer

    def once(*skews: timedelta | None) -> None:
        clock.now = datetime.now(UTC) - 1_825 * DAY
        left = list(skews)

        def dated(request: Request) -> Answer:
            told = answer(request)
            skew = left.pop(0) if len(left) > 1 else left[0]
            headers = {name: text for name, text in told.headers.items() if name != "Date"}
            if skew is not None:
                headers["Date"] = format_datetime(clock.now + skew, usegmt=True)
            return replace(told, headers=headers)

        monkeypatch.setattr(github, "answer", dated)
        run()

    return once


@pytest.mark.parametrize(
    "skews",
    [
        pytest.param((None,), id="no answer tells the time"),
        pytest.param((timedelta(), 1_825 * DAY), id="the first answer repeats an old time"),
        pytest.param((1_825 * DAY, timedelta()), id="the second answer repeats an old time"),
        pytest.param((-DAY,), id="the time that is told is older still"),
        pytest.param((timedelta(),), id="every answer repeats an old time"),
    ],
)
def test_a_clock_that_no_server_shows_to_be_right_takes_nothing_from_the_ledger(
    store: Store, behind: Callable[..., None], skews: tuple[timedelta | None, ...]
) -> None:
    days = "SELECT * FROM repository_metrics ORDER BY day"
    logged = "SELECT observed_at FROM repository_changes ORDER BY id"
    before = values(store.url, days), values(store.url, logged)
    assert len(before[0]) == 20
    behind(*skews)
    assert (values(store.url, days), values(store.url, logged)) == before


def test_a_month_by_a_clock_that_was_ahead_is_dated_as_of_the_run_that_finds_it_right(
    github: Sandbox, store: Store, clock: HandClock, run: Callable[..., None]
) -> None:
    (id_,) = fill(github, 1)
    now = clock.now
    for age in range(31, 0, -1):
        right = now - age * DAY
        clock.now = right if age == 31 else right + 400 * DAY
        github.now = lambda at=right: at  # type: ignore[misc]  # its own
        github.edit(id_, stargazers_count=age)
        run()
    clock.now = now
    github.now = lambda: now
    run()
    days = values(store.url, "SELECT day, stargazers_count FROM repository_metrics ORDER BY day")
    first = (now - 31 * DAY).date()
    assert [(str(day), stars) for day, stars in days] == [(str(first), 31), (str(now.date()), 1)]
