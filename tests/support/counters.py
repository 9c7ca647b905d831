"""A ledger whose repositories have counters of known days."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.process import repoledger, write_config

TODAY = datetime.now(UTC).date()
NAMES = ("alpha", "beta", "decade", "unknown")
COLUMNS = ("stargazers_count", "forks_count", "open_issues_count", "watchers_count", "size")


def fill(folder: Path) -> None:
    """Make a ledger in `folder`.

    octo/alpha-two, once octo/alpha, has three values in the last 20 days, octo/beta
    one since today, octo/decade another on each of 3651 days, octo/unknown none.
    """
    with Sandbox() as github:
        github.add_user("octo", token=TOKEN, scopes=())
        write_config(folder, github.url)
        first, *_ = [github.add_repository("octo", n, stargazers_count=50) for n in NAMES]
        assert repoledger("backfill", cwd=folder, TOKEN=TOKEN).returncode == 0
        github.rename(first, "alpha-two")
        assert repoledger("backfill", cwd=folder, TOKEN=TOKEN).returncode == 0
    set_counters(folder, "alpha-two", [(20, 1400), (10, 1410), (5, 1530)])
    set_counters(folder, "decade", [(days, (3650 - days) * 7) for days in range(3650, -1, -1)])
    set_counters(folder, "unknown", [(20, None)])


def set_counters(folder: Path, name: str, values: Iterable[tuple[int, int | None]]) -> None:
    """Have the ledger know these values, each with how many days ago it was first seen."""
    connection = sqlite3.connect(folder / "ledger.db")
    host, id_ = connection.execute(
        "SELECT host, id FROM repositories WHERE name = ?", (name,)
    ).fetchone()
    connection.execute("DELETE FROM repository_metrics WHERE repository_id = ?", (id_,))
    connection.executemany(
        f"INSERT INTO repository_metrics (host, repository_id, day, {', '.join(COLUMNS)}) "
        "VALUES (?, ?, ?, ?, 3, 2, 1, 1000)",
        [(host, id_, str(ago(days)), value) for days, value in values],
    )
    connection.execute(
        "UPDATE repositories SET (stargazers_count, forks_count, open_issues_count, "
        f"watchers_count, size) = (SELECT {', '.join(COLUMNS)} FROM repository_metrics "
        "WHERE repository_id = ? ORDER BY day DESC LIMIT 1) WHERE id = ?",
        (id_, id_),
    )
    connection.commit()
    connection.close()


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)
