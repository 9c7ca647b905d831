"""Types for the fields of records, after GitHub's OpenAPI description.

An optional field that an answer leaves out is UNSET: unknown, as opposed to null.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct, UnsetType

Id = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
# A count that is added up over days or items: far above any true one, and a million of them are
# still a number that a database can hold.
Addend = Annotated[int, Meta(ge=0, le=2**42)]
# The lengths of the ledger's columns. GitHub limits names to 100 characters, logins to 39.
Name = Annotated[str, Meta(min_length=1, max_length=255)]
FullName = Annotated[str, Meta(min_length=1, max_length=511)]
Word = Annotated[str, Meta(max_length=64)]
Label = Annotated[str, Meta(max_length=255)]
Topics = Annotated[tuple[Label, ...], Meta(max_length=1000)]
Moment = Annotated[datetime, Meta(tz=True)]
Time = Moment | None | UnsetType
OptionalText = str | None | UnsetType
OptionalLabel = Label | None | UnsetType
OptionalFlag = bool | None | UnsetType
OptionalCount = Count | None | UnsetType


class Owner(Struct, frozen=True, kw_only=True):
    """The user or organization that owns a repository."""

    id: Id | None
    login: Name | None
    type: Word | None = None


class License(Struct, frozen=True, kw_only=True):
    """The licence that GitHub detected; `NOASSERTION` if it is none it knows."""

    spdx_id: Label | None = None
