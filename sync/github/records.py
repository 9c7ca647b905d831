"""GitHub's objects as typed, frozen records, decoded strictly. No I/O here.

Field names and types follow GitHub's OpenAPI description of `repository` and
`minimal-repository`. A listing without a token may leave out what only the
former has; such a field is UNSET, which is not null: nothing is known of it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

Id = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
# As long as the ledger's columns are. GitHub's own names end at 100 characters, logins at 39.
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

    id: Id
    login: Name
    type: Word | None = None


class License(Struct, frozen=True, kw_only=True):
    """The licence that GitHub detected; `NOASSERTION` if it is none it knows."""

    spdx_id: Label | None = None


class Repository(Struct, frozen=True, kw_only=True):
    """A repository as a listing or a request by id gives it; fields as GitHub names them.

    https://docs.github.com/rest/repos/repos#get-a-repository
    """

    id: Id
    node_id: OptionalLabel = UNSET
    name: Name
    full_name: FullName
    private: bool
    owner: Owner | UnsetType | None = UNSET
    html_url: OptionalText = UNSET
    description: OptionalText = UNSET
    homepage: OptionalText = UNSET
    language: OptionalLabel = UNSET
    license: License | UnsetType | None = UNSET
    topics: Topics | UnsetType | None = UNSET
    default_branch: OptionalText = UNSET
    visibility: Word | UnsetType | None = UNSET
    fork: OptionalFlag = UNSET
    archived: OptionalFlag = UNSET
    disabled: OptionalFlag = UNSET
    is_template: OptionalFlag = UNSET
    has_issues: OptionalFlag = UNSET
    has_projects: OptionalFlag = UNSET
    has_wiki: OptionalFlag = UNSET
    has_pages: OptionalFlag = UNSET
    has_discussions: OptionalFlag = UNSET
    stargazers_count: OptionalCount = UNSET
    watchers_count: OptionalCount = UNSET
    forks_count: OptionalCount = UNSET
    open_issues_count: OptionalCount = UNSET
    size: OptionalCount = UNSET  # kilobytes
    created_at: Time = UNSET
    updated_at: Time = UNSET
    pushed_at: Time = UNSET


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
    if it is larger than LARGEST. `warnings` names what had to be set aside to
    make sense of it. `position` counts from 0 within its page.
    """

    record: Repository
    payload: str | None
    warnings: tuple[str, ...] = ()
    position: int = 0


class Rejected(Struct, frozen=True):
    """An item that is no valid repository: where it stood, why, and what was there.

    `position` counts from 0 within its page. `id` and `private` are what it says
    of itself, as far as that can be read.
    """

    position: int
    reason: str
    payload: str | None
    id: int | None = None
    private: bool | None = None


# Bytes of an object that is kept whole; GitHub's own have 5,000 to 6,000. Beyond it, long texts are
# cut: everything has to fit into what a database server takes at a time.
LARGEST = 1024 * 1024
LONGEST_TEXT = 65_536  # characters
_TEXTS = ("html_url", "description", "homepage", "default_branch")
_TIMES = ("created_at", "updated_at", "pushed_at")
# A field that holds a credential in some answers. Never stored, never logged.
_CREDENTIAL = "temp_clone_token"
_CREDENTIAL_PLAIN = _CREDENTIAL.encode()
_CREDENTIAL_ESCAPED = re.compile(rb"\\u00[567]")  # its letters and its underscore, escaped

_decoder = msgspec.json.Decoder(Repository)
_user_decoder = msgspec.json.Decoder(User)


def decode_item(raw: bytes, position: int = 0) -> Item | Rejected:
    """Decode one repository object.

    Strict: a wrong type rejects the item and is never converted. The one
    exception are times that are not times: those are optional, become null
    and leave a warning.
    """
    warnings: tuple[str, ...] = ()
    showable: bytes | None = None
    try:
        if _may_hold_credentials(raw):
            raw = _without_credentials(raw)
        showable = raw
        payload: str | None = raw.decode()
        try:
            record = in_utc(_decoder.decode(raw))
        except (msgspec.ValidationError, OverflowError):
            record, warnings = _decode_with_odd_times(raw)
        if len(raw) > LARGEST:
            record, cut = _cut(record)
            payload, warnings = None, (*warnings, *cut)
        return Item(record, payload, warnings, position)
    except (msgspec.DecodeError, RecursionError, OverflowError, ValueError) as error:
        told = _told(showable)
        return Rejected(position, _reason(error), _rejected_payload(showable), *told)


