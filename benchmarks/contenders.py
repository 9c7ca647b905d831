"""Who is measured, with which settings, and how it is seen that they stored everything."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from sqlalchemy import NullPool, create_engine, make_url, select, text

from sync.database.tables import sync_runs
from tests.support.servers import databases

ROOT = Path(__file__).parents[1]
PEERS = ROOT / "benchmarks" / "peers"
TOKEN = "ghp_benchbenchbenchbench"  # noqa: S105  # nobody's

Command = list[str]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a contender works: an empty folder, an empty database, the server to ask."""

    folder: Path
    venvs: Path
    api: str
    url: str

    def python(self, venv: str) -> str:
        return str(self.venvs / venv / "bin" / "python")

    def program(self, venv: str) -> str:
        return str(self.venvs / venv / "bin" / venv)

    def write(self, name: str, content: object) -> None:
        is_text = isinstance(content, str)
        (self.folder / name).write_text(
            str(content) if is_text else json.dumps(content), encoding="utf-8"
        )


@contextmanager
def empty_place(kind: str, venvs: Path, api: str) -> Iterator[Place]:
    """Yield an empty folder and an empty database of a kind, as long as the block runs."""
    with TemporaryDirectory() as name, databases(kind, Path(name)) as make:
        yield Place(folder=Path(name), venvs=venvs, api=api, url=make())


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A program that loads repositories.

    `prepare` is not measured; `commands`, piped into each other, are. `stored` tells how many
    repositories are there, and how many of them as they are after the change. `sync_seconds` tells
    how long the last run was by its own record. `settings` says how it was set, for the reader.
    `venvs` are the environments it needs.
    """

    name: str
    databases: tuple[str, ...]
    venvs: tuple[str, ...]
    settings: str
    commands: Callable[[Place], list[Command]]
    stored: Callable[[Place], tuple[int, int]]
    prepare: Callable[[Place], None] = lambda _: None
    sync_seconds: Callable[[Place], float] | None = None
    is_peer: bool = True


_ALL = ("sqlite", "postgresql", "mysql")
_REWORKED = "sum(CASE WHEN description LIKE '%, reworked' THEN 1 ELSE 0 END)"


def _in_table(url: str, table: str = "repositories") -> tuple[int, int]:
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        row = connection.execute(text(f"SELECT count(*), {_REWORKED} FROM {table}")).one()
    return int(row[0]), int(row[1])


def _beside(place: Place, name: str) -> str:
    """Return the URL of a SQLite file of the contender's own."""
    return f"sqlite:///{place.folder / name}"


# repoledger and the limit

_CONFIG = """
[database]
url = "{url}"
[github]
api_url = "{api}"
[resources]
default = false
[[accounts]]
name = "bench"
token_env = "BENCH_TOKEN"
"""


def _migrate(place: Place) -> None:
    place.write("config.toml", _CONFIG.format(url=place.url, api=place.api))
    command = [place.python("repoledger"), "-m", "sync", "migrate"]
    subprocess.run(
        command, cwd=place.folder, env={"PYTHONPATH": str(ROOT)}, check=True, capture_output=True
    )


def _recorded(place: Place) -> float:
    """Return how long the newest run took: from its first to its last word in the ledger."""
    engine = create_engine(place.url, poolclass=NullPool)
    newest = select(sync_runs.c.started_at, sync_runs.c.finished_at).order_by(sync_runs.c.id.desc())
    with engine.connect() as connection:
        started, finished = connection.execute(newest.limit(1)).one()
    seconds: float = (finished - started).total_seconds()
    return seconds


REPOLEDGER = Contender(
    name="repoledger",
    databases=_ALL,
    venvs=("repoledger",),
    settings="`backfill` with 4 pages in flight, as it is when nothing is configured; into tables "
    "that `migrate` made",
    commands=lambda p: [[p.python("repoledger"), "-m", "sync", "backfill"]],
    stored=lambda p: _in_table(p.url),
    prepare=_migrate,
    sync_seconds=_recorded,
    is_peer=False,
)
LIMIT = Contender(
    name="limit",
    databases=_ALL,
    venvs=("repoledger",),
    settings="the same rows of the same tables by http.client, msgspec and the driver: "
    "executemany with SQLite and MariaDB, COPY and a merge with PostgreSQL; one connection",
    commands=lambda p: [[p.python("repoledger"), "-m", "benchmarks.limit", p.url, p.api]],
    stored=lambda p: _in_table(p.url),
    prepare=_migrate,
    is_peer=False,
)

# Peers


def _dlt(place: Place, kind: str, url: str) -> list[Command]:
    script = str(PEERS / "dlt_rest.py")
    return [[place.python("dlt"), script, place.api, kind, url, str(place.folder / "pipelines")]]


def _in_duckdb(place: Place) -> tuple[int, int]:
    code = (
        "import duckdb, sys; print(*duckdb.connect(sys.argv[1], read_only=True).execute("
        f'"SELECT count(*), {_REWORKED} FROM bench.repositories").fetchone())'
    )
    file = str(place.folder / "dlt.duckdb")
    told = subprocess.run(
        [place.python("dlt"), "-c", code, file], check=True, capture_output=True, text=True
    ).stdout.split()
    return int(told[0]), int(told[1])


