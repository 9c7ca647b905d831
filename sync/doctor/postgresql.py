"""The checks of a PostgreSQL server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from sync.database import migrate
from sync.database.dialects import VERSION_TABLE, Dialect
from sync.database.tables import metadata
from sync.doctor.check_list import Finding, fail, ok, ok_if, warn
from sync.doctor.server import NEEDED_CONNECTIONS, TABLES, connection_to

OLDEST = 14  # the major version

_SERVER = """
    SELECT current_setting('server_version_num')::int / 10000 AS version,
        quote_ident(current_user) AS role,
        quote_ident(current_schema()) AS schema,
        has_schema_privilege(current_schema(), 'CREATE') AS may_create,
        pg_is_in_recovery() AS standby,
        current_setting('transaction_read_only') = 'on' AS read_only,
        current_setting('lock_timeout') = '1min' AS set,
        pg_backend_pid() AS process,
        (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS connections
"""
# A sequence, which numbers a table's rows, needs one right; a view needs none.
_RELATIONS = """
    SELECT c.relname AS name, pg_has_role(c.relowner, 'USAGE') AS owned,
        CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, 'USAGE')
        ELSE has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
            AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE')
        END AS may_write
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'S')
        AND c.relname = ANY (:names)
    ORDER BY c.relname
"""


class Session(NamedTuple):
    """A session with a run's settings, and the result of _SERVER in it."""

    connection: Connection
    server: Any


@contextmanager
def connected(dialect: Dialect) -> Iterator[Session]:
    """Connect to the server with a run's settings. Raises DatabaseError."""
    with connection_to(dialect) as connection:
        yield Session(connection, connection.execute(text(_SERVER)).one())


def check_version(session: Session) -> Iterator[Finding]:
    """Compare the server's version with the oldest supported one."""
    version = session.server.version
    yield ok_if(version >= OLDEST, f"PostgreSQL {version}, {OLDEST} or newer is needed")


def check_encoding(session: Session) -> Iterator[Finding]:
    """Check that the database can store every text."""
    # Imported here: the driver is not installed for SQLite alone.
    from sync.database.dialects.postgresql import flaw_of_encoding

    flaw = flaw_of_encoding(session.connection)
    yield ok_if(flaw is None, flaw or "the database's encoding is UTF8")


def check_pooler(session: Session) -> Iterator[Finding]:
    """Look for a connection pooler, which may drop the session's settings or locks."""
    driver: Any = session.connection.connection.driver_connection
    if not session.server.set:
        yield fail(
            "the session's settings have no effect: a pooler in between, such as PgBouncer, drops "
            "them; connect to the server itself"
        )
    # A pooler tells its clients a process id of its own.
    elif driver.info.backend_pid != session.server.process:
        yield warn(
            "a pooler stands in between; in transaction mode, locks do not keep two runs apart: "
            "connect to the server itself, or pool by session"
        )
    else:
        yield ok("no pooler in between, the session's settings have taken effect")


def check_writable(session: Session) -> Iterator[Finding]:
    """Check that neither the server nor the role's default is read-only."""
    if session.server.standby:
        yield fail("the server is a standby, which is read-only; name the primary in the URL")
    elif session.server.read_only:
        yield fail(
            "transactions are read-only by default: "
            f"ALTER ROLE {session.server.role} SET default_transaction_read_only = off"
        )
    else:
        yield ok("the server accepts writes")


def check_connections(session: Session) -> Iterator[Finding]:
    """Compare the role's limit of connections with a run's need."""
    role, limit = session.server.role, session.server.connections
    if 0 <= limit < NEEDED_CONNECTIONS:
        yield fail(
            f"{role}'s limit of connections is {limit}, a run needs "
            f"{NEEDED_CONNECTIONS} at a time: ALTER ROLE {role} CONNECTION LIMIT -1"
        )


def check_rights(session: Session) -> Iterator[Finding]:
    """Check that the role may read, write and, if a migration is due, migrate."""
    connection, server = session
    role, schema = server.role, server.schema
    if schema is None:
        yield fail(
            f"there is no schema that {role} may use: GRANT USAGE, CREATE ON SCHEMA public "
            f"TO {role}, or set the role's search_path"
        )
        return
    names = [*TABLES, *(f"{name}_id_seq" for name in metadata.tables)]
    found = connection.execute(text(_RELATIONS), {"names": names}).all()
    revision = None
    if any(relation.name == VERSION_TABLE for relation in found):
        refused = [relation.name for relation in found if not relation.may_write]
        if refused:
            yield fail(
                f"{role} may not read and write {', '.join(refused)}: GRANT SELECT, INSERT, "
                f"UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}, and GRANT USAGE "
                f"ON ALL SEQUENCES IN SCHEMA {schema} TO {role}"
            )
            return
        newest_row = f"SELECT max(version_num) FROM {schema}.{VERSION_TABLE}"  # noqa: S608  # our own name
        revision = connection.exec_driver_sql(newest_row).scalar()
    if revision != migrate.revisions()[-1]:
        yield from _may_migrate(server, [r.name for r in found if not r.owned])
    else:
        yield ok(f"{role} may read and write the tables in the schema {schema}")


CHECKS = (
    *(check_version, check_encoding, check_pooler),
    *(check_writable, check_connections, check_rights),
)


def _may_migrate(server: Any, others: list[str]) -> Iterator[Finding]:
    role, schema = server.role, server.schema
    if others:
        yield fail(
            f"{role} does not own {', '.join(others)}, so cannot migrate them: run `repoledger "
            "migrate` as their owner, or give this user the owner's role"
        )
    if server.may_create:
        yield ok(f"{role} may create tables in the schema {schema}")
    else:
        yield fail(
            f"{role} may not create tables in the schema {schema}: "
            f"GRANT USAGE, CREATE ON SCHEMA {schema} TO {role}"
        )
