"""The stand-in in a process of its own, and a ledger into which other processes load from it."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.contenders import ROOT
from benchmarks.measuring import Usage, run
from benchmarks.run import environment
from sync.database import migrate
from sync.resources import BY_NAME

DEFAULT = ("traffic", "traffic_popular", "downloads", "stars", "languages")
IDLE_DAYS = {"traffic": 5, "downloads": 7}
_DAY = timedelta(days=1)


class Served:
    """The server's process, seen from here. `moment` is the time there."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        told = self._told()
        self.api: str = told["api"]
        self.moment = datetime.fromisoformat(told["moment"])

    def turn(self, days: int = 0, **asked: Any) -> dict[str, Any]:
        """Go on by some days, and return the counts since the last turn."""
        self.moment += days * _DAY
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"moment": self.moment.isoformat(), **asked}) + "\n")
        self._process.stdin.flush()
        return self._told()

    def _told(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        return told


@contextmanager
def serving(count: int) -> Iterator[Served]:
    """Serve so many repositories, from a process of its own, while the block runs."""
    command = [sys.executable, "-m", "benchmarks.resource_server", str(count)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        try:
            yield Served(process)
        finally:
            process.stdin.close()  # which ends it
    if process.returncode:
        raise RuntimeError(f"the server ended with {process.returncode}")


class Ledger:
    """A SQLite ledger, and runs that load into it."""

    def __init__(self, folder: Path, served: Served) -> None:
        self.folder = folder
        self.file = folder / "ledger.db"
        self._served = served
        migrate.upgrade(f"sqlite:///{self.file}")

    def run(
        self, runs: Sequence[str], resources: Sequence[str] = DEFAULT, **more: Any
    ) -> tuple[list[dict[str, Any]], Usage]:
        """Return what each run did, and what the whole process used."""
        plan = {
            "url": f"sqlite:///{self.file}",
            "api": self._served.api,
            "moment": self._served.moment.isoformat(),
            "resources": list(resources),
            "runs": list(runs),
            **more,
        }
        (self.folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
        log = self.folder / "output.log"
        command = [sys.executable, "-m", "benchmarks.resource_run", str(self.folder / "plan.json")]
        used = run([command], cwd=self.folder, env=environment(self.folder), log=log)
        told: list[dict[str, Any]] = json.loads(log.read_text("utf-8").splitlines()[-1])
        return told, used

    def spread_idle(self) -> None:
        """Spread the last readings of idle repositories over their days, as if weeks had passed.

        After the first day all of them would be read on the same one.
        """
        with sqlite3.connect(self.file) as connection:
            for name, days in IDLE_DAYS.items():
                idle = max(1, BY_NAME[name].due.idle_after)
                back = f"-(repository_id % {days})"
                moved = ", ".join(
                    f"{at} = strftime('%Y-%m-%d %H:%M:%S', {since}, ({by}) || ' days') || '.000000'"
                    for at, since, by in (
                        ("checked_at", "checked_at", back),
                        ("lost_at", "lost_at", back),
                        ("next_at", "checked_at", f"{days} {back}"),
                    )
                )
                connection.execute(
                    f"UPDATE resource_states SET {moved}, "
                    f"cursor = json_set(cursor, '$.idle', {idle}) "
                    "WHERE resource = ? AND json_extract(cursor, '$.idle') > 0",
                    (name,),
                )
        connection.close()
