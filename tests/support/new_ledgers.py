"""Ledgers without rows, copied from one that was migrated: quicker than to migrate each."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import URL, Connection, NullPool, create_engine, make_url

from sync.database import migrate
from sync.database.dialects import VERSION_TABLE
from tests.support.servers import databases, server


class NewLedgers:
    """Makes ledgers. The one of each kind of database that is copied is kept until `close`."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._models: dict[str, URL] = {}

    def close(self) -> None:
        self._stack.close()

    def make(self, url: str) -> None:
        """Make an empty database, or a SQLite file that is not there yet, a ledger."""
        target = make_url(url)
        kind = target.get_backend_name()
        if kind not in self._models:
            self._models[kind] = self._migrated(kind)
        {"sqlite": _copy_file, "postgresql": _copy_database, "mysql": _copy_tables}[kind](
            self._models[kind], target
        )

    def _migrated(self, kind: str) -> URL:
        folder = self._stack.enter_context(tempfile.TemporaryDirectory())
        url = self._stack.enter_context(databases(kind, Path(folder)))()
        migrate.upgrade(url)
        return make_url(url)


def _copy_file(model: URL, target: URL) -> None:
    shutil.copyfile(str(model.database), str(target.database))


def _copy_database(model: URL, target: URL) -> None:
    with _connected(server("postgresql")) as connection:
        connection.exec_driver_sql(f"DROP DATABASE {target.database}")
        connection.exec_driver_sql(f"CREATE DATABASE {target.database} TEMPLATE {model.database}")


def _copy_tables(model: URL, target: URL) -> None:
    with _connected(target) as connection:
        connection.exec_driver_sql("SET foreign_key_checks = 0")
        source = f"`{model.database}`."
        names = connection.exec_driver_sql(
            "SELECT table_name, table_type FROM information_schema.tables"
            f" WHERE table_schema = '{model.database}' ORDER BY table_type"  # views are last
        )
        for name, type_ in names.all():
            kind = "VIEW" if type_ == "VIEW" else "TABLE"
            made = connection.exec_driver_sql(f"SHOW CREATE {kind} {source}`{name}`").one()
            statement = made[1].replace(source, f"`{target.database}`.")
            connection.exec_driver_sql(statement.replace("%", "%%"))
        connection.exec_driver_sql(
            f"INSERT INTO {VERSION_TABLE} SELECT * FROM {source}{VERSION_TABLE}"
        )


def _connected(url: URL) -> Connection:
    return create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool).connect()
