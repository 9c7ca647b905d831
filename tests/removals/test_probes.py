"""How many repositories a run asks for by id: none of those withheld, and few at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sync.rest import RetryPolicy
from sync.sandbox import Sandbox
from tests.conftest import QUICK, TOKEN
from tests.removals.braking import asked_for, delete, goes_through, gone, run, withheld
from tests.support.fault_server import PATIENCE
from tests.support.inside.config import Removals
from tests.support.inside.core import RemovalsWithheld
from tests.support.inside.database import Store
from tests.support.inside.github import GitHubClient
from tests.support.runs import fill, sync

ANOTHERS = "ghp_" + "x4" * 18
MANY = 10_000


def few(number: int) -> Removals:
    """Return rules by which so many are asked for, and all may go."""
    return Removals(max_share=1.0, max_probes=number)


def delete_of(github: Sandbox, store: Store, number: int) -> list[int]:
    """Let a run store twice as many repositories, delete these, and return their ids."""
    ids = fill(github, 2 * number)
    run(github, store)
    return delete(github, ids[:number])


def unavailable(github: Sandbox, path: str, seconds: str, times: int = 1_000) -> None:
    """Have `path` answered by a server that says for how long it is out of service."""
    github.fail(times=times, path=path, status=503, headers={"Retry-After": seconds})


# At most max_probes


def test_missing_repositories_are_probed_in_portions_run_after_run(
    github: Sandbox, store: Store
) -> None:
    ids = fill(github, 20)
    run(github, store)
    missing = delete(github, ids[:12])
    for left in (7, 2):
        github.clear_requests()
        outcome = run(github, store, removals=few(5))
        assert (outcome.status, outcome.complete) == ("partial", True)
        assert (outcome.counts.removed, outcome.counts.withheld) == (5, left)
        assert isinstance(outcome.error, RemovalsWithheld)
        assert len(asked_for(github)) == 5
        assert len(gone(store)) == 12 - left
    outcome = run(github, store, removals=few(5))
    assert (outcome.status, outcome.counts.removed, outcome.error) == ("succeeded", 2, None)
    assert gone(store) == set(missing)


def test_accepting_removals_probes_all_missing_repositories_at_once(
    github: Sandbox, store: Store
) -> None:
    ids = fill(github, 20)
    run(github, store)
    goes_through(github, store, delete(github, ids[:12]), removals=few(5), accept_removals=True)


def test_exactly_as_many_as_are_asked_for_need_one_run(github: Sandbox, store: Store) -> None:
    ids = fill(github, 20)
    run(github, store)
    goes_through(github, store, delete(github, ids[:5]), removals=few(5))


def test_repositories_that_are_never_listed_do_not_keep_others_from_being_probed(
    github: Sandbox, store: Store
) -> None:
    ids = fill(github, 10)
    run(github, store)
    for id_ in (ids[0], ids[1], ids[8], ids[9]):
        github.hide(id_)
    missing = delete(github, ids[4:6])
    for _ in range(60):  # which are chosen differs from run to run
        run(github, store, removals=few(1))
        if gone(store) == set(missing):
            break
    assert gone(store) == set(missing)


def test_repositories_that_are_always_refused_do_not_keep_others_from_being_probed(
    github: Sandbox, store: Store
) -> None:
    ids = fill(github, 20)
    run(github, store)
    delete(github, ids[:15])
    for id_ in ids[:13]:
        answer = b'{"message": "`guild` forbids access by this token"}'
        github.fail(times=10_000, path=f"/repositories/{id_}", status=403, body=answer)
    for _ in range(60):
        run(github, store, removals=few(500))
        if gone(store) == set(ids[13:15]):
            break
    assert gone(store) == set(ids[13:15])


def test_a_server_that_fails_to_answer_is_not_asked_for_all_of_them(
    github: Sandbox, store: Store
) -> None:
    ids = fill(github, 100)
    run(github, store)
    delete(github, ids[:60])
    github.fail(times=1_000, path="/repositories/*", status=502)
    github.clear_requests()
    outcome = run(github, store, removals=few(500))
    assert (outcome.status, outcome.counts.removed, outcome.counts.withheld) == ("partial", 0, 60)
    assert len(asked_for(github)) <= 20
    assert gone(store) == set()


def test_verdicts_from_before_the_end_of_the_quota_are_kept_and_the_rest_is_deferred(
    github: Sandbox, store: Store
) -> None:
    missing = fill(github, 20)[:5]
    run(github, store)
    delete(github, missing)

    def spend(request: Any) -> None:
        if request.path.startswith("/repositories/") and len(asked_for(github)) == 3:
            github.set_quota(TOKEN, remaining=0)

    github.on_request = spend
    github.clear_requests()
    with GitHubClient(token=TOKEN, api_url=github.url, retry=QUICK, concurrency=1) as client:
        outcome = sync(client, store, removals=few(500))
    assert (outcome.status, outcome.counts.removed) == ("deferred", 3)
    assert len(gone(store)) == 3
    github.on_request = None
    github.set_quota(TOKEN)
    again = run(github, store, removals=few(500))
    assert (again.status, again.counts.removed) == ("succeeded", 2)
    assert gone(store) == set(missing)


def test_a_repository_that_is_always_out_of_service_does_not_keep_others_from_being_settled(
    github: Sandbox, store: Store
) -> None:
    missing = delete_of(github, store, 10)
    sick, *others = missing
    unavailable(github, f"/repositories/{sick}", "0")
    with GitHubClient(token=TOKEN, api_url=github.url, retry=RetryPolicy(attempts=1)) as client:
        outcome = sync(client, store, removals=few(500))
    assert (outcome.status, outcome.counts.removed, outcome.counts.withheld) == ("partial", 9, 1)
    assert gone(store) == set(others)


def test_a_server_that_is_out_of_service_for_a_second_is_waited_for(
    github: Sandbox, store: Store
) -> None:
    missing = delete_of(github, store, 10)
    unavailable(github, "/repositories/*", "1", times=1)
    goes_through(github, store, missing, removals=few(500))


def test_answers_from_before_the_server_went_out_of_service_are_kept(
    github: Sandbox, store: Store
) -> None:
    missing = delete_of(github, store, 10)
    asked: list[str] = []
    lock, enough = threading.Lock(), threading.Event()

    def answer(request: Any) -> None:
        if not request.path.startswith("/repositories/"):
            return
        with lock:
            asked.append(request.path)
            number = len(asked)
        if number == 1:
            enough.wait(PATIENCE)
            unavailable(github, request.path, "86400")
        elif number == 4:
            enough.set()  # the second and the third have been answered

    github.on_request = answer
    with GitHubClient(token=TOKEN, api_url=github.url, retry=QUICK, concurrency=2) as client:
        outcome = sync(client, store, removals=few(500))
    assert outcome.status == "deferred"
    assert {int(path.removeprefix("/repositories/")) for path in asked[1:3]} <= gone(store)
    assert gone(store) < set(missing)


# Ten thousand at once


@contextmanager
def few_requests(github: Sandbox, most: int) -> Iterator[None]:
    github.clear_requests()
    yield
    assert len(github.requests) <= most


@pytest.mark.slow
def test_ten_thousand_that_are_gone_at_once_cost_a_few_requests_and_not_one_probe(
    github: Sandbox, store: Store
) -> None:
    github.set_scopes(TOKEN, ("repo",))
    ids = [github.add_repository("octo", f"r{n}", private=True) for n in range(MANY)]
    github.add_repository("octo", "open")
    github.add_user("somebody", token=ANOTHERS)
    github.add_repository("somebody", "elses")
    assert run(github, store, visibility="all").counts.inserted == MANY + 1
    # A token that sees no private repositories any more.
    github.set_scopes(TOKEN, ())
    with few_requests(github, most=12):
        withheld(github, store, ids, visibility="all")
    # A token of somebody else's, who has a repository that is stored, and listed by me from now on.
    with few_requests(github, most=4):
        outcome = run(github, store, token=ANOTHERS, visibility="all")
    assert (outcome.status, outcome.counts.withheld) == ("partial", MANY + 1)
    assert asked_for(github) == []
    # The right token again, and all is deleted.
    github.set_scopes(TOKEN, ("repo",))
    for id_ in ids:
        github.delete(id_)
    with few_requests(github, most=12):
        outcome = run(github, store, visibility="all")
    assert (outcome.status, outcome.counts.withheld) == ("partial", MANY + 1)
    assert asked_for(github) == []
    assert gone(store) == set()
