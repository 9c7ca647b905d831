"""How a ledger of many years answers: `python -m benchmarks.growth [REPOSITORIES] [DAYS]`.

Fills a SQLite ledger by SQL with 1,000,000 repositories, and for each, unless told otherwise,
36 days within five years on which a counter changed and two changes; then times commands.
Needs 9 GB of disk for that. What it finds is printed, and kept for `benchmarks.report`.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.contenders import ROOT
from benchmarks.measuring import run
from benchmarks.objects import pages
from sync.database import migrate

OUTPUT = ROOT / "build" / "bench" / "growth.json"
_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {})"
_FILL = (
    """INSERT INTO repositories (host, id, node_id, name, full_name, owner_id, owner_login,
    owner_type, html_url, description, language, topics, default_branch, visibility, fork,
    archived, created_at, updated_at, pushed_at, stargazers_count, forks_count,
    open_issues_count, watchers_count, size, payload, content_hash, first_seen_at, changed_at)
    {repositories} SELECT 'github.com', 1000 + i, 'R_' || i, 'name-' || i, 'owner/name-' || i, 1,
    'owner', 'User', 'https://github.example/owner/name-' || i, 'Number ' || i, 'Python', '[]',
    'main', 'public', 0, 0, '2015-01-01 00:00:00.000000', '2025-01-01 00:00:00.000000',
    '2025-01-01 00:00:00.000000', i % 997, 1, 1, i % 997, i % 5000, :payload,
    hex(randomblob(16)), '2020-01-01 00:00:00.000000', '2025-01-01 00:00:00.000000' FROM n""",
    """INSERT INTO account_repositories (account, host, repository_id, first_seen_at)
    {repositories} SELECT 'me', 'github.com', 1000 + i, '2020-01-01 00:00:00.000000' FROM n""",
    """INSERT INTO repository_metrics {days}
    SELECT r.host, r.id, date('2020-01-01', (i * 1826 / :days) || ' days'),
    r.stargazers_count + i, 1, 1, r.stargazers_count + i, r.size
    FROM repositories AS r, n ORDER BY r.host, r.id, i""",
    """INSERT INTO repository_changes
    (host, repository_id, run_id, observed_at, field, old_value, new_value)
    SELECT host, id, 1, datetime('2020-01-01', (id % 1826) || ' days') || '.000000',
    'description', 'before', description FROM repositories""",
    """INSERT INTO repository_changes
    (host, repository_id, run_id, observed_at, field, old_value, new_value)
    SELECT host, id, 1, datetime('2020-01-01', (id % 1826) || ' days') || '.000000',
    'full_name', 'owner/former-' || id, full_name FROM repositories""",
)
COMMANDS = (
    ("repos", "--limit", "20"),
    ("repos", "--sort", "stars", "--limit", "20"),
    ("changes", "--limit", "20"),
    ("changes", "--repository", "owner/former-1077"),
    ("history", "owner/name-77"),
    ("status",),
)


def fill(file: Path, count: int, days: int) -> None:
    """Make a ledger of so many repositories, each with so many days of counters."""
    migrate.upgrade(f"sqlite:///{file}")
    payload = next(iter(pages("http://127.0.0.1", 1)))[0][1:-1].decode()
    parts = {"repositories": _NUMBERS.format(count), "days": _NUMBERS.format(days)}
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute(
        "INSERT INTO accounts (name, host, generation) VALUES ('me', 'github.com', 1)"
    )
    for statement in _FILL:
        connection.execute(statement.format(**parts), {"payload": payload, "days": days})
        connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def timed(folder: Path) -> Iterator[tuple[str, float]]:
    """Yield each command with the median of its seconds."""
    config = '[database]\nurl = "sqlite:///ledger.db"\n[[accounts]]\nname = "me"\nusername = "me"\n'
    (folder / "config.toml").write_text(config, encoding="utf-8")
    env = {"PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
    for arguments in COMMANDS:
        command = [sys.executable, "-m", "sync", *arguments]
        used = [run([command], cwd=folder, env=env, log=folder / "log") for _ in range(3)]
        yield " ".join(arguments), median(usage.wall for usage in used)


def main() -> None:
    given = [int(text) for text in sys.argv[1:]]
    count, days = (*given, *(1_000_000, 36)[len(given) :])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "ledger.db"
        fill(file, count, days)
        size = file.stat().st_size
        print(f"{count:,} repositories, {days} days of counters each: {size / 1e9:.2f} GB,")
        print(f"{size / count:,.0f} bytes a repository")
        seconds = {}
        for command, median_of_it in timed(folder):
            print(f"{median_of_it:7.2f} s  {command}")
            seconds[command] = median_of_it
    found = {"repositories": count, "days": days, "bytes": size, "seconds": seconds}
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps({"growth": found}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
