"""When so much is missing, or so oddly, that nothing is removed until somebody says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.removals.braking import delete, goes_through, run, withheld
from tests.removals.telling import lasting
from tests.support.database import Json, execute, values
from tests.support.inside.config import Removals
from tests.support.inside.database import Store
from tests.support.runs import fill

ANOTHERS = "ghp_" + "v2" * 18
ALL_MAY_GO = Removals(max_share=1.0)


# How many


@pytest.mark.parametrize(
    ("members", "missing", "max_share"),
    [(10, 3, 0.2), (10, 3, 0.0), (20, 4, 0.2), (25, 5, 0.2), (20, 19, 1.0), (2, 1, 0.0)],
)
def test_a_handful_or_the_share_that_is_configured_may_go_at_once(
    github: Sandbox, store: Store, members: int, missing: int, max_share: float
) -> None:
    ids = fill(github, members)
    run(github, store)
    delete(github, ids[:missing])
    goes_through(github, store, ids[:missing], removals=Removals(max_share=max_share))


@pytest.mark.parametrize(
    ("members", "missing", "max_share"),
    [(10, 4, 0.2), (10, 4, 0.0), (20, 5, 0.2), (25, 6, 0.2), (150, 31, 0.2), (150, 149, 0.99)],
)
def test_more_than_that_is_withheld(
    github: Sandbox, store: Store, members: int, missing: int, max_share: float
) -> None:
    ids = fill(github, members)
    run(github, store)
    delete(github, ids[:missing])
    withheld(github, store, ids[:missing], removals=Removals(max_share=max_share))


@pytest.mark.matrix("http.empty-list")
@pytest.mark.parametrize("members", [1, 3, 120])
def test_a_listing_that_is_suddenly_empty_is_withheld_whatever_the_share(
    github: Sandbox, store: Store, members: int
) -> None:
    ids = fill(github, members)
    run(github, store)
    delete(github, ids)
    for _ in range(2):
        withheld(github, store, ids, removals=ALL_MAY_GO)
    goes_through(github, store, ids, removals=ALL_MAY_GO, accept_removals=True)


def test_an_account_that_never_listed_anything_has_nothing_to_withhold(
    github: Sandbox, store: Store
) -> None:
    for _ in range(2):
        outcome = run(github, store)
        assert (outcome.status, outcome.counts.withheld, outcome.error) == ("succeeded", 0, None)


def test_withheld_repositories_that_come_back_have_not_changed(
    github: Sandbox, store: Store
) -> None:
    ids = fill(github, 10)
    run(github, store)
    before = lasting(store.url)
    for id_ in ids[:6]:
        github.hide(id_)
    withheld(github, store, ids[:6])
    for id_ in ids[:6]:
        github.unhide(id_)
    assert run(github, store).status == "succeeded"
    assert lasting(store.url) == before


def test_new_and_changed_repositories_are_stored_though_removals_are_withheld(
    github: Sandbox, store: Store
) -> None:
    ids = fill(github, 10)
    run(github, store)
    delete(github, ids[:5])
    github.rename(ids[9], "renamed")
    added = github.add_repository("octo", "new")
    outcome = run(github, store)
    assert (outcome.status, outcome.counts.inserted, outcome.counts.updated) == ("partial", 1, 1)
    assert outcome.counts.withheld == 5
    now = dict(values(store.url, "SELECT id, name FROM repositories WHERE removed_at IS NULL"))
    assert (len(now), now[ids[9]], now[added]) == (11, "renamed", "new")


# Whose listing, and of what


def _another_user(github: Sandbox) -> Json:
    github.add_user("somebody", token=ANOTHERS)
    github.add_repository("somebody", "elses")
    return {"token": ANOTHERS}


def _fewer_scopes(github: Sandbox) -> Json:
    github.set_scopes(TOKEN, ("repo",))
    return {}


def _other_visibility(github: Sandbox) -> Json:
    return {"visibility": "all"}


def _other_affiliation(github: Sandbox) -> Json:
    return {"affiliation": ("collaborator", "owner")}


CIRCUMSTANCES = [_another_user, _fewer_scopes, _other_visibility, _other_affiliation]


@pytest.mark.parametrize("change", CIRCUMSTANCES)
def test_under_other_circumstances_not_one_is_removed_until_that_is_accepted(
    github: Sandbox, store: Store, change: Callable[[Sandbox], Json]
) -> None:
    ids = fill(github, 2 if change is _another_user else 10)
    run(github, store)
    missing = ids if change is _another_user else delete(github, ids[:1])
    options = change(github)
    first = run(github, store, **options)  # what is new is stored, before all is compared
    assert (first.status, first.counts.withheld) == ("partial", len(missing))
    withheld(github, store, missing, **options)
    goes_through(github, store, missing, **options, accept_removals=True)


@pytest.mark.parametrize("change", CIRCUMSTANCES[1:])
def test_other_circumstances_under_which_nothing_is_missing_are_simply_the_new_ones(
    github: Sandbox, store: Store, change: Callable[[Sandbox], Json]
) -> None:
    ids = fill(github, 10)
    run(github, store)
    options = change(github)
    assert run(github, store, **options).status == "succeeded"
    goes_through(github, store, delete(github, ids[:2]), **options)


def test_the_former_circumstances_come_back_and_count(github: Sandbox, store: Store) -> None:
    ids = fill(github, 10)
    run(github, store)
    delete(github, ids[:1])
    withheld(github, store, ids[:1], visibility="all")
    goes_through(github, store, ids[:1])


# Saying so


@pytest.mark.parametrize("missing", [9, 10])
def test_accepting_lets_it_through_once(github: Sandbox, store: Store, missing: int) -> None:
    ids = fill(github, 30)
    run(github, store)
    withheld(github, store, delete(github, ids[:missing]))
    goes_through(github, store, ids[:missing], accept_removals=True)
    withheld(github, store, delete(github, ids[missing : 2 * missing]))


@pytest.mark.parametrize("runs", [2, 3])
@pytest.mark.parametrize("left", [0, 4])
def test_so_many_runs_that_miss_the_same_agree(
    github: Sandbox, store: Store, runs: int, left: int
) -> None:
    rules = Removals(agreeing_runs=runs)
    ids = fill(github, 10)
    run(github, store, removals=rules)
    missing = delete(github, ids[left:])
    for _ in range(runs - 1):
        withheld(github, store, missing, removals=rules)
    goes_through(github, store, missing, removals=rules)


def test_runs_that_are_recorded_no_longer_do_not_agree(github: Sandbox, store: Store) -> None:
    rules = Removals(agreeing_runs=2)
    ids = fill(github, 10)
    run(github, store, removals=rules)
    execute(store.url, "DELETE FROM sync_runs")
    withheld(github, store, delete(github, ids), removals=rules)
    goes_through(github, store, ids, removals=rules)


def test_runs_that_miss_others_do_not_agree(github: Sandbox, store: Store) -> None:
    rules = Removals(agreeing_runs=2)
    ids = fill(github, 12)
    run(github, store, removals=rules)
    withheld(github, store, delete(github, ids[:4]), removals=rules)
    delete(github, ids[4:5])
    withheld(github, store, ids[:5], removals=rules)
    goes_through(github, store, ids[:5], removals=rules)


def test_a_run_in_which_all_are_back_is_no_agreement(github: Sandbox, store: Store) -> None:
    rules = Removals(agreeing_runs=2)
    ids = fill(github, 10)
    run(github, store, removals=rules)
    for id_ in ids[:4]:
        github.hide(id_)
    withheld(github, store, ids[:4], removals=rules)
    for id_ in ids[:4]:
        github.unhide(id_)
    assert run(github, store, removals=rules).status == "succeeded"
    delete(github, ids[:4])
    withheld(github, store, ids[:4], removals=rules)


def test_runs_of_another_account_do_not_agree(github: Sandbox, store: Store) -> None:
    rules = Removals(agreeing_runs=2)
    ids = fill(github, 10)
    for account in ("me", "other"):
        run(github, store, account=account)
    delete(github, ids[:4])
    first = run(github, store, account="other", removals=rules)
    assert (first.status, first.counts.withheld) == ("partial", 4)
    second = run(github, store, removals=rules)
    assert (second.status, second.counts.withheld) == ("partial", 4)
