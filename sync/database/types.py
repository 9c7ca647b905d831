"""Column types that differ by database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, String, Text, TypeDecorator

# A database's own types are imported for that database alone, since the import is slow.
_MYSQL = ("mysql", "mariadb")


class LongText(TypeDecorator[str]):
    """A text that may be longer than the 64 kB of MySQL's TEXT."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        if dialect.name not in _MYSQL:
            return Text()
        from sqlalchemy.dialects.mysql import LONGTEXT

        return LONGTEXT()


class Document(TypeDecorator[Any]):
    """A JSON value."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        if dialect.name != "postgresql":
            return JSON()
        from sqlalchemy.dialects.postgresql import JSONB

        return JSONB()


class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC with microseconds; timezone-aware in Python on every database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        if dialect.name not in _MYSQL:
            return dialect.type_descriptor(DateTime(timezone=True))
        from sqlalchemy.dialects.mysql import DATETIME

        return dialect.type_descriptor(DATETIME(fsp=6))  # without a number, whole seconds

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # the signature is SQLAlchemy's
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # the signature is SQLAlchemy's
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


TEXTS = (String, LongText)
