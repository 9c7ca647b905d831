"""The limit: the same rows of all tables, by the shortest path there is.

    python -m benchmarks.limit DATABASE_URL API

Into a ledger whose tables are there. http.client on one connection, msgspec, and the
driver's own executemany, or COPY and a merge. No retries, no log, no look at what is known,
no lock, no fence: a page is fetched, decoded and written. If pages are remembered, they are
asked for with If-None-Match; what has changed is then written like what is new.
"""

from __future__ import annotations

import gzip
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from hashlib import blake2b
from http.client import HTTPConnection
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

ACCOUNT, HOST = "bench", "127.0.0.1"
Rows = list[tuple[Any, ...]]


class Owner(msgspec.Struct):
    id: int
    login: str
    type: str


class License(msgspec.Struct):
    spdx_id: str | None


class Repository(msgspec.Struct):
    """What is stored of a repository, in the order of the columns but for what is nested."""

    id: int
    node_id: str
    name: str
    full_name: str
    owner: Owner
    html_url: str
    description: str | None
    homepage: str | None
    language: str | None
    license: License | None
    topics: list[str]
    default_branch: str
    visibility: str
    fork: bool
    archived: bool
    disabled: bool
    is_template: bool
    has_issues: bool
    has_projects: bool
    has_wiki: bool
    has_pages: bool
    has_discussions: bool
    created_at: str
    updated_at: str
    pushed_at: str
    stargazers_count: int
    forks_count: int
    open_issues_count: int
    watchers_count: int
    size: int


_COLUMNS = (
    *("host", "id", "node_id", "name", "full_name", "owner_id", "owner_login", "owner_type"),
    *("html_url", "description", "homepage", "language", "license_spdx_id", "topics"),
    *("default_branch", "visibility", "fork", "archived", "disabled", "is_template"),
    *("has_issues", "has_projects", "has_wiki", "has_pages", "has_discussions"),
    *("created_at", "updated_at", "pushed_at"),
    *("stargazers_count", "forks_count", "open_issues_count", "watchers_count", "size"),
    *("payload", "content_hash", "first_seen_at", "changed_at"),
)
# Table -> its columns, and how many of them, from the first, are its key.
TABLES: dict[str, tuple[tuple[str, ...], int]] = {
    "repositories": (_COLUMNS, 2),
    "repository_metrics": (
        (
            *("host", "repository_id", "day", "stargazers_count", "forks_count"),
            *("open_issues_count", "watchers_count", "size"),
        ),
        3,
    ),
    "account_repositories": (("account", "host", "repository_id", "first_seen_at"), 3),
    "repository_changes": (
        ("host", "repository_id", "run_id", "observed_at", "field", "new_value"),
        0,
    ),
    "page_cache": (("account", "key", "etag", "ids", "item_count", "next_url", "stored_at"), 2),
}
_list = msgspec.json.Decoder(list[msgspec.Raw])
_one = msgspec.json.Decoder(Repository)
_encode = msgspec.json.Encoder().encode
Write = Callable[[str, Rows], None]


def rows_of(body: bytes, now: Any, day: Any, moment: Callable[[str], Any]) -> dict[str, Rows]:
    """Return the rows of a page, by table."""
    repositories: Rows = []
    metrics: Rows = []
    changes: Rows = []
    for raw in _list.decode(body):
        it = _one.decode(raw)
        owner, license_ = it.owner, it.license
        document = _encode(it)
        counters = (
            *(it.stargazers_count, it.forks_count, it.open_issues_count),
            *(it.watchers_count, it.size),
        )
        repositories.append(
            (
                *(HOST, it.id, it.node_id, it.name, it.full_name, owner.id, owner.login),
                *(owner.type, it.html_url, it.description, it.homepage, it.language),
                license_ and license_.spdx_id,
                _encode(it.topics).decode(),
                *(it.default_branch, it.visibility, it.fork, it.archived, it.disabled),
                *(it.is_template, it.has_issues, it.has_projects, it.has_wiki, it.has_pages),
                *(it.has_discussions, moment(it.created_at), moment(it.updated_at)),
                *(moment(it.pushed_at), *counters, bytes(raw).decode()),
                *(blake2b(document, digest_size=16).hexdigest(), now, now),
            )
        )
        metrics.append((HOST, it.id, day, *counters))
        changes.append((HOST, it.id, 1, now, "created", document.decode()))
    return {
        "repositories": repositories,
        "repository_metrics": metrics,
        "account_repositories": [(ACCOUNT, HOST, row[1], now) for row in repositories],
        "repository_changes": changes,
    }


class Server:
    """The pages at one address, asked for one after the other on one connection."""

    def __init__(self, api: str) -> None:
        address = urlsplit(api)
        self._connection = HTTPConnection(address.hostname or "", address.port)

    def get(self, target: str, etag: str | None) -> tuple[bytes | None, str, str | None]:
        """Return a page's body, None if it is as it was; its tag; the next page's address."""
        headers = {"Accept-Encoding": "gzip", "Authorization": "Bearer x", "User-Agent": "limit"}
        if etag is not None:
            headers["If-None-Match"] = etag
        self._connection.request("GET", target, headers=headers)
        answer = self._connection.getresponse()
        packed = answer.read()
        links = answer.headers.get("Link", "").split(", ")
        following = next((link for link in links if link.endswith('rel="next"')), None)
        next_url = following and following[1 : following.index(">")]
        body = None if answer.status == 304 else gzip.decompress(packed)
        return body, answer.headers["ETag"], next_url


