"""Runs of the account "me" against a sandbox, for tests to look at."""

from __future__ import annotations

from collections.abc import Callable

from sync.database.rows import RunCounts
from sync.database.store import Store
from sync.github.client import GitHubClient
from sync.github.sandbox import Sandbox
from sync.outcome import RunOutcome
from sync.progress import Progress
from sync.runner import run_sync


def sync(client: GitHubClient, store: Store, **options: object) -> RunOutcome:
    options = {"account": "me", "trigger": "test", **options}
    return run_sync(client=client, store=store, **options)  # type: ignore[arg-type]  # passed on


def fill(github: Sandbox, count: int) -> list[int]:
    return [github.add_repository("octo", f"repo-{n:04}") for n in range(count)]


class AfterPage(Progress):
    """Calls `act` after each page that a run has stored."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act

    def page_stored(self, counts: RunCounts, pages: int | None) -> None:
        self._act()
