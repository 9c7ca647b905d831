"""Runs of one account in one process, as `backfill` does them, at any time of day.

    python -m benchmarks.resource_run PLAN

A plan is a file of JSON: `url` and `api`, the time `moment`, the names of the `resources`, and the
`runs`, each of which is `listing`, `resources` or `nothing`. With `seconds`, it ends after so many
and keeps GitHub's pace; else nothing paces it. Prints for each run what it used, as JSON.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from benchmarks.resource_server import TOKEN
from sync.database.store import Store
from sync.forges.github.client import GitHubClient
from sync.forges.limits import Limits
from sync.forges.pace import Pace
from sync.load.loading import Choice
from sync.resources import BY_NAME
from sync.run.options import RunOptions
from sync.run.run import run_account


def one(options: RunOptions, client: GitHubClient, store: Store) -> dict[str, Any]:
    """Return what a run used and did."""
    began, cpu, before = time.monotonic(), time.process_time(), client.stats.requests
    outcome = run_account(options, client, store)
    counts = outcome.loaded.counts.values()
    if outcome.status not in ("succeeded", "interrupted"):
        raise RuntimeError(f"{outcome.status}: {outcome.error}")
    return {
        "requests": client.stats.requests - before,
        "asked": sum(each.asked for each in counts),
        "not_modified": sum(each.not_modified for each in counts),
        "by_resource": {name: each.asked for name, each in outcome.loaded.counts.items()},
        "rows": sum(each.stored for each in counts),
        "cpu": time.process_time() - cpu,
        "wall": time.monotonic() - began,
    }


def main() -> None:
    plan = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    began, moment = time.monotonic(), datetime.fromisoformat(plan["moment"])
    limits, stop = Limits(), threading.Event()
    if plan.get("seconds"):
        threading.Timer(plan["seconds"], stop.set).start()
    else:
        limits.keep_pace(Pace(points=10**9, seconds=1e9, window=60.0))

    def clock() -> datetime:
        passed = time.monotonic() - began if plan.get("seconds") else 0.0
        return moment + timedelta(seconds=passed)

    choices = tuple(Choice(resource=BY_NAME[name]) for name in plan["resources"])
    told = []
    with (
        Store(plan["url"], clock=clock) as store,
        GitHubClient(
            token=TOKEN, api_url=plan["api"], limits=limits, stop=stop, clock=clock
        ) as client,
    ):
        for what in plan["runs"]:
            options = RunOptions(
                account="bench",
                trigger="backfill",
                resources=choices if what == "resources" else (),
                lists=what == "listing",
                eager=True,
            )
            told.append({"what": what, **one(options, client, store)})
    print(json.dumps(told))


if __name__ == "__main__":
    main()
