"""A forge's JSON objects decoded into frozen records, strictly. No I/O here."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from hashlib import blake2b
from typing import Annotated, Any, NamedTuple, TypeVar

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType, inspect
from msgspec.structs import force_setattr

from sync import __version__
from sync.forges.oddities import LeftOut, records_in, without_oddities
from sync.forges.secret_fields import SecretFields
from sync.resources.columns import columns_of
from sync.resources.fields import FullName, Id, License, Name, Owner, Word
from sync.resources.repositories import REPOSITORIES, Repository
from sync.resources.resource import Resource

T = TypeVar("T")


class User(Struct, frozen=True, kw_only=True):
    """A user or organization.

    https://docs.github.com/rest/users/users#get-a-user
    """

    id: Id
    login: Name
    type: Word | None = None
    name: str | None = None
    public_repos: int | None = None


class Item(Struct, frozen=True):
    """One repository of an answer: the record, and the JSON object it came from.

    `payload` is the object as received, without credentials, as JSON text; None
    if it is larger than LARGEST. `warnings` names the values that were replaced or
    dropped. `position` counts from 0 within its page. `push`: whether the user of the token may
    push; None if the object does not say it.
    """

    record: Repository
    payload: str | None
    warnings: tuple[str, ...] = ()
    position: int = 0
    push: bool | None = None


class Rejected(Struct, frozen=True):
    """An item that is not a valid repository: its position, the reason, and its JSON.

    `position` counts from 0 within its page. `id`, `private` and `full_name` are read from
    the item, and None where that fails.
    """

    position: int
    reason: str
    payload: str | None
    id: int | None = None
    private: bool | None = None
    full_name: str | None = None


class _Permissions(Struct):
    push: bool | None = None


class _Viewed(Repository, frozen=True, kw_only=True):
    """A repository with the permissions of the token's user, which are not of the record."""

    permissions: Raw | UnsetType = UNSET


class Inner(NamedTuple):
    """An unreadable object in the list `within` of an item: its id, if any, and its JSON."""

    within: str
    reason: str
    payload: str
    id: int | None


class Decoded(NamedTuple):
    """One decoded item of a resource other than repositories.

    `left_out`: the objects within it that cannot be read.
    """

    record: Any
    payload: str | None
    warnings: tuple[str, ...] = ()
    position: int = 0
    left_out: tuple[Inner, ...] = ()


# Bytes of an object; GitHub's have 5,000 to 6,000. Long texts of a larger object are cut, since
# a statement has to fit into the largest packet of the database server.
LARGEST = 1024 * 1024
LONGEST_TEXT = 65_536  # characters
_NO_SECRETS = SecretFields()

# The first module of the types counts, so that moving them does not change readings.
_FIRST_MODULE = "sync.github.records"


@cache
def reading_of(*records: type[Struct]) -> str:
    """Return a fingerprint of how records are read; pages read in another way are read again."""
    read = repr((__version__, [msgspec.structs.fields(record) for record in records]))
    told = re.sub(r"sync\.resources\.\w+", _FIRST_MODULE, read)
    return blake2b(told.encode(), digest_size=4).hexdigest()


READING = reading_of(Repository, Owner, License)

_user_decoder = msgspec.json.Decoder(User)
_permissions_decoder = msgspec.json.Decoder(_Permissions)


class RecordDecoder:
    """Decodes the JSON objects of one resource.

    Strict: no value is converted. A required value must be valid; an invalid optional value
    becomes null, with a warning. `read_as`: a record of the resource with further fields.
    """

    def __init__(self, resource: Resource, read_as: type[Struct] | None = None) -> None:
        columns = [each for each in resource.columns.values() if each.within is None]
        self._kind = resource.record
        self._decoder = msgspec.json.Decoder(read_as or resource.record)
        self._times = _times_of(resource.record)
        self._inner = {
            field.name: _times_of(of)
            for field in msgspec.structs.fields(resource.record)
            if (of := records_in(field.type)) is not None
        }
        self._texts = [
            each.name
            for each in columns
            if isinstance(each.kind, inspect.StrType) and each.length is None
        ]

    def decode(self, raw: bytes) -> tuple[Any, str | None, tuple[str, ...], tuple[LeftOut, ...]]:
        """Return the record, its JSON text unless it is too large, warnings, and what is left out.

        Raises ValueError, OverflowError, RecursionError and msgspec.DecodeError.
        """
        payload: str | None = raw.decode()
        warnings: tuple[str, ...] = ()
        left_out: tuple[LeftOut, ...] = ()
        try:
            record = self._in_utc(self._decoder.decode(raw))
        except (msgspec.ValidationError, OverflowError):
            mended, warnings, left_out = without_oddities(raw, self._kind)
            record = self._in_utc(self._decoder.decode(mended))
        if len(raw) > LARGEST:
            record, cut = self._cut(record)
            payload, warnings = None, (*warnings, *cut)
        return record, payload, warnings, left_out

    def _in_utc(self, record: Any) -> Any:
        """Return `record` with every time in UTC (GitHub sends Z; other servers send offsets)."""
        for name, times in self._inner.items():
            found = getattr(record, name)
            told = tuple(_in_utc(each, times) for each in found)
            if any(one is not other for one, other in zip(told, found, strict=True)):
                record = msgspec.structs.replace(record, **{name: told})
        return _in_utc(record, self._times)

    def _cut(self, record: Any) -> tuple[Any, tuple[str, ...]]:
        """Cut the long texts of an object that is too large."""
        texts = {name: getattr(record, name) for name in self._texts}
        cut = {
            name: text[:LONGEST_TEXT]
            for name, text in texts.items()
            if isinstance(text, str) and len(text) > LONGEST_TEXT
        }
        warnings = [f"{name} is longer than {LONGEST_TEXT:,} characters; cut" for name in cut]
        warnings.append(f"the object is larger than {LARGEST:,} bytes; stored without payload")
        return msgspec.structs.replace(record, **cut), tuple(warnings)


