"""Figures of known days in the ledger that `counters.fill` makes."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from tests.support.counters import ago

_NOW = "2026-01-01 00:00:00.000000"
# Days ago: views and clones were told of these; there was a reading on those.
TOLD = {1: 30, 2: 12, 4: 25, 6: 0, 20: 7}
READ = (0, 2, 3, 20)


def fill_figures(folder: Path) -> None:
    """Add figures of octo/alpha-two.

    Views (and half as many clones) are TOLD; nothing was read between 20 and 3 days ago. Stars
    were given from 400 days ago. Downloads were read until 8 days ago, and again since 5.
    """
    connection = sqlite3.connect(folder / "ledger.db")
    owner = connection.execute(
        "SELECT host, id FROM repositories WHERE name = 'alpha-two'"
    ).fetchone()

    def add(table: str, *rows: tuple[Any, ...]) -> None:
        marks = ", ".join("?" * (len(rows[0]) + len(owner)))
        connection.executemany(
            f"INSERT INTO {table} VALUES ({marks})", [(*owner, *row) for row in rows]
        )

    for kind, share in (("views", 1), ("clones", 2)):
        counts = {ago(days): count // share for days, count in TOLD.items()}
        add(
            "traffic_days",
            *((kind, str(day), n, (n + 2) // 3, _NOW, _NOW) for day, n in counts.items() if n),
        )
        windows = ((str(ago(d)), 74 // share, 9, str(ago(d + 1)), str(ago(d + 1))) for d in READ)
        add("traffic_windows", *((kind, *window, _NOW) for window in windows))
    add("star_history", *((str(ago(days)), 7, _NOW) for days in range(400, 1, -2)))
    add("download_readings", (str(ago(25)), str(ago(8))), (str(ago(5)), str(ago(0))))
    connection.execute(
        "INSERT INTO releases (host, id, repository_id, draft, prerelease, first_seen_at, "
        "changed_at) VALUES (?, 1, ?, 0, 0, ?, ?)",
        (*owner, _NOW, _NOW),
    )
    connection.execute(
        "INSERT INTO release_assets (host, id, release_id, repository_id, size, download_count, "
        "first_seen_at) VALUES (?, 2, 1, ?, 1, 900, ?)",
        (*owner, _NOW),
    )
    connection.executemany(
        "INSERT INTO asset_downloads VALUES (?, 2, ?, ?)",
        [(owner[0], str(ago(d)), n) for d, n in ((25, 100), (9, 400), (5, 850), (2, 900))],
    )
    connection.commit()
    connection.close()