def _for_dlt(url: str) -> str:
    """Return the URL as dlt takes it: it asks for a host and a password. The host is a folder."""
    given = make_url(url)
    return f"postgresql://postgres:any@{quote(str(given.query['host']), safe='')}/{given.database}"


def _catalog(place: Place) -> None:
    """Have tap-github list its streams, and choose the one of repositories."""
    place.write(
        "tap.json",
        {"organizations": ["bench"], "api_url_base": place.api, "metrics_log_level": "warning"},
    )
    discover = [place.program("tap-github"), "--config", "tap.json", "--discover"]
    told = subprocess.run(discover, cwd=place.folder, check=True, capture_output=True)
    catalog = json.loads(told.stdout)
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if entry["breadcrumb"] == []:
                entry["metadata"]["selected"] = stream["stream"] == "repositories"
    place.write("catalog.json", catalog)
    place.write("jsonl.json", {"destination_path": str(place.folder)})
    place.write(
        "postgres.json",
        {
            "sqlalchemy_url": place.url.replace("+psycopg", "+psycopg2"),
            "default_target_schema": "tap",
            "batch_size_rows": 10_000,
        },
    )


def _tap(place: Place) -> Command:
    return [place.program("tap-github"), "--config", "tap.json", "--catalog", "catalog.json"]


def _in_jsonl(place: Place) -> tuple[int, int]:
    (file,) = place.folder.glob("repositories-*.jsonl")
    lines = file.read_text(encoding="utf-8").splitlines()
    file.unlink()  # a run within the same second would add to it
    return len(lines), sum(', reworked"' in line for line in lines)


_TAP = (
    "stream `repositories` of an organization alone, without a token (it checks tokens at "
    "GitHub's own address)"
)
_DLT = "REST source, nested values kept as JSON, `replace` instead of `merge` (which is slower)"
_ORM = {
    "merge": "`session.merge` of each, as tutorials write it; one table of 30 columns, no payload, "
    "no history; one transaction",
    "session": "all rows read first and compared in the session, which no tutorial shows; else "
    "the same",
}
PEER_CONTENDERS = (
    Contender(
        name="github-to-sqlite",
        databases=("sqlite",),
        venvs=("github-to-sqlite",),
        settings="`repos`; a shim of ten lines changes the address, which is not configurable",
        commands=lambda p: [
            [
                p.python("github-to-sqlite"),
                str(PEERS / "github_to_sqlite_shim.py"),
                *(p.api, "repos", "github.db", "-a", "auth.json"),
            ]
        ],
        stored=lambda p: _in_table(_beside(p, "github.db"), "repos"),
        prepare=lambda p: p.write("auth.json", {"github_personal_token": TOKEN}),
    ),
    Contender(
        name="dlt to SQLite",
        databases=("sqlite",),
        venvs=("dlt",),
        settings=_DLT,
        commands=lambda p: _dlt(p, "sqlalchemy", _beside(p, "dlt.db")),
        stored=lambda p: _in_table(_beside(p, "dlt__bench.db")),
    ),
    Contender(
        name="dlt to DuckDB",
        databases=("sqlite",),
        venvs=("dlt",),
        settings=_DLT,
        commands=lambda p: _dlt(p, "duckdb", str(p.folder / "dlt.duckdb")),
        stored=_in_duckdb,
    ),
    Contender(
        name="dlt to PostgreSQL",
        databases=("postgresql",),
        venvs=("dlt",),
        settings=_DLT,
        commands=lambda p: _dlt(p, "postgres", _for_dlt(p.url)),
        stored=lambda p: _in_table(p.url, "bench.repositories"),
    ),
    Contender(
        name="tap-github to JSON lines",
        databases=("sqlite",),
        venvs=("tap-github", "target-jsonl"),
        settings=f"{_TAP}; target-jsonl",
        commands=lambda p: [_tap(p), [p.program("target-jsonl"), "-c", "jsonl.json"]],
        stored=_in_jsonl,
        prepare=_catalog,
    ),
    Contender(
        name="tap-github to PostgreSQL",
        databases=("postgresql",),
        venvs=("tap-github", "target-postgres"),
        settings=f"{_TAP}; target-postgres with batches of 10,000 rows",
        commands=lambda p: [_tap(p), [p.program("target-postgres"), "--config", "postgres.json"]],
        stored=lambda p: _in_table(p.url, "tap.repositories"),
        prepare=_catalog,
    ),
    *(
        Contender(
            name=f"{title} + ORM ({how})",
            databases=_ALL,
            venvs=("orm",),
            settings=_ORM[how],
            commands=lambda p, script=script, how=how: [  # type: ignore[misc]  # bound now
                [p.python("orm"), str(PEERS / script), p.api, p.url, how]
            ],
            stored=lambda p: _in_table(p.url),
        )
        for title, script in (("PyGithub", "pygithub_orm.py"), ("requests", "requests_orm.py"))
        for how in ("merge", "session")
    ),
)
CONTENDERS = (LIMIT, REPOLEDGER, *PEER_CONTENDERS)
# Known, and left out, each with its reason.
LEFT_OUT = {
    "target-sqlite": "its newest version is pinned to an SQLAlchemy that Python 3.10 and later "
    "cannot import, so tap-github is measured with target-jsonl and target-postgres",
}
