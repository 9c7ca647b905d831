"""What `repoledger check` asks of a MySQL or MariaDB server."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from sync.database.dialects.base import VERSION_TABLE
from sync.database.tables import metadata
from sync.finding import Finding

_LARGEST_ROW = 16 * 1024 * 1024  # bytes: what a statement should be able to hold
_WRITING = ("SELECT", "INSERT", "UPDATE", "DELETE")
# For a migration; MySQL wants one more for foreign keys.
_MIGRATING = ("CREATE", "ALTER", "INDEX", "CREATE VIEW")
_ALL = "ALL PRIVILEGES"

_NAME = r"(\*|`(?:[^`]|``)+`)"
_GRANT = re.compile(rf"(GRANT|REVOKE) (.+?) ON {_NAME}\.{_NAME} (?:TO|FROM) ")
_SWITCHES = ("read_only", "super_read_only", "innodb_read_only")
_VARIABLES = (
    *("version", "character_set_database", "character_set_connection", "max_allowed_packet"),
    *("sql_mode", "time_zone", "default_storage_engine", *_SWITCHES),
)


def examined(connection: Connection, newest: str) -> Iterator[Finding]:
    """Yield what is good and bad about the server, the session and the rights of its user."""
    names = ", ".join(f"'{name}'" for name in _VARIABLES)
    shown = connection.exec_driver_sql(f"SHOW SESSION VARIABLES WHERE Variable_name IN ({names})")
    variables = {str(name): str(value) for name, value in shown}
    mariadb = "mariadb" in variables["version"].lower()
    yield _version(variables["version"], mariadb=mariadb)
    yield from _session(variables)
    yield from _packets(variables)
    yield _writable(variables)
    yield from _engines(connection, variables)
    yield from _rights(connection, newest, mariadb=mariadb)


def _version(version: str, *, mariadb: bool) -> Finding:
    oldest = (10, 6) if mariadb else (8, 0)
    numbers = tuple(int(n) for n in re.findall(r"\d+", version)[:2])
    name, needed = "MariaDB" if mariadb else "MySQL", ".".join(map(str, oldest))
    return Finding.of(numbers >= oldest, f"{name} {version}, {needed} or newer is needed")


def _session(variables: Mapping[str, str]) -> Iterator[Finding]:
    spoken, default = variables["character_set_connection"], variables["character_set_database"]
    yield Finding.of(
        spoken == "utf8mb4",
        f"connections use {spoken}, tables are made as utf8mb4 (the database's own default: "
        f"{default})",
    )
    if "STRICT_ALL_TABLES" in variables["sql_mode"] and variables["time_zone"] == "+00:00":
        yield Finding("ok", "strict mode and UTC are on in repoledger's sessions, which set them")
    else:
        yield Finding(
            "fail",
            "strict mode or UTC is off though the session sets it: something in between drops "
            "it; connect to the server itself",
        )


def _packets(variables: Mapping[str, str]) -> Iterator[Finding]:
    packet = int(variables["max_allowed_packet"])
    if packet < _LARGEST_ROW:
        yield Finding(
            "warn",
            f"max_allowed_packet is {packet // 1024} KiB: larger rows are set aside as rejected; "
            "set it to 16M or more on the server",
        )


def _writable(variables: Mapping[str, str]) -> Finding:
    on = [name for name in _SWITCHES if variables.get(name, "OFF") not in ("OFF", "0", "")]
    if on:
        return Finding(
            "fail",
            f"the server can only be read ({' and '.join(on)} is on); name the primary in the URL, "
            "or switch that off",
        )
    return Finding("ok", "the server takes writes")


def _engines(connection: Connection, variables: Mapping[str, str]) -> Iterator[Finding]:
    tables = text(
        "SELECT table_name, engine FROM information_schema.tables "
        "WHERE table_schema = database() AND table_type = 'BASE TABLE'"
    )
    ours = {*metadata.tables, VERSION_TABLE}
    wrong = [
        name for name, engine in connection.execute(tables) if name in ours and engine != _INNODB
    ]
    if wrong:
        yield Finding(
            "fail",
            f"without transactions, since not InnoDB: {', '.join(sorted(wrong))}; "
            f"ALTER TABLE {min(wrong)} ENGINE = InnoDB, and so on",
        )
    elif variables["default_storage_engine"] != _INNODB:
        yield Finding("fail", "tables cannot be made as InnoDB; switch it on in the server")
    else:
        yield Finding("ok", "tables are InnoDB's")


_INNODB = "InnoDB"


class _Grants(NamedTuple):
    """What a user may: in the whole database, in single tables of it, and perhaps by a role."""

    everywhere: frozenset[str]
    tables: Mapping[str, frozenset[str]]
    by_role: bool

    def missing(self, needed: Sequence[str]) -> list[str]:
        """Return those of `needed` that are given neither in all nor in each of our tables."""
        names = (*metadata.tables, VERSION_TABLE)
        return [
            right
            for right in needed
            if not _has(self.everywhere, right)
            and not all(_has(self.tables.get(name, frozenset()), right) for name in names)
        ]


def _has(given: frozenset[str], right: str) -> bool:
    return right in given or _ALL in given


def _rights(connection: Connection, newest: str, *, mariadb: bool) -> Iterator[Finding]:
    database, user = connection.execute(text("SELECT database(), current_user()")).one()
    lines = [str(row[0]) for row in connection.exec_driver_sql("SHOW GRANTS")]
    grants = grants_of(lines, str(database))
    needed = [*_WRITING]
    # Only what may be read can be asked for its revision.
    if grants.missing(["SELECT"]) or _revision(connection) != newest:
        needed += [*_MIGRATING, *([] if mariadb else ["REFERENCES"])]
    missing = grants.missing(needed)
    name, _, host = str(user).rpartition("@")
    who = f"'{name}'@'{host}'"
    if not missing:
        yield Finding("ok", f"{who} has the rights that are needed on {database}")
        return
    yield Finding(
        "warn" if grants.by_role else "fail",
        f"{who} lacks rights{' unless by a role' if grants.by_role else ''}: "
        f"GRANT {', '.join(missing)} ON `{database}`.* TO {who}",
    )


def grants_of(lines: Sequence[str], database: str) -> _Grants:
    """Return what the lines of SHOW GRANTS say of a database."""
    everywhere: set[str] = set()
    tables: dict[str, frozenset[str]] = {}
    by_role = False
    for line in lines:
        match = _GRANT.match(line)
        if match is None:
            by_role = by_role or " ON " not in line
            continue
        verb, what, where, table = match.groups()
        if where != "*" and not _covers(_plain(where), database, pattern=table == "*"):
            continue
        # Rights on single columns are not enough.
        given = {right.strip() for right in re.sub(r"[A-Z ]+\([^)]*\)", "", what).split(",")}
        if table != "*":
            tables[_plain(table)] = tables.get(_plain(table), frozenset()) | given
        elif verb == "REVOKE":
            everywhere -= given
        else:
            everywhere |= given
    return _Grants(frozenset(everywhere), tables, by_role)


def _plain(quoted: str) -> str:
    return quoted[1:-1].replace("``", "`")


def _covers(name: str, database: str, *, pattern: bool) -> bool:
    """Tell whether a grant's database, which may be a pattern like LIKE's, is this one."""
    if not pattern:
        return name == database
    parts = {"%": ".*", "_": "."}
    found = re.findall(r"\\.|.", name)
    expression = "".join(parts.get(part) or re.escape(part.removeprefix("\\")) for part in found)
    return re.fullmatch(expression, database) is not None


def _revision(connection: Connection) -> Any:
    there = text(
        "SELECT count(*) FROM information_schema.tables "
        "WHERE table_schema = database() AND table_name = :name"
    )
    if not connection.execute(there, {"name": VERSION_TABLE}).scalar_one():
        return None
    return connection.exec_driver_sql(f"SELECT max(version_num) FROM {VERSION_TABLE}").scalar()  # noqa: S608  # our own name
