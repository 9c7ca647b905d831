"""Each scenario leads to the rows that the table says, on every kind of database."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sync.sandbox import Sandbox
from tests.removals.playing import Scenario, play
from tests.removals.scenarios import SCENARIOS
from tests.removals.telling import told
from tests.support.database import values
from tests.support.inside.database import Store
from tests.support.inside.github import GitHubClient
from tests.support.process import PROJECT
from tests.support.runs import fill, sync


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[each.name for each in SCENARIOS])
def test_the_rows_are_those_of_the_table(scenario: Scenario, store: Store) -> None:
    found = told(scenario.name, play(scenario, store))
    expected = told(scenario.name, scenario.expected)
    assert found == expected, f"found:\n{found}\nexpected:\n{expected}"


def test_the_table_has_no_name_twice() -> None:
    names = [scenario.name for scenario in SCENARIOS]
    assert len(names) >= 24
    assert len(set(names)) == len(names)


def test_pages_that_are_as_they_were_are_not_fetched_to_see_what_is_missing(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    ids = fill(github, 350)
    sync(client, store)
    github.delete(ids[320])
    github.clear_requests()
    outcome = sync(client, store)
    assert (outcome.status, outcome.counts.removed) == ("succeeded", 1)
    listed = [request for request in github.requests if request.path == "/user/repos"]
    first = {request.query.get("page", "1"): request.status for request in reversed(listed)}
    assert first == {"1": 304, "2": 304, "3": 304, "4": 200}
    assert [r.path for r in github.requests if r.path.startswith("/repositories/")] == [
        f"/repositories/{ids[320]}"
    ]
    removed = "SELECT id FROM repositories WHERE removed_at IS NOT NULL"
    assert values(store.url, removed) == [(ids[320],)]


def test_the_table_is_printed_with_the_rows_before_and_after() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.removals", "deleted", "renamed"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 octo/one   public not_found me(gone)" in done.stdout
    assert "1 octo/uno   public - me" in done.stdout
