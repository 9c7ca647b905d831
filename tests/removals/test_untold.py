"""What a hostile or broken server says of private repositories and tokens is not passed on."""

from __future__ import annotations

import json
from collections.abc import Sequence

from structlog.testing import capture_logs

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.removals.braking import gone, run
from tests.support.database import snapshot
from tests.support.inside.config import Removals
from tests.support.inside.database import Store
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


def test_a_404_of_another_shape_than_githubs_removes_nothing(github: Sandbox, store: Store) -> None:
    ids = fill(github, 6)
    run(github, store)
    proxies = (b"<html>", b"{}", b"", b'{"message": "no Route"}', b'{"message": "Not Found"}')
    for id_, body in zip(ids, proxies, strict=False):
        github.hide(id_)
        github.fail(times=50, path=f"/repositories/{id_}", status=404, body=body)
    outcome = run(github, store, removals=ALL)
    assert (outcome.status, outcome.counts.withheld) == ("partial", 5)
    assert gone(store) == set()


def test_a_404_that_refers_to_githubs_documentation_removes_whatever_its_words_are(
    github: Sandbox, store: Store
) -> None:
    guides = (
        "https://docs.github.com",
        "https://docs.github.com/rest/repos/repos#get-a-repository",
        "https://docs.github.com/enterprise-server@3.14/rest",
        "https://docs.github.com/enterprise/3.3/rest/reference/repos#get-a-repository",
        "https://developer.github.com/enterprise/2.21/v3/repos/#get",
    )
    deleted = delete_with_guides(github, store, guides)
    assert run(github, store, removals=ALL).counts.removed == len(guides)
    assert gone(store) == deleted


def test_a_404_that_refers_to_other_documentation_than_githubs_removes_nothing(
    github: Sandbox, store: Store
) -> None:
    guides = (
        *("", "about:blank", "https://docs.example/rest", "http://docs.github.com/rest"),
        *("https://docs.github.com.example/rest", "https://docs.github.com@example.com/rest"),
        "https://example.com/https://docs.github.com/rest",
    )
    delete_with_guides(github, store, guides)
    outcome = run(github, store, removals=ALL)
    assert (outcome.status, outcome.counts.withheld) == ("partial", len(guides))
    assert gone(store) == set()


def delete_with_guides(github: Sandbox, store: Store, guides: Sequence[str]) -> set[int]:
    """Delete stored repositories; the 404 of each refers to one of these guides."""
    ids = fill(github, len(guides) + 1)[1:]
    run(github, store)
    for id_, guide in zip(ids, guides, strict=True):
        github.delete(id_)
        body = json.dumps({"message": "no route matched", "documentation_url": guide}).encode()
        github.fail(times=50, path=f"/repositories/{id_}", status=404, body=body)
    return set(ids)


def test_an_unreadable_item_of_the_listing_is_not_taken_for_missing(
    github: Sandbox, store: Store
) -> None:
    github.add_user("ada")
    fill(github, 5)
    shared = github.add_repository("ada", "shared")
    github.add_collaborator("octo", shared)
    run(github, store)
    github.edit(shared, private=12)
    for _ in range(2):
        assert run(github, store, removals=ALL).status == "partial"
        assert gone(store) == set()
