"""Makes a ledger with a past: the program itself, on a clock that runs fast, at the stand-in."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sync.run.outcome import RunOutcome
    from sync.sandbox.story import Story

ACCOUNT = "demo"


def make_past(
    config_file: Path,
    story: Story,
    end: datetime,
    *,
    mark: str = "",
    told: Callable[[int, RunOutcome], None] = lambda _day, _outcome: None,
) -> None:
    """Write a configuration and make its ledger: one sync a day, the last one at `end`.

    The ledger is `repoledger.db` beside `config_file`, and must not exist yet. `mark` becomes
    the beginning of the configuration. `told` is called with each day and its outcome.
    """
    from sync.config import load
    from sync.database import migrate
    from sync.database.store import Store
    from sync.forges.github.client import GitHubClient
    from sync.run.options import RunOptions
    from sync.run.run import run_account
    from sync.sandbox import Sandbox
    from sync.sandbox.story import Calendar, Past

    calendar, token = Calendar(story.days, end), f"demo-{secrets.token_hex(16)}"
    with Sandbox(now=calendar) as github:
        past = Past(github, story, calendar)
        past.begin(token)
        text = _CONFIG.format(api_url=github.url, account=ACCOUNT)
        config_file.write_text(mark + text, encoding="utf-8")
        config = load(config_file, {})
        options = RunOptions.of(config.account(ACCOUNT), config, "backfill")
        migrate.upgrade(config.database.url)
        with Store(config.database.url, clock=calendar) as store:
            for day in range(story.days):
                past.live(day)
                # A client of its own, since each counts its requests, and the pace of one day
                # is not that of the next.
                with GitHubClient(token=token, api_url=github.url, clock=calendar) as client:
                    told(day, run_account(options, client, store))


_CONFIG = """\
# The stand-in for GitHub has ended, so commands that sync fail with this file. Commands
# that read, such as `repos`, work.

[database]
url = "sqlite:///repoledger.db"

[github]
api_url = "{api_url}"

[[accounts]]
name = "{account}"
token_env = "DEMO_TOKEN"
visibility = "all"
"""
