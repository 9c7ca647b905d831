"""How many repositories a run asks for by id: none of those withheld, and few at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sync.config.sections import Removals
from sync.database.store import Store
from sync.errors import RemovalsWithheld
from sync.github.client import GitHubClient
from sync.github.sandbox import Sandbox
from tests.conftest import QUICK, TOKEN
from tests.removals.braking import asked_for, delete, goes_through, gone, run, withheld
from tests.support.runs import fill, sync

ANOTHERS = "ghp_" + "x4" * 18
MANY = 10_000


def few(number: int) -> Removals:
    """Return rules by which so many are asked for, and all may go."""
    return Removals(max_share=1.0, max_probes=number)


# At most max_probes


def test_what_is_missing_is_asked_for_in_portions_run_after_run(
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


def test_whoever_accepts_has_all_of_them_asked_for_at_once(github: Sandbox, store: Store) -> None:
    ids = fill(github, 20)
    run(github, store)
    goes_through(github, store, delete(github, ids[:12]), removals=few(5), accept_removals=True)


def test_exactly_as_many_as_are_asked_for_need_one_run(github: Sandbox, store: Store) -> None:
    ids = fill(github, 20)
    run(github, store)
    goes_through(github, store, delete(github, ids[:5]), removals=few(5))


def test_what_is_always_missing_and_alive_does_not_keep_others_from_being_asked_for(
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


def test_what_is_refused_for_ever_does_not_keep_others_from_being_asked_for(
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


def test_what_was_learned_before_the_quota_was_spent_is_kept_and_the_rest_is_put_off(
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


# Ten thousand at once


@contextmanager
def few_requests(github: Sandbox, most: int) -> Iterator[None]:
    github.clear_requests()
    yield
    assert len(github.requests) <= most


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