def _times_of(record: type[Struct]) -> list[str]:
    columns = [each for each in columns_of(record) if each.within is None]
    return [each.name for each in columns if isinstance(each.kind, inspect.DateTimeType)]


def _in_utc(record: Any, names: Sequence[str]) -> Any:
    others = {
        name: moment.astimezone(UTC)
        for name in names
        if isinstance(moment := getattr(record, name), datetime) and moment.tzinfo is not UTC
    }
    return msgspec.structs.replace(record, **others) if others else record


@cache
def _decoder_of(resource: Resource) -> RecordDecoder:
    return RecordDecoder(resource)


_repositories = RecordDecoder(REPOSITORIES, read_as=_Viewed)


def decode_item(
    raw: bytes, position: int = 0, secrets: SecretFields = _NO_SECRETS
) -> Item | Rejected:
    """Decode one repository object without its `secrets`; see `RecordDecoder`."""
    return _decode(raw, position, secrets, _repositories, _item)


def decode_child(
    resource: Resource, raw: bytes, position: int, secrets: SecretFields
) -> Decoded | Rejected:
    """Decode one object of a resource without its `secrets`; see `RecordDecoder`."""
    return _decode(raw, position, secrets, _decoder_of(resource), _decoded)


def _decode(
    raw: bytes,
    position: int,
    secrets: SecretFields,
    decoder: RecordDecoder,
    make: Callable[..., T],
) -> T | Rejected:
    showable: bytes | None = None
    try:
        showable = raw = secrets.removed_from(raw)
        return make(*decoder.decode(raw), position)
    except (msgspec.DecodeError, RecursionError, OverflowError, ValueError) as error:
        return Rejected(position, _reason(error), _rejected_payload(showable), **_told(showable))


def _decoded(
    record: Any,
    payload: str | None,
    warnings: tuple[str, ...],
    left_out: Sequence[LeftOut],
    position: int,
) -> Decoded:
    return Decoded(record, payload, warnings, position, tuple(map(_inner, left_out)))


def _inner(left_out: LeftOut) -> Inner:
    field, reason, raw = left_out
    return Inner(field, reason, _rejected_payload(raw), _told(raw).get("id") or None)


def _item(
    record: _Viewed,
    payload: str | None,
    warnings: tuple[str, ...],
    _left_out: Sequence[LeftOut],
    position: int,
) -> Item:
    permissions = record.permissions
    force_setattr(record, "permissions", UNSET)  # so that the record is encoded without them
    push = None if permissions is UNSET else _push(permissions)
    return Item(record, payload, warnings, position, push)


def _push(permissions: Raw) -> bool | None:
    try:
        return _permissions_decoder.decode(permissions).push
    except (msgspec.DecodeError, RecursionError):
        return None


def decode_user(raw: bytes) -> User:
    """Decode a user object; invalid optional values become null. Raises msgspec.DecodeError."""
    try:
        return _user_decoder.decode(raw)
    except msgspec.ValidationError:
        return _user_decoder.decode(without_oddities(raw, User).raw)


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "not valid UTF-8"
    return str(error)[:300]


def _told(raw: bytes | None) -> dict[str, Any]:
    """Return the valid ones of `id`, `private` and `full_name` of any JSON value."""
    try:
        told = msgspec.json.decode(raw or b"")
    except (msgspec.DecodeError, RecursionError, ValueError):
        return {}
    kinds = {"id": Annotated[int, Meta(ge=0, le=2**63 - 1)], "private": bool, "full_name": FullName}
    said = {name: told.get(name) for name in kinds} if isinstance(told, dict) else {}
    return {name: value for name, value in said.items() if _is(value, kinds[name])}


def _is(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _rejected_payload(raw: bytes | None) -> str:
    if raw is None:  # could not be decoded, so a credential in it could not be removed
        return "(withheld: it may hold a credential)"
    return raw.decode("utf-8", "replace")
