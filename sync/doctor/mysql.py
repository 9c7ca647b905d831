"""The checks of a MySQL or MariaDB server."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from sync.database import migrate
from sync.database.dialects import VERSION_TABLE, Dialect
from sync.database.failures import reason_of
from sync.database.tables import metadata
from sync.doctor.check_list import Finding, fail, ok, ok_if, warn
from sync.doctor.server import NEEDED_CONNECTIONS, TABLES, connection_to

_LARGEST_ROW = 16 * 1024 * 1024  # bytes that a statement should be able to hold
_INNODB = "InnoDB"
_SWITCHES = ("read_only", "super_read_only", "innodb_read_only")
_BY_DEFAULT = ("transaction_read_only", "tx_read_only")  # MariaDB has known both since 11.1
_HOURLY = re.compile(r"MAX_(?:QUERIES|UPDATES|CONNECTIONS)_PER_HOUR [1-9]\d*")
_VARIABLES = (
    *("version", "character_set_database", "character_set_connection", "max_allowed_packet"),
    *("sql_mode", "time_zone", "default_storage_engine", *_SWITCHES),
    *("max_user_connections", *_BY_DEFAULT),
)
# Statements of a run, by the right that each requires. None of them matches a row.
_WRITING = {
    "SELECT": "SELECT {columns} FROM {table} WHERE 1 = 0",
    "INSERT": "INSERT INTO {table} ({columns}) SELECT {nulls} FROM DUAL WHERE 1 = 0",
    "UPDATE": "UPDATE {table} SET {column} = NULL WHERE 1 = 0",
    "DELETE": "DELETE FROM {table} WHERE 1 = 0",
}
# Statements of a migration, by right. The server commits DDL at once, so each contains an error,
# a missing table or two columns of one name, which the server reports after it has checked the
# right.
_MIGRATING = {
    "CREATE": "CREATE TABLE repoledger_check (x INT, x INT)",
    "ALTER": "ALTER TABLE repoledger_check ADD x INT",
    "INDEX": "CREATE INDEX x ON repoledger_check (x)",
    "CREATE VIEW": "CREATE VIEW repoledger_check AS SELECT 1 AS x, 1 AS x",
}
# MySQL requires one more right for foreign keys.
_REFERRING = {
    "REFERENCES": "CREATE TABLE repoledger_check "
    "(x INT, x INT, FOREIGN KEY (x) REFERENCES accounts (x))"
}
_DENIED = (1142, 1143)  # error codes: no right on a table, on a column
# Error codes: no such table, a column that an older ledger lacks, two columns of one name.
_EXPECTED = (1146, 1054, 1060)


class Session(NamedTuple):
    """A session with a run's settings, and the server's variables in it."""

    connection: Connection
    variables: Mapping[str, str]

    @property
    def mariadb(self) -> bool:
        return "mariadb" in self.variables["version"].lower()

    @property
    def read_only(self) -> str | None:
        """Why nothing can be written, and the remedy; None if the server accepts writes."""
        on = [n for n in _SWITCHES if self.variables.get(n, "OFF") not in ("OFF", "0", "")]
        if on:
            return (
                f"the server is read-only ({' and '.join(on)} is on); name the primary in the "
                "URL, or switch that off"
            )
        default = next((name for name in _BY_DEFAULT if self.variables.get(name) == "ON"), None)
        return default and f"transactions are read-only by default: SET GLOBAL {default} = OFF"


@contextmanager
def connected(dialect: Dialect) -> Iterator[Session]:
    """Connect to the server with a run's settings. Raises DatabaseError."""
    names = ", ".join(f"'{name}'" for name in _VARIABLES)
    with connection_to(dialect) as connection:
        shown = connection.exec_driver_sql(
            f"SHOW SESSION VARIABLES WHERE Variable_name IN ({names})"
        )
        yield Session(connection, {str(name): str(value) for name, value in shown})


def check_version(session: Session) -> Iterator[Finding]:
    """Compare the server's version with the oldest supported one."""
    version = session.variables["version"]
    oldest = (10, 6) if session.mariadb else (8, 0)
    numbers = tuple(int(n) for n in re.findall(r"\d+", version)[:2])
    name, needed = "MariaDB" if session.mariadb else "MySQL", ".".join(map(str, oldest))
    yield ok_if(numbers >= oldest, f"{name} {version}, {needed} or newer is needed")


