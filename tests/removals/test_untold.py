"""What a hostile or broken server says of private repositories and tokens is not passed on."""

from __future__ import annotations

from structlog.testing import capture_logs

from sync.config.sections import Removals
from sync.database.store import Store
from sync.github.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.removals.braking import gone, run
from tests.support.database import snapshot
from tests.support.runs import fill

ALL = Removals(max_share=1.0)


def test_an_answer_that_is_cut_short_is_not_quoted(github: Sandbox, store: Store) -> None:
    ids = fill(github, 5)
    run(github, store)
    github.hide(ids[0])
    cut = b'{"id": 1, "name": "takeover", "private": true, "full_name": "octo/takeo'
    github.fail(times=50, path=f"/repositories/{ids[0]}", status=200, body=cut)
    with capture_logs() as events:
        outcome = run(github, store, removals=ALL)
    assert (outcome.status, outcome.counts.withheld) == ("partial", 1)
    assert "takeo" not in str([e for e in events if e["log_level"] != "debug"])
    assert "takeo" not in str(snapshot(store.url))


def test_an_item_that_does_not_say_that_it_is_public_is_rejected_without_its_payload(
    github: Sandbox, store: Store
) -> None:
    odd = {"id": 5, "name": "takeover", "full_name": 1, "private": "yes"}
    github.add_object(odd, listed_by="octo")
    assert run(github, store).counts.rejected == 1
    assert "takeover" not in str(snapshot(store.url))


def test_a_token_among_the_scopes_is_stored_nowhere(github: Sandbox, store: Store) -> None:
    fill(github, 5)
    github.set_scopes(TOKEN, ("repo", TOKEN))
    run(github, store)
    assert TOKEN not in str(snapshot(store.url))


def test_a_404_in_other_words_than_githubs_removes_nothing(github: Sandbox, store: Store) -> None:
    ids = fill(github, 5)
    run(github, store)
    for id_, body in zip(ids, (b"<html>", b"{}", b'{"message": "no Route matched"}'), strict=False):
        github.hide(id_)
        github.fail(times=50, path=f"/repositories/{id_}", status=404, body=body)
    outcome = run(github, store, removals=ALL)
    assert (outcome.status, outcome.counts.withheld) == ("partial", 3)
    assert gone(store) == set()


def test_what_is_odd_in_the_listing_is_not_taken_for_missing(github: Sandbox, store: Store) -> None:
    github.add_user("ada")
    fill(github, 5)
    shared = github.add_repository("ada", "shared")
    github.add_collaborator("octo", shared)
    run(github, store)
    github.edit(shared, description=12)
    for _ in range(2):
        assert run(github, store, removals=ALL).status == "partial"
        assert gone(store) == set()
