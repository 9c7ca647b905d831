"""Copies of a whole ledger, made quickly, on each kind of database."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from sqlalchemy import NullPool, create_engine, make_url, text

from sync.database import migrate
from sync.database.tables import metadata
from tests.support.database import execute
from tests.support.servers import databases, server


class Copies(NamedTuple):
    """Makes ledgers: a new one, a copy of another. `discard` is for what is not used any more."""

    new: Callable[[], str]
    copy: Callable[[str], str]
    discard: Callable[[str], None]


@contextmanager
def copies(kind: str, folder: Path) -> Iterator[Copies]:
    with databases(kind, folder) as make, ExitStack() as stack:

        def new() -> str:
            url = make()
            migrate.upgrade(url)
            return url

        if kind == "sqlite":
            yield Copies(new, lambda url: _copied_file(url, make()), _remove_file)
        elif kind == "postgresql":
            yield _of_postgresql(new, stack)
        else:
            yield _of_mysql(new)


def _copied_file(url: str, to: str) -> str:
    source = _file(url)
    assert not Path(f"{source}-wal").exists(), "somebody has it open"
    shutil.copyfile(source, _file(to))
    return to


def _remove_file(url: str) -> None:
    file = _file(url)
    for each in file.parent.glob(f"{file.name}*"):
        each.unlink()


def _file(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def _of_postgresql(new: Callable[[], str], stack: ExitStack) -> Copies:
    engine = create_engine(server("postgresql"), isolation_level="AUTOCOMMIT", poolclass=NullPool)
    stack.callback(engine.dispose)

    def command(words: str) -> None:
        with engine.connect() as connection:
            connection.execute(text(words))

    def copy(url: str) -> str:
        name = f"t{uuid4().hex}"
        command(f"CREATE DATABASE {name} TEMPLATE {make_url(url).database}")
        stack.callback(command, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        return make_url(url).set(database=name).render_as_string(hide_password=False)

    def discard(url: str) -> None:
        command(f"DROP DATABASE IF EXISTS {make_url(url).database} WITH (FORCE)")

    return Copies(new, copy, discard)


def _of_mysql(new: Callable[[], str]) -> Copies:
    # To make the tables anew would take longer than all the rest.
    free: list[str] = []

    def copy(url: str) -> str:
        target, source = free.pop() if free else new(), make_url(url).database
        statements = ["SET SESSION foreign_key_checks = 0"]
        for name in metadata.tables:
            statements += [
                f"DELETE FROM {name}",
                f"INSERT INTO {name} SELECT * FROM {source}.{name}",
            ]
        execute(target, *statements)
        return target

    return Copies(new, copy, free.append)