def decode_user(raw: bytes) -> User:
    """Decode a user object. Raises msgspec.DecodeError."""
    return _user_decoder.decode(raw)


def in_utc(record: Repository) -> Repository:
    """Return `record` with every time in UTC (GitHub sends Z; other servers send offsets)."""
    others = {
        name: moment.astimezone(UTC)
        for name in _TIMES
        if isinstance(moment := getattr(record, name), datetime) and moment.tzinfo is not UTC
    }
    return msgspec.structs.replace(record, **others) if others else record


def _may_hold_credentials(raw: bytes) -> bool:
    # Each look is as quick as it can be: most objects have no escapes at all.
    return _CREDENTIAL_PLAIN in raw or (
        b"\\" in raw and _CREDENTIAL_ESCAPED.search(raw) is not None
    )


def _without_credentials(raw: bytes) -> bytes:
    """Return `raw` written anew: of a name that an object holds twice, what came first is gone."""
    return msgspec.json.encode(_stripped(msgspec.json.decode(raw)))


def _stripped(value: Any) -> Any:
    """Return `value` without credential fields, also in nested objects (parent, source)."""
    if isinstance(value, dict):
        return {k: _stripped(v) for k, v in value.items() if k != _CREDENTIAL}
    if isinstance(value, list):
        return [_stripped(v) for v in value]
    return value


def _decode_with_odd_times(raw: bytes) -> tuple[Repository, tuple[str, ...]]:
    """Decode again with times that cannot be read, or do not exist in UTC, set to null.

    Raises what is left wrong.
    """
    fields = msgspec.json.decode(raw)
    if not isinstance(fields, dict):
        raise msgspec.ValidationError("Expected `object`")
    warnings = []
    for name in _TIMES:
        try:
            moment = msgspec.convert(fields.get(name), Moment | None)
            moment = moment and moment.astimezone(UTC)
        except (msgspec.ValidationError, OverflowError):
            warnings.append(f"{name} is not a time; stored as null")
            moment = None
        if name in fields:
            fields[name] = moment
    return msgspec.convert(fields, Repository), tuple(warnings)


def _cut(record: Repository) -> tuple[Repository, tuple[str, ...]]:
    """Cut the long texts of an object that is too large."""
    texts = {name: getattr(record, name) for name in _TEXTS}
    cut = {
        name: text[:LONGEST_TEXT]
        for name, text in texts.items()
        if isinstance(text, str) and len(text) > LONGEST_TEXT
    }
    warnings = [f"{name} is longer than {LONGEST_TEXT:,} characters; cut" for name in cut]
    warnings.append(f"the object is larger than {LARGEST:,} bytes; stored without payload")
    return msgspec.structs.replace(record, **cut), tuple(warnings)


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "not valid UTF-8"
    return str(error)[:300]


def _told(raw: bytes | None) -> tuple[int | None, bool | None]:
    """Return `id` and `private` of what may be anything."""
    try:
        told = msgspec.json.decode(raw or b"")
    except (msgspec.DecodeError, RecursionError, ValueError):
        return None, None
    id_, private = (told.get("id"), told.get("private")) if isinstance(told, dict) else (None, None)
    whole = isinstance(id_, int) and not isinstance(id_, bool) and 0 <= id_ < 2**63
    return id_ if whole else None, private if isinstance(private, bool) else None


def _rejected_payload(raw: bytes | None, limit: int = 65_536) -> str:
    if raw is None:  # could not be decoded, so what is secret in it could not be removed
        return "(withheld: it may hold a credential)"
    return raw[:limit].decode("utf-8", "replace")
