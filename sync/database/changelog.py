"""The values in `repository_changes` as text, and the kind of each row. No I/O here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from sync.core.clock import as_iso
from sync.database.change_kinds import Kind
from sync.database.tables import CONTENT, repositories
from sync.database.types import TEXTS, UtcDateTime

# Fields of the log that are not columns of `repositories`. The new value of the first two is a
# JSON object of all CONTENT fields, that of the third the name of an account.
CREATED, REDACTED, ACCOUNT = "created", "redacted", "account"

# The beginning of a redacted name; the repository's id and "]" follow.
REDACTED_NAME = "[redacted-"


def redacted_name(id_: int) -> str:
    """Return the name that the repository `id_` gets when it is redacted."""
    return f"{REDACTED_NAME}{id_}]"


_encoder = msgspec.json.Encoder()


def _json_as_text(value: Any) -> str:
    return _encoder.encode(value).decode()


# By type, for speed: every value of a new repository is written.
_WRITERS: dict[type, Callable[[Any], str | None]] = defaultdict(
    lambda: _json_as_text,
    {
        str: str,
        bool: {False: "false", True: "true"}.__getitem__,
        datetime: as_iso,
        type(None): lambda _: None,
    },
)


# Types that the JSON encoder writes in the same way as `_WRITERS`.
_AS_THEY_ARE = frozenset({str, datetime, type(None)})


def as_text(value: Any) -> str | None:
    """Return a value as text for `repository_changes`: plain text, ISO 8601 times, or JSON."""
    return _WRITERS[type(value)](value)


def document(values: Sequence[Any], fields: Sequence[str] = CONTENT) -> str:
    """Return values in the order of `tables.FIELDS` as a JSON object: field -> text or null.

    Times must be in UTC.
    """
    texts = [
        value if type(value) in _AS_THEY_ARE else _WRITERS[type(value)](value)
        for value in values[: len(fields)]
    ]
    return _encoder.encode(dict(zip(fields, texts, strict=False))).decode()


def from_text(field: str, text: str | None) -> Any:
    """Return the value of a column of `repositories` from its text: the inverse of `as_text`."""
    return None if text is None else _READERS[field](text)


def kind_of(field: str, old_value: str | None, new_value: str | None) -> Kind:
    """Return the kind of a change; `filters.of_kind` is the same in SQL."""
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
