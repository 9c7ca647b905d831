"""A ledger written by hand, as the change log promises to be written, to ask for its past."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, insert, select, update

from sync.database.changelog import as_text
from sync.database.tables import (
    CONTENT,
    COUNTERS,
    account_repositories,
    repositories,
    repository_changes,
    repository_metrics,
)
from tests.support.database import HOST, START, users_engine

Fields = dict[str, Any]


class Logbook:
    """Writes at `now`, which moves on by a minute with each entry."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.now = START

    def add(
        self, id_: int = 1, host: str = HOST, account: str | None = "me", **fields: Any
    ) -> None:
        """Store a repository for the first time, as one that `account` lists."""
        values = {"name": "one", "full_name": "octo/one", **fields}
        times = {"first_seen_at": self.now, "changed_at": self.now}
        row = {"host": host, "id": id_, "content_hash": "", **times, **values}
        self._write(insert(repositories).values(row))
        document = as_text({name: as_text(value) for name, value in values.items()})
        self.log("created", None, document, id_, host)
        self._count(id_, host, {name: values.get(name) for name in COUNTERS})
        if account is not None:
            member = {"account": account, "host": host, "repository_id": id_}
            self._write(insert(account_repositories).values(first_seen_at=self.now, **member))
        self.now += timedelta(minutes=1)

    def change(self, id_: int = 1, host: str = HOST, **fields: Any) -> None:
        """Change fields of a repository, all at once."""
        before = self.stored(id_, host)
        for name, value in fields.items():
            if name not in COUNTERS:
                self.log(name, as_text(before[name]), as_text(value), id_, host)
        if any(name in COUNTERS for name in fields):
            self._count(id_, host, {name: fields.get(name, before[name]) for name in COUNTERS})
        mine = and_(repositories.c.host == host, repositories.c.id == id_)
        self._write(update(repositories).where(mine).values(changed_at=self.now, **fields))
        self.now += timedelta(minutes=1)

    def redact(self, id_: int = 1, host: str = HOST) -> None:
        """Blank what is known of a repository, in its row and in its log."""
        names = {"name": "[redacted]", "full_name": "octo/[redacted]"}
        kept = ("id", "owner_id", "owner_login", "fork")
        blank = {name: names.get(name) for name in CONTENT if name not in kept}
        log, mine = repository_changes, (repositories.c.host == host, repositories.c.id == id_)
        self._write(
            update(log)
            .where(log.c.host == host, log.c.repository_id == id_, log.c.field.in_(blank))
            .values(old_value=None, new_value=None)
        )
        created = (log.c.host == host, log.c.repository_id == id_, log.c.field == "created")
        document = self.connection.execute(select(log.c.new_value).where(*created)).scalar_one()
        kept_of_it = {name: v for name, v in json.loads(document).items() if name not in blank}
        self._write(update(log).where(*created).values(new_value=as_text(kept_of_it)))
        self._write(update(repositories).where(*mine).values(blank))
        stored = self.stored(id_, host)
        document = as_text({name: as_text(stored[name]) for name in CONTENT})
        self.log("redacted", None, document, id_, host)
        self.now += timedelta(minutes=1)

    def lists(self, account: str, *, id_: int = 1, host: str = HOST, logged: bool = True) -> None:
        """Have an account begin to list a repository that is known, for the first time or again.

        Without `logged`, as versions did it that did not tell.
        """
        member = account_repositories
        key = {"account": account, "host": host, "repository_id": id_}
        again = update(member).where(*(member.c[k] == v for k, v in key.items()))
        if self.connection.execute(again.values(gone_at=None)).rowcount == 0:
            self._write(insert(member).values(first_seen_at=self.now, **key))
        if logged:
            self.log("account", None, account, id_, host)
        self.now += timedelta(minutes=1)

    def lists_no_more(self, account: str, *, id_: int = 1, host: str = HOST) -> None:
        member = account_repositories.c
        mine = (member.account == account, member.host == host, member.repository_id == id_)
        self._write(update(account_repositories).where(*mine).values(gone_at=self.now))
        self.log("account", account, None, id_, host)
        self.now += timedelta(minutes=1)

    def log(
        self, field: str, old: str | None, new: str | None, id_: int = 1, host: str = HOST
    ) -> None:
        """Write a row of the change log, and nothing else."""
        what = {"field": field, "old_value": old, "new_value": new}
        of = {"host": host, "repository_id": id_, "run_id": 1, "observed_at": self.now}
        self._write(insert(repository_changes).values(**of, **what))

    def stored(self, id_: int = 1, host: str = HOST) -> Fields:
        """Return a repository as it is stored."""
        mine = and_(repositories.c.host == host, repositories.c.id == id_)
        return dict(self.connection.execute(select(repositories).where(mine)).one()._mapping)

    def _count(self, id_: int, host: str, counters: Fields) -> None:
        table = repository_metrics
        key = {"host": host, "repository_id": id_, "day": self.now.date()}
        same_day = update(table).where(*(table.c[k] == v for k, v in key.items())).values(counters)
        if self.connection.execute(same_day).rowcount == 0:
            self._write(insert(table).values(**key, **counters))

    def _write(self, statement: Any) -> None:
        self.connection.execute(statement)


@contextmanager
def logbook(url: str) -> Iterator[Logbook]:
    """Yield a logbook of the ledger at `url`; others see each entry at once."""
    with (
        users_engine(url) as engine,
        engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
    ):
        yield Logbook(connection)


def before(moment: datetime) -> datetime:
    return moment - timedelta(microseconds=1)
