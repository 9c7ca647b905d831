"""Warnings of a rhythm at which GitHub may forget traffic before it is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.daemon import RunningDaemon, write_daemon_config
from tests.support.process import LISTING_ALONE, repoledger, write_config

EVENT = "resources.rhythm_loses_days"
REASON = (
    "is more than 7 days: GitHub forgets traffic after 14 days, so one reading that fails loses "
    "some of it; give at most 7d"
)


def section(every: str, name: str = "traffic") -> str:
    return f'{LISTING_ALONE}{name}.every = "{every}"\n'


def logged(folder: Path) -> list[dict[str, Any]]:
    """Return the warnings of a backfill."""
    done = repoledger("--log-format", "json", "backfill", cwd=folder, TOKEN=TOKEN)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    return [event for event in events if event["event"] == EVENT]


@pytest.mark.parametrize("name", ["traffic", "traffic_popular"])
def test_a_backfill_warns_of_traffic_that_is_read_less_than_every_seven_days(
    github: Sandbox, tmp_path: Path, name: str
) -> None:
    write_config(tmp_path, github.url, extra=section("169h", name))
    (event,) = logged(tmp_path)
    del event["timestamp"]
    key = f"resources.{name}.every"
    told = {"level": "warning", "event": EVENT, "key": key, "message": f"{key} {REASON}"}
    assert event == told


@pytest.mark.parametrize(("every", "name"), [("7d", "traffic"), ("30d", "stars")])
def test_nothing_is_said_of_a_rhythm_at_which_nothing_is_lost(
    github: Sandbox, tmp_path: Path, every: str, name: str
) -> None:
    write_config(tmp_path, github.url, extra=section(every, name))
    assert logged(tmp_path) == []


def test_a_daemon_warns_when_it_starts_and_when_it_reads_its_configuration_again(
    github: Sandbox, tmp_path: Path
) -> None:
    write_daemon_config(tmp_path, github.url, f'every = "1h"\n{section("10d")}')
    with RunningDaemon(tmp_path) as daemon:
        (event,) = daemon.logged(EVENT)
        assert event["key"] == "resources.traffic.every"
        daemon.reload()
        assert len(daemon.logged(EVENT)) == 2


def test_a_check_warns_of_an_account_s_rhythm_and_succeeds(github: Sandbox, tmp_path: Path) -> None:
    own = 'resources = { traffic = { every = "8d" } }\n'
    write_config(tmp_path, github.url, f'[[accounts]]\nname = "me"\ntoken_env = "TOKEN"\n{own}')
    done = repoledger("check", cwd=tmp_path, TOKEN=TOKEN)
    assert done.returncode == 0, done.stderr
    key = "accounts[0].resources.traffic.every"
    assert f"warn  configuration: {key} {REASON}\n" in done.stdout
