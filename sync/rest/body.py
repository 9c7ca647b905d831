"""Request bodies that can be sent more than once. No I/O here except reading the given streams."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from requests.utils import guess_filename


def repeatable(data: Any) -> Any:
    """Return `data`; a stream is read into memory, since a second attempt would find it empty."""
    if hasattr(data, "read"):
        return data.read()
    return b"".join(data) if isinstance(data, Iterator) else data


def repeatable_files(files: Any) -> Any:
    """Return `files`, as `requests.request` takes them, with their contents read."""
    if not files:
        return files
    pairs = files.items() if isinstance(files, Mapping) else files
    return [(field, _read(field, value)) for field, value in pairs]


def _read(field: str, value: Any) -> tuple[Any, ...]:
    if isinstance(value, (tuple, list)):
        name, content, *rest = value
        return (name, repeatable(content), *rest)
    name = guess_filename(value) or field  # type: ignore[no-untyped-call]  # not in the stubs
    return (name, repeatable(value))
