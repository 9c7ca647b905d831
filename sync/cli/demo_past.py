"""Makes a ledger with a past: the program itself, on a clock that runs fast, at the stand-in."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sync.core.errors import ConfigError

if TYPE_CHECKING:
    from sync.load.loading import Choice
    from sync.run.outcome import RunOutcome
    from sync.sandbox.story import Story

ACCOUNT = "demo"


def make_past(
    config_file: Path,
    story: Story,
    end: datetime,
    *,
    mark: str = "",
    sparing: bool = False,
    told: Callable[[int, RunOutcome], None] = lambda _day, _outcome: None,
) -> None:
    """Write a configuration and make its ledger: one sync a day, the last one at `end`.

    The ledger is `repoledger.db` beside `config_file`, and must not exist yet. `mark` becomes
    the beginning of the configuration. `sparing`: days but the last read resources less often
    than once a day, as far as nothing is lost by it. `told` is called with each day and outcome.
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
        write_file(config_file, mark + text)
        config = load(config_file, {})
        options = RunOptions.of(config.account(ACCOUNT), config, "backfill")
        usual = replace(options, resources=_rarer(options.resources)) if sparing else options
        migrate.upgrade(config.database.url)
        with Store(config.database.url, clock=calendar) as store:
            for day in range(story.days):
                past.live(day)
                # A client of its own, since each counts its requests, and the pace of one day
                # is not that of the next.
                with GitHubClient(token=token, api_url=github.url, clock=calendar) as client:
                    chosen = options if day == story.days - 1 else usual
                    told(day, run_account(chosen, client, store))


def write_file(file: Path, text: str) -> None:
    """Write a file of the demo. Raises ConfigError."""
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{file}: cannot be written: {error.strerror}") from None


# GitHub tells the traffic of 14 days and the history of all stars, so nothing is missing.
_DAYS_BETWEEN = {"traffic": 6, "traffic_popular": 7, "stars": 30, "languages": 30}


def _rarer(choices: tuple[Choice, ...]) -> tuple[Choice, ...]:
    """Return the same resources, some of them read less often."""
    days = ((each, _DAYS_BETWEEN.get(each.resource.name)) for each in choices)
    return tuple(replace(each, every=timedelta(days=n)) if n else each for each, n in days)


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
