"""Runs of the account "me" against a sandbox, for tests to look at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sync.database.store import Store
from sync.database.writes import RunCounts
from sync.forges.github.client import GitHubClient
from sync.forges.limits import SharedLimits
from sync.run.options import RunOptions
from sync.run.outcome import RunOutcome
from sync.run.progress import Progress
from sync.run.run import run_account
from sync.sandbox import Sandbox


def sync(
    client: GitHubClient,
    store: Store,
    *,
    progress: Progress | None = None,
    limits: SharedLimits | None = None,
    **options: Any,
) -> RunOutcome:
    asked = RunOptions(**{"account": "me", "trigger": "test", **options})
    return run_account(asked, client, store, progress=progress, limits=limits)


def fill(github: Sandbox, count: int) -> list[int]:
    return [github.add_repository("octo", f"repo-{n:04}") for n in range(count)]


class AfterPage(Progress):
    """Calls `act` after each page that a run has stored."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act

    def page_stored(self, counts: RunCounts, pages: int | None) -> None:
        self._act()
