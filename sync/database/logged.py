"""How `repository_changes` keeps values, and what kind of change a row of it is. No I/O here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from sync.clock import as_iso
from sync.database.kinds import Kind
from sync.database.tables import CONTENT, TEXTS, UtcDateTime, repositories

# Fields that are no columns of `repositories`. The new value of the first two is a document of
# all CONTENT fields, that of the third the name of an account.
CREATED, REDACTED, ACCOUNT = "created", "redacted", "account"

# How the name begins that a repository which turned private gets; its id follows, and "]".
REDACTED_NAME = "[redacted-"

_encoder = msgspec.json.Encoder()


def _json_as_text(value: Any) -> str:
    return _encoder.encode(value).decode()


# By type, since every value of every new repository is written.
_WRITERS: dict[type, Callable[[Any], str | None]] = defaultdict(
    lambda: _json_as_text,
    {
        str: str,
        bool: {False: "false", True: "true"}.__getitem__,
        datetime: as_iso,
        type(None): lambda _: None,
    },
)


# What an encoder writes as the text, or null, that `_WRITERS` make of it.
_AS_THEY_ARE = frozenset({str, datetime, type(None)})


def as_text(value: Any) -> str | None:
    """Return a value as `repository_changes` keeps it: text plain, times as ISO 8601, else JSON."""
    return _WRITERS[type(value)](value)


def document(values: Sequence[Any], fields: Sequence[str] = CONTENT) -> str:
    """Return values, in the order of `tables.FIELDS`, as one JSON object: field -> text or null.

    Times have to be in UTC.
    """
    texts = [
        value if type(value) in _AS_THEY_ARE else _WRITERS[type(value)](value)
        for value in values[: len(fields)]
    ]
    return _encoder.encode(dict(zip(fields, texts, strict=False))).decode()


def from_text(field: str, text: str | None) -> Any:
    """Return the value of a column of `repositories` that `as_text` made this text of."""
    return None if text is None else _READERS[field](text)


def kind_of(field: str, old_value: str | None, new_value: str | None) -> Kind:
    """Return what kind of change a row is; `filters.of_kind` says the same to a database."""
    if field in (CREATED, REDACTED):
        return Kind(field)
    if field == "name" and not (old_value or "").startswith(REDACTED_NAME):
        return Kind.renamed
    if field == ACCOUNT:
        return Kind.left if new_value is None else Kind.joined
    before, after = old_value is not None, new_value is not None
    if field == "owner_id" and before and after:
        return Kind.transferred
    if field == "removed_at" and before != after:
        return Kind.removed if after else Kind.restored
    return Kind.changed


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _reader(column_type: Any) -> Callable[[str], Any]:
    if isinstance(column_type, UtcDateTime):
        return _moment
    return str if isinstance(column_type, TEXTS) else msgspec.json.decode


_READERS = {column.name: _reader(column.type) for column in repositories.columns}
