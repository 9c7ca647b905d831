"""How lists of a large ledger answer: `python -m benchmarks.lists FOLDER [REPOSITORIES]`.

Makes FOLDER/ledger.db with a configuration beside it, unless it is there: 100,000 repositories
with words that people search for, and for each three changes and 36 days of counters within five
years, of which some gain much of late. Then it times commands; `--only-make` leaves that out.
`repoledger copy` takes the ledger to a server, where `REPOLEDGER_DATABASE__URL` has them timed.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.contenders import ROOT
from benchmarks.measuring import run
from benchmarks.objects import pages
from sync.database import migrate

COMMANDS = (
    ("--version",),
    ("repos", "--search", "sparse matrix"),
    ("repos", "--search", "tool", "--limit", "20"),
    ("repos", "--sort", "gained", "--since", "30d", "--limit", "20"),
    ("repos", "--license", "MIT", "--stars", "900..", "--limit", "20"),
    ("repos", "user-7/*"),
    ("changes", "--limit", "20"),
)
_YEARS = timedelta(days=5 * 365)
_DAYS = 36  # with counters, of each
_VOCABULARY = (
    "small fast sparse dense matrix graph parser server client tool tools library bindings web "
    "async stream cache queue search index terminal editor theme plugin engine game physics audio "
    "video image vision speech language model neural network tensor kernel driver embedded sensor "
    "robot weather map tiles geo crypto wallet ledger bank invoice mail chat bot calendar notes "
    "wiki blog static site generator compiler runtime debugger profiler linter formatter test mock"
)
_WORDS = _VOCABULARY.split()
_LANGUAGES = (None, "Python", "Go", "Rust", "C", "TypeScript", "HTML", "Shell")
_LICENSES = (None, "MIT", "Apache-2.0", "GPL-3.0", "BSD-3-Clause")


def make(file: Path, count: int) -> None:
    """Make a ledger of so many repositories."""
    partial = file.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    migrate.upgrade(f"sqlite:///{partial}")
    connection = sqlite3.connect(partial)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA journal_mode = OFF")
    now, numbers = datetime.now(UTC), random.Random(1)
    _write(connection, "accounts", [{"name": "me", "host": "github.com", "generation": 1}])
    _write(connection, "repositories", _repositories(count, now, numbers))
    known = list(connection.execute("SELECT id, stargazers_count, full_name FROM repositories"))
    listed = ({"account": "me", "repository_id": id_, **_SEEN} for id_, *_ in known)
    _write(connection, "account_repositories", listed)
    _write(connection, "repository_metrics", _metrics(known, now.date(), numbers))
    _write(connection, "repository_changes", _changes(known, now, numbers))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    partial.rename(file)


_SEEN = {"host": "github.com", "first_seen_at": "2021-01-01 00:00:00.000000"}


def _write(connection: sqlite3.Connection, table: str, rows: Any) -> None:
    rows = iter(rows)
    first = next(rows)
    names, marks = ", ".join(first), ", ".join(f":{name}" for name in first)
    statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"
    connection.execute(statement, first)
    connection.executemany(statement, rows)
    connection.commit()


def _repositories(count: int, now: datetime, numbers: random.Random) -> Iterator[dict[str, Any]]:
    payload = next(iter(pages("http://127.0.0.1", 1)))[0][1:-1].decode()
    for number in range(count):
        words = numbers.choices(_WORDS, k=8)
        owner, name = f"user-{number % 5_000}", f"{words[0]}-{words[1]}-{number}"
        stars = int(numbers.paretovariate(0.8)) - 1
        yield {
            **_SEEN,
            "id": 1_000 + number,
            "name": name,
            "full_name": f"{owner}/{name}",
            "owner_id": number % 5_000,
            "owner_login": owner,
            "html_url": f"https://github.com/{owner}/{name}",
            "description": f"A {' '.join(words[2:])} for {owner}",
            "language": numbers.choice(_LANGUAGES),
            "license_spdx_id": numbers.choice(_LICENSES),
            "topics": json.dumps(words[:3]),
            "visibility": "public",
            "fork": number % 7 == 0,
            "archived": number % 11 == 0,
            "is_template": number % 97 == 0,
            "pushed_at": _text(now - numbers.random() * _YEARS),
            "created_at": _text(now - _YEARS),
            "stargazers_count": min(stars, 500_000),
            "forks_count": min(stars // 10, 50_000),
            "open_issues_count": number % 13,
            "watchers_count": min(stars, 500_000),
            "size": number % 5_000,
            "payload": payload,
            "content_hash": f"{number:064x}",
            "changed_at": _text(now),
        }


def _metrics(known: Any, today: date, numbers: random.Random) -> Iterator[dict[str, Any]]:
    for id_, stars, _ in known:
        days = sorted(numbers.sample(range(_YEARS.days), _DAYS), reverse=True)
        for place, ago in enumerate(days, 1):
            then = stars * place // _DAYS
            yield {
                "host": "github.com",
                "repository_id": id_,
                "day": str(today - timedelta(days=ago)),
                **dict.fromkeys(("stargazers_count", "watchers_count"), then),
                "forks_count": then // 10,
                "open_issues_count": id_ % 13,
                "size": id_ % 5_000,
            }


def _changes(known: Any, now: datetime, numbers: random.Random) -> Iterator[dict[str, Any]]:
    of_each = [(id_, name, field) for id_, _, name in known for field in _FIELDS]
    moments = sorted(now - numbers.random() * _YEARS for _ in of_each)
    numbers.shuffle(of_each)
    for (id_, name, field), moment in zip(of_each, moments, strict=True):
        yield {
            "host": "github.com",
            "repository_id": id_,
            "run_id": 1,
            "observed_at": _text(moment),
            "field": field,
            "old_value": _FIELDS[field].format(name, "former"),
            "new_value": _FIELDS[field].format(name, "present"),
        }


_FIELDS = {
    "description": "A {1} description",
    "full_name": "{0}-{1}",
    "pushed_at": "2021-01-01T00:00:00Z",
}


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S.%f}"


def timed(folder: Path) -> Iterator[tuple[str, float, float]]:
    """Yield each command with the medians of its seconds, by the clock and of the CPU."""
    kept = ("REPOLEDGER_DATABASE__URL", "REPOLEDGER_DATABASE__PASSWORD", "PATH")
    env = {name: os.environ[name] for name in kept if name in os.environ}
    env |= {"PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
    for arguments in COMMANDS:
        command = [sys.executable, "-m", "sync", *arguments]
        used = [run([command], cwd=folder, env=env, log=folder / "log") for _ in range(5)]
        wall, cpu = (median(getattr(usage, of) for usage in used) for of in ("wall", "cpu"))
        yield " ".join(arguments), wall, cpu


def main() -> None:
    words = [word for word in sys.argv[1:] if word != "--only-make"]
    folder, count = Path(words[0]), int(words[1]) if len(words) > 1 else 100_000
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "ledger.db"
    if not file.exists():
        make(file, count)
    config = '[database]\nurl = "sqlite:///ledger.db"\n[[accounts]]\nname = "me"\nusername = "me"\n'
    (folder / "config.toml").write_text(config, encoding="utf-8")
    print(f"{file}: {file.stat().st_size / 1e9:.2f} GB")
    if "--only-make" not in sys.argv:
        for command, wall, cpu in timed(folder):
            print(f"{wall:7.2f} s  {cpu:7.2f} s CPU  {command}")


if __name__ == "__main__":
    main()
