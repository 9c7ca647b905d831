"""What `repoledger check` asks of a PostgreSQL server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, text

from sync.database.dialects.base import VERSION_TABLE
from sync.database.tables import metadata
from sync.finding import Finding

OLDEST = 14  # the major version

_SERVER = """
    SELECT current_setting('server_version_num')::int / 10000 AS version,
        quote_ident(current_user) AS role,
        quote_ident(current_schema()) AS schema,
        has_schema_privilege(current_schema(), 'CREATE') AS may_create,
        pg_is_in_recovery() AS standby,
        current_setting('transaction_read_only') = 'on' AS read_only,
        current_setting('lock_timeout') = '1min' AND current_setting('TimeZone') = 'UTC' AS set,
        pg_backend_pid() AS process
"""
# A sequence, which numbers a table's rows, has one right that counts, a view none.
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


def examined(connection: Connection, newest: str) -> Iterator[Finding]:
    """Yield what is good and bad about the server, the session and the rights of its user."""
    server = connection.execute(text(_SERVER)).one()
    yield Finding.of(
        server.version >= OLDEST, f"PostgreSQL {server.version}, {OLDEST} or newer is needed"
    )
    flaw = flaw_of_encoding(connection)
    yield Finding.of(flaw is None, flaw or "the database's encoding is UTF8")
    yield from _pooler(connection, server)
    yield _writable(server)
    yield from _rights(connection, server, newest)


def flaw_of_encoding(connection: Connection) -> str | None:
    """Return what is wrong with the encoding of a database; None if nothing is."""
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    if encoding == "UTF8":
        return None
    return (
        f"the database's encoding is {encoding}, UTF8 is needed; make another with "
        "CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0"
    )


def _pooler(connection: Connection, server: Any) -> Iterator[Finding]:
    if not server.set:
        yield Finding(
            "fail",
            "the session's settings have no effect: something in between drops them, such as "
            "PgBouncer; connect to the server itself",
        )
    # A pooler makes up the number that it tells its clients.
    elif connection.connection.driver_connection.info.backend_pid != server.process:  # type: ignore[union-attr]  # psycopg's
        yield Finding(
            "warn",
            "a pooler stands in between; in transaction mode the locks that keep two runs apart "
            "do not hold: connect to the server itself, or pool by session",
        )
    else:
        yield Finding("ok", "no pooler in between, the session's settings have taken effect")


def _writable(server: Any) -> Finding:
    if server.standby:
        return Finding(
            "fail", "the server is a standby, which can only be read; name the primary in the URL"
        )
    if server.read_only:
        return Finding(
            "fail",
            "transactions are read-only by default: "
            f"ALTER ROLE {server.role} SET default_transaction_read_only = off",
        )
    return Finding("ok", "the server takes writes")


def _rights(connection: Connection, server: Any, newest: str) -> Iterator[Finding]:
    role, schema = server.role, server.schema
    if schema is None:
        yield Finding(
            "fail",
            f"there is no schema that {role} may use: GRANT USAGE, CREATE ON SCHEMA public "
            f"TO {role}, or set the role's search_path",
        )
        return
    names = [*metadata.tables, VERSION_TABLE]
    names += [f"{name}_id_seq" for name in metadata.tables]
    found = connection.execute(text(_RELATIONS), {"names": names}).all()
    revision = None
    if any(relation.name == VERSION_TABLE for relation in found):
        refused = [relation.name for relation in found if not relation.may_write]
        if refused:
            yield Finding(
                "fail",
                f"{role} may not read and write {', '.join(refused)}: GRANT SELECT, INSERT, "
                f"UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}, and GRANT USAGE "
                f"ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
            )
            return
        newest_row = f"SELECT max(version_num) FROM {schema}.{VERSION_TABLE}"  # noqa: S608  # our own name
        revision = connection.exec_driver_sql(newest_row).scalar()
    if revision != newest:
        yield from _may_migrate(server, [r.name for r in found if not r.owned])
    else:
        yield Finding("ok", f"{role} may read and write the tables in the schema {schema}")


def _may_migrate(server: Any, others: list[str]) -> Iterator[Finding]:
    role, schema = server.role, server.schema
    if others:
        yield Finding(
            "fail",
            f"{role} does not own {', '.join(others)}, so cannot migrate them: run `repoledger "
            "migrate` as their owner, or give this user the owner's role",
        )
    if server.may_create:
        yield Finding("ok", f"{role} may make tables in the schema {schema}")
    else:
        yield Finding(
            "fail",
            f"{role} may not make tables in the schema {schema}: "
            f"GRANT USAGE, CREATE ON SCHEMA {schema} TO {role}",
        )