def load(
    api: str,
    remembered: dict[str, tuple[str, str | None]],
    write: Write,
    commit: Callable[[], None],
    of: tuple[Any, Any, Callable[[str], Any]],
) -> None:
    """Fetch and write every page. `of` is now, today, and how a time is stored."""
    server = Server(api)
    server.get("/user", None)
    url: str | None = f"{api}/user/repos?sort=created&direction=asc&per_page=100"
    while url:
        etag, known_next = remembered.get(url, (None, None))
        body, tag, next_url = server.get(url.removeprefix(api), etag)
        if body is not None:
            found = rows_of(body, *of)
            for table, rows in found.items():
                write(table, rows)
            ids = [row[1] for row in found["repositories"]]
            entry = (ACCOUNT, url, tag, _encode(ids).decode(), len(ids), next_url, of[0])
            write("page_cache", [entry])
            commit()
        url = next_url or known_next


def main() -> None:
    url, api = sys.argv[1:]
    kind = url.partition(":")[0].partition("+")[0]
    {"sqlite": _sqlite, "postgresql": _postgresql, "mysql": _mysql}[kind](url, api)


def _upsert(table: str, mark: str, source: str = "") -> str:
    columns, keys = TABLES[table]
    names = ", ".join(columns)
    values = source or f"VALUES ({', '.join([mark] * len(columns))})"
    insert = f"INSERT INTO {table} ({names}) {values}"
    if not keys:
        return insert
    sets = ", ".join(f"{name} = excluded.{name}" for name in columns[keys:])
    return f"{insert} ON CONFLICT ({', '.join(columns[:keys])}) DO UPDATE SET {sets}"


def _known(rows: Sequence[Any] | Iterator[Any]) -> dict[str, tuple[str, str | None]]:
    return {key: (etag, next_url) for key, etag, next_url in rows}


_ACCOUNT = "INSERT INTO accounts (name, host, generation) VALUES ('bench', '127.0.0.1', 1)"
_ASK = "SELECT key, etag, next_url FROM page_cache"


def _sqlite(url: str, api: str) -> None:
    import sqlite3

    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    statements = {table: _upsert(table, "?") for table in TABLES}
    connection.execute(f"{_ACCOUNT} ON CONFLICT DO NOTHING")
    connection.commit()

    def write(table: str, rows: Rows) -> None:
        connection.executemany(statements[table], rows)

    now = datetime.now(UTC)
    of = (now.isoformat(), now.date().isoformat(), lambda text: text)
    load(api, _known(connection.execute(_ASK).fetchall()), write, connection.commit, of)
    connection.close()


def _postgresql(url: str, api: str) -> None:
    import psycopg

    connection = psycopg.connect(url.replace("+psycopg", ""))
    cursor = connection.cursor()
    cursor.execute(f"{_ACCOUNT} ON CONFLICT DO NOTHING")
    merges = {}
    for table, (columns, _) in TABLES.items():
        names = ", ".join(columns)
        cursor.execute(f"CREATE TEMP TABLE new_{table} AS SELECT {names} FROM {table} LIMIT 0")
        merges[table] = (
            f"COPY new_{table} ({names}) FROM STDIN",
            f"{_upsert(table, '', f'SELECT {names} FROM new_{table}')}; TRUNCATE new_{table}",
        )
    connection.commit()

    def write(table: str, rows: Rows) -> None:
        fill, merge = merges[table]
        with cursor.copy(fill) as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(merge)

    now = datetime.now(UTC)
    known = _known(cursor.execute(_ASK).fetchall())
    load(api, known, write, connection.commit, (now, now.date(), lambda text: text))
    connection.close()


def _mysql(url: str, api: str) -> None:
    import pymysql  # type: ignore[import-untyped]  # it has no types

    address = urlsplit(url)
    options = {name: values[0] for name, values in parse_qs(address.query).items()}
    connection = pymysql.connect(
        user=unquote(address.username or ""),
        database=address.path.removeprefix("/"),
        charset="utf8mb4",
        unix_socket=options["unix_socket"],
    )
    cursor = connection.cursor()
    cursor.execute(_ACCOUNT.replace("INSERT", "INSERT IGNORE"))
    statements = {}
    for table, (columns, keys) in TABLES.items():
        names = ", ".join(f"`{name}`" for name in columns)
        insert = f"INSERT INTO {table} ({names}) VALUES ({', '.join(['%s'] * len(columns))})"
        sets = ", ".join(f"`{name}` = VALUES(`{name}`)" for name in columns[keys:])
        statements[table] = f"{insert} ON DUPLICATE KEY UPDATE {sets}" if keys else insert

    def write(table: str, rows: Rows) -> None:
        cursor.executemany(statements[table], rows)

    now = datetime.now(UTC).replace(tzinfo=None)
    cursor.execute(_ASK.replace("key", "`key`"))
    known = _known(cursor.fetchall())
    of = (now, date.today(), lambda text: text[:-1].replace("T", " "))  # noqa: DTZ011  # as good
    load(api, known, write, connection.commit, of)
    connection.close()


if __name__ == "__main__":
    main()
