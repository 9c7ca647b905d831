"""Makes the ledger of a story, as the demo does: `python -m benchmarks.story FOLDER`.

By default 40 repositories over 45 days. The folder gets `config.toml` and `repoledger.db`, on
which every command that reads works: `cd FOLDER; repoledger changes --since 7d`.
"""

from __future__ import annotations

import argparse
import logging
import time
from datetime import UTC, datetime
from pathlib import Path

import structlog

from sync.cli.demo_past import make_past
from sync.sandbox.story import Story


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--repositories", type=int, default=40)
    parser.add_argument("--days", type=int, default=45)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--end", type=datetime.fromisoformat, default=datetime.now(UTC))
    given = parser.parse_args()
    level = structlog.make_filtering_bound_logger(logging.ERROR)
    structlog.configure(wrapper_class=level)
    given.folder.mkdir(parents=True, exist_ok=True)
    for file in given.folder.glob("repoledger.db*"):
        file.unlink()
    story = Story(repositories=given.repositories, days=given.days, seed=given.seed)
    began, statuses = time.perf_counter(), []
    make_past(
        given.folder / "config.toml",
        story,
        given.end,
        told=lambda _day, outcome: statuses.append(outcome.status),
    )
    seconds = time.perf_counter() - began
    print(f"{given.folder}: {len(statuses)} syncs in {seconds:.1f} s: {sorted(set(statuses))}")


if __name__ == "__main__":
    main()
