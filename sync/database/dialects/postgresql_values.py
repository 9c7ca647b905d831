"""Values of PostgreSQL that Python cannot represent, as the server's text."""

from __future__ import annotations

from typing import Any

from psycopg import DataError
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format

from sync.database.figures import Figure

# Types with values such as infinity, years outside of 1 to 9999, 24:00, or numbers of thousands of
# digits in JSON. Their arrays and ranges use the same loaders.
_TYPES = ("date", "time", "timetz", "timestamp", "timestamptz", "inet", "cidr")
_DOCUMENTS = ("json", "jsonb")
# Types without an equivalent: intervals with months, amounts of money.
_WRITTEN = ("interval", "money")


def take_any_value(connection: Any) -> None:
    """Make a connection return values that Python cannot represent as text."""
    adapters = connection.adapters
    for names, kind in ((_TYPES, Figure), (_DOCUMENTS, str)):
        for name in names:
            usual = adapters.get_loader(adapters.types[name].oid, Format.TEXT)
            adapters.register_loader(name, _or_text(usual, kind))
    for name in _WRITTEN:
        adapters.register_loader(name, _FigureLoader)


class _FigureLoader(Loader):
    def load(self, data: Buffer) -> Figure:
        return Figure(bytes(data).decode())


def _or_text(usual: type[Any], kind: type[str]) -> type[Loader]:
    class ValueOrText(Loader):
        def __init__(self, oid: int, context: Any = None) -> None:
            super().__init__(oid, context)
            self._usual = usual(oid, context)

        def load(self, data: Buffer) -> Any:
            try:
                return self._usual.load(data)
            except (DataError, ValueError, OverflowError, RecursionError):
                return kind(bytes(data).decode())

    return ValueOrText
