"""One fault on the wire against the whole command, and everything that it must leave behind.

A Stage runs `repoledger backfill` as a process of its own against a Hub, and looks at the
outcome in the words of the table: exit code, events, requests, rows, seconds.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TOKEN
from tests.support.database import execute, rows, values
from tests.support.hub import Hub, Json
from tests.support.process import PROJECT, start_repoledger, write_config

FAILED, RETRY, WAIT = "http.request_failed", "http.retry_scheduled", "rate_limit.waiting"
REJECTED, SKIPPED, MENDED = "item.rejected", "item.skipped", "item.mended"
REPLACED, WITHHELD = "text.replaced", "sync.removals_withheld"
RUN_FAILED, RUN_FINISHED = "sync.run_failed", "sync.run_finished"
_OF_INTEREST = {FAILED, RETRY, WAIT, REJECTED, SKIPPED, MENDED, REPLACED, WITHHELD}
_OF_INTEREST |= {RUN_FAILED, RUN_FINISHED, "repository.removed", "repository.left"}

CODES = {"succeeded": 0, "failed": 1, "partial": 3, "deferred": 4}
_COUNTS = ("inserted", "updated", "unchanged", "rejected", "skipped")
_RECORDED = ("status", "error_type", "wait_seconds", "pages", *_COUNTS)

# The pauses between attempts are 1, 2, 4 and 8 seconds. What is done after them is the same
# if they are short, and the table has many rows: so the process is started with short ones.
_SHORT_PAUSES = """
from sync.rest.retry import RetryPolicy
RetryPolicy.__init__.__kwdefaults__["base"] = 0.02
"""
HANGS = 40.0  # seconds: more than any case takes on a busy machine


@dataclass(frozen=True)
class Ran:
    """A backfill that has ended."""

    code: int
    outcome: Json
    log: Sequence[Json]
    seconds: float

    @property
    def events(self) -> list[str]:
        """Return what it told of faults and of its end, in order."""
        return [line["event"] for line in self.log if line["event"] in _OF_INTEREST]

    def lines(self, event: str) -> list[Json]:
        return [line for line in self.log if line["event"] == event]

    @property
    def announced(self) -> float:
        """Return the seconds that it said it would wait."""
        return float(sum(line["seconds"] for line in self.log if line["event"] in (RETRY, WAIT)))


class Stage:
    """A folder with a configuration, a ledger and a Hub; runs the command against them."""

    def __init__(self, folder: Path, hub: Hub, database: str = "") -> None:
        self.folder = folder
        self.hub = hub
        self.ledger = database or f"sqlite:///{folder / 'ledger.db'}"
        (folder / "pauses").mkdir()
        (folder / "pauses" / "sitecustomize.py").write_text(_SHORT_PAUSES, encoding="utf-8")
        write_config(folder, hub.url)

    def run(self, *options: str, **variables: str) -> Ran:
        """Run a backfill to its end, and look for what no run may do, whatever went wrong."""
        ran = self.run_in_vain(*options, **variables)
        last = rows(self.ledger, "SELECT * FROM sync_runs ORDER BY id DESC LIMIT 1")[0]
        assert {name: last[name] for name in _RECORDED} == {
            name: ran.outcome[name] for name in _RECORDED
        }
        return ran

    def run_in_vain(self, *options: str, **variables: str) -> Ran:
        """Run a backfill that does not get as far as to be recorded."""
        return self.ended(self.started(*options, **variables))

    def started(self, *options: str, **variables: str) -> subprocess.Popen[str]:
        """Start a backfill and return its process; `ended` takes it from there."""
        environment = {
            "TOKEN": TOKEN,
            "PYTHONPATH": f"{self.folder / 'pauses'}:{PROJECT}",
            "REPOLEDGER_DATABASE__URL": self.ledger,
            **variables,
        }
        arguments = ("--log-level", "debug", "--log-format", "json", "backfill", "--json")
        return start_repoledger(*arguments, *options, cwd=self.folder, **environment)

    def ended(self, process: subprocess.Popen[str], *, within: float = HANGS) -> Ran:
        """Wait for a backfill to end, and return how it did."""
        started = time.monotonic()
        stdout, stderr = process.communicate(timeout=within)
        seconds = time.monotonic() - started
        assert TOKEN not in stdout + stderr
        assert "Traceback" not in stderr
        (outcome,) = json.loads(stdout)
        log = [*map(json.loads, stderr.splitlines())]
        ran = Ran(process.returncode, outcome, log, seconds)
        self._look_around(ran)
        return ran

    def _look_around(self, ran: Ran) -> None:
        for file in self.folder.rglob("*"):
            assert not file.is_file() or TOKEN.encode() not in file.read_bytes(), file.name
        assert self.hub.elsewhere.connections == 0
        asked = [request for request in self.hub.requests if request.method != "CONNECT"]
        credentials = {request.headers.get("authorization") for request in asked}
        assert credentials <= {f"Bearer {TOKEN}"}
        assert ran.outcome["wait_seconds"] == round_about(ran.announced)
        assert ran.seconds > ran.announced - 0.1
        assert self.removed() == []

    def ids(self) -> list[int]:
        """Return the repositories that the ledger holds."""
        return [id_ for (id_,) in values(self.ledger, "SELECT id FROM repositories ORDER BY id")]

    def removed(self) -> list[int]:
        """Return those that are marked as removed, or as listed no more."""
        gone = "SELECT id FROM repositories WHERE removed_at IS NOT NULL UNION "
        gone += "SELECT repository_id FROM account_repositories WHERE gone_at IS NOT NULL"
        return [id_ for (id_,) in values(self.ledger, gone)]

    def time_passes(self) -> None:
        """Let the time come until which GitHub asked to be left alone."""
        execute(self.ledger, "UPDATE accounts SET not_before = NULL")

    def assert_converges(self) -> None:
        """Run once more, now that nothing is wrong: the ledger is what GitHub lists."""
        self.hub.heal()
        self.time_passes()
        expect(self.run(), "succeeded", [RUN_FINISHED], seen=len(self.hub.items))
        self.assert_equals_list()

    def assert_equals_list(self) -> None:
        columns = ("id", "full_name", "owner_id", "description", "homepage", "stargazers_count")
        stored = values(
            self.ledger,
            f"SELECT {', '.join(columns)} FROM repositories WHERE removed_at IS NULL ORDER BY id",
        )
        assert stored == sorted(map(_listed, self.hub.items))


def _listed(item: Any) -> tuple[Any, ...]:
    rest = (item["description"], item["homepage"], item["stargazers_count"])
    return (item["id"], item["full_name"], item["owner"]["id"], *rest)


def round_about(seconds: float) -> Any:
    """Return what equals `seconds`, but for what is rounded off in each line of the log."""
    return pytest.approx(seconds, abs=0.5)


def expect(
    ran: Ran, status: str, events: Iterable[str], *, seen: int, error: str | None = None
) -> None:
    """Compare how a run ended with what is promised; `seen` is the number of items it got."""
    told = (ran.outcome["status"], ran.outcome["error_type"], ran.code, ran.events)
    assert told == (status, error, CODES[status], list(events))
    assert sum(ran.outcome[name] for name in _COUNTS) == seen