def check_session(session: Session) -> Iterator[Finding]:
    """Check that the session's settings have taken effect."""
    variables = session.variables
    spoken, default = variables["character_set_connection"], variables["character_set_database"]
    yield ok_if(
        spoken == "utf8mb4",
        f"connections use {spoken}, tables are created with utf8mb4 (the database's own default: "
        f"{default})",
    )
    if "STRICT_ALL_TABLES" in variables["sql_mode"] and variables["time_zone"] == "+00:00":
        yield ok("strict mode and UTC are on in repoledger's sessions, which set them")
    else:
        yield fail(
            "strict mode or UTC is off though the session sets it: a proxy in between drops the "
            "setting; connect to the server itself"
        )


def check_packets(session: Session) -> Iterator[Finding]:
    """Warn of a limit on statements that a large row would exceed."""
    packet = int(session.variables["max_allowed_packet"])
    if packet < _LARGEST_ROW:
        yield warn(
            f"max_allowed_packet is {packet // 1024} KiB: larger rows are rejected; "
            "set it to 16M or more on the server"
        )


def check_writable(session: Session) -> Iterator[Finding]:
    """Check that neither the server nor the default of transactions is read-only."""
    reason = session.read_only
    yield ok_if(reason is None, reason or "the server accepts writes")


def check_limits(session: Session) -> Iterator[Finding]:
    """Report limits that a session cannot lift."""
    connections = int(session.variables["max_user_connections"])
    if 0 < connections < NEEDED_CONNECTIONS:
        yield fail(
            f"the user's limit of connections (max_user_connections) is {connections}, a run needs "
            f"{NEEDED_CONNECTIONS} at a time"
        )
    user = session.connection.exec_driver_sql("SHOW CREATE USER CURRENT_USER()").scalar_one()
    for limit in _HOURLY.findall(str(user)):
        yield warn(
            f"the user has a limit of {limit}: a run needs a dozen statements for each page of a "
            "hundred repositories; set it to 0 for no limit"
        )


def check_engines(session: Session) -> Iterator[Finding]:
    """Check that all tables support transactions."""
    tables = text(
        "SELECT table_name, engine FROM information_schema.tables "
        "WHERE table_schema = database() AND table_type = 'BASE TABLE'"
    )
    found = session.connection.execute(tables)
    wrong = [name for name, engine in found if name in TABLES and engine != _INNODB]
    if wrong:
        yield fail(
            f"tables without transactions, since not InnoDB: {', '.join(sorted(wrong))}; "
            f"for each, run ALTER TABLE {min(wrong)} ENGINE = InnoDB"
        )
    elif session.variables["default_storage_engine"] != _INNODB:
        yield fail("tables cannot use InnoDB; switch it on in the server")
    else:
        yield ok("tables use InnoDB")


def check_rights(session: Session) -> Iterator[Finding]:
    """Try each statement of a run and, if one is due, of a migration."""
    if session.read_only is not None:
        return
    refused: dict[str, str] = {}  # rights that are lacking -> the server's words
    for table in TABLES:
        names = metadata.tables[table].c.keys() if table in metadata.tables else ["version_num"]
        columns, nulls = (f"`{name}`" for name in names), ("NULL" for _ in names)
        blanks = {"columns": ", ".join(columns), "nulls": ", ".join(nulls), "column": names[0]}
        for right, statement in _WRITING.items():
            _try(session.connection, right, statement.format(table=table, **blanks), refused)
    if "SELECT" in refused or _revision(session.connection) != migrate.revisions()[-1]:
        migrating = _MIGRATING if session.mariadb else _MIGRATING | _REFERRING
        for right, statement in migrating.items():
            _try(session.connection, right, statement, refused)
    ask = "SELECT database(), current_user()"
    database, user = session.connection.exec_driver_sql(ask).one()
    name, _, host = str(user).rpartition("@")
    who = f"'{name}'@'{host}'"
    if not refused:
        yield ok(f"{who} has the necessary rights on {database}")
    else:
        first = next(iter(refused.values()))
        grant = f"GRANT {', '.join(refused)} ON `{database}`.* TO {who}"
        yield fail(f"{first}: {grant}")


CHECKS = (
    *(check_version, check_session, check_packets, check_writable),
    *(check_limits, check_engines, check_rights),
)


def _try(connection: Connection, right: str, statement: str, refused: dict[str, str]) -> None:
    try:
        connection.exec_driver_sql(statement)
    except DBAPIError as error:
        code = error.orig.args[0] if error.orig is not None else None
        if code in _DENIED:
            refused.setdefault(right, reason_of(error))
        elif code not in _EXPECTED:
            raise


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.exec_driver_sql(migrate.READ_VERSION).scalar()
