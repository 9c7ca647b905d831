"""Decoding what GitHub sends: strictly, without credentials, and whatever it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from tests.github.helpers import BASE, MISSING, accepted, raw, rejected
from tests.support.inside.github import (
    Item,
    Rejected,
    SecretFields,
    User,
    decode_item,
    decode_user,
)
from tests.support.inside.resources import License, Owner, Repository

SECRET = "AAFAKEFAKEFAKE"
TIMES = ("created_at", "updated_at", "pushed_at")
OPTIONAL = sorted(set(Repository.__struct_fields__) - set(BASE))


def with_text(text: str) -> bytes:
    """Return a repository with a field of JSON text as it stands."""
    return raw()[:-1] + b", " + text.encode() + b"}"


@pytest.mark.parametrize("id_", [1, 2**31, 2**53 + 1, 2**63 - 1])
def test_an_id_is_accepted_up_to_63_bits(id_: int) -> None:
    assert accepted(raw(id=id_)).record.id == id_


@pytest.mark.parametrize(
    "id_", [2**63, 2**64, 0, -1, True, "1", "", None, 1.0, 1.5, [], {}, MISSING]
)
def test_an_id_that_is_none_rejects_the_item(id_: object) -> None:
    reason = rejected(raw(id=id_), position=17)
    assert reason.position == 17
    assert "`id`" in reason.reason if id_ is MISSING else "`$.id`" in reason.reason
    assert "octo/one" in (reason.payload or "")


@pytest.mark.parametrize("name", ["name", "full_name"])
@pytest.mark.parametrize("value", [MISSING, None, "", 5, True, ["octo/one"]])
def test_a_repository_without_a_name_is_rejected(name: str, value: object) -> None:
    assert name in rejected(raw(**{name: value})).reason


@pytest.mark.parametrize(
    "fields",
    [
        {"private": MISSING},
        {"private": None},
        {"private": "false"},
        {"private": 0},
        {"stargazers_count": -1, "private": "no"},
        {"pushed_at": "no time", "id": "1"},
    ],
    ids=str,
)
def test_what_must_be_known_of_a_repository_is_never_converted(fields: dict[str, Any]) -> None:
    assert "`$." in rejected(raw(**fields)).reason or "required" in rejected(raw(**fields)).reason


@pytest.mark.parametrize(
    ("name", "odd", "words"),
    [
        ("description", 5, "a text that fits"),
        ("language", "x" * 256, "a text that fits"),
        ("visibility", ["public"], "a text that fits"),
        ("topics", "sql", "a list of texts"),
        ("topics", {"0": "sql"}, "a list of texts"),
        ("topics", ["sql"] * 1_001, "a list of texts"),
        ("archived", 1, "true or false"),
        ("archived", "true", "true or false"),
        ("stargazers_count", "10", "a whole number in range"),
        ("stargazers_count", -1, "a whole number in range"),
        ("stargazers_count", 1.5, "a whole number in range"),
        ("stargazers_count", True, "a whole number in range"),
        ("size", 2**63, "a whole number in range"),
        ("owner", "octo", "an object"),
        ("owner", [7], "an object"),
        ("license", "MIT", "an object"),
    ],
    ids=str,
)
def test_an_odd_optional_value_costs_itself_and_nothing_else(
    name: str, odd: object, words: str
) -> None:
    item = accepted(raw(**{"homepage": "https://one.example", name: odd, "has_wiki": True}))
    assert getattr(item.record, name) is None
    assert item.warnings == (f"{name} is not {words}; stored as null",)
    assert (item.record.homepage, item.record.has_wiki) == ("https://one.example", True)
    assert json.loads(item.payload or "")[name] == odd


@pytest.mark.parametrize(
    ("owner", "read", "warnings"),
    [
        ({"id": 7}, Owner(id=7, login=None), ["owner.login is missing"]),
        ({"login": "octo"}, Owner(id=None, login="octo"), ["owner.id is missing"]),
        (
            {"id": "7", "login": "octo", "type": 5},
            Owner(id=None, login="octo"),
            ["owner.id is not a whole number in range", "owner.type is not a text that fits"],
        ),
        (
            {"id": 7, "login": ""},
            Owner(id=7, login=None),
            ["owner.login is not a text that fits"],
        ),
    ],
)
def test_of_an_owner_only_what_is_odd_is_lost(
    owner: dict[str, Any], read: Owner, warnings: list[str]
) -> None:
    item = accepted(raw(owner=owner))
    assert item.record.owner == read
    assert item.warnings == tuple(f"{warning}; stored as null" for warning in warnings)


def test_of_a_list_only_what_is_odd_is_lost() -> None:
    item = accepted(raw(topics=["sql", None, 5, "x" * 256, "http"]))
    assert item.record.topics == ("sql", "http")
    assert item.warnings == ("topics contains items that are not text; left out",)


def test_several_odd_values_are_each_told() -> None:
    item = accepted(raw(size=-5, pushed_at="soon", license={"spdx_id": 5}))
    assert (item.record.size, item.record.pushed_at) == (None, None)
    assert item.record.license == License(spdx_id=None)
    assert len(item.warnings) == 3


@pytest.mark.parametrize("name", OPTIONAL)
def test_an_optional_field_that_is_missing_is_not_the_same_as_null(name: str) -> None:
    assert getattr(accepted(raw()).record, name) is UNSET
    assert getattr(accepted(raw(**{name: None})).record, name) is None


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"1", b'"x"', b"{}", b'{"id": 1', b"{]", b"\0"]
)
def test_what_is_no_repository_is_rejected(body: bytes) -> None:
    assert rejected(body).reason


def test_a_field_nobody_knows_is_kept_in_the_payload_as_received() -> None:
    body = with_text('"tomorrow": {"b":1.10,  "a":[null, 1e400]}')
    assert accepted(body).payload == body.decode()


# Times


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize(
    "odd",
    [
        "yesterday",
        "",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-13-01T00:00:00Z",
        1767225600,
        True,
        {},
        "0001-01-01T00:00:00+14:00",  # before the first year in UTC
        "9999-12-31T23:59:59-14:00",
    ],
    ids=str,
)
def test_a_time_that_is_none_becomes_null_with_a_warning(name: str, odd: object) -> None:
    others = {other: "2026-01-01T00:00:00+01:00" for other in TIMES if other != name}
    item = accepted(raw(**{name: odd}, **others))
    assert getattr(item.record, name) is None
    assert item.warnings == (f"{name} is not a time; stored as null",)
    assert {getattr(item.record, other) for other in others} == {
        datetime(2025, 12, 31, 23, tzinfo=UTC)
    }
    assert json.loads(item.payload or "")[name] == odd


def test_a_time_that_is_none_leaves_what_is_missing_missing() -> None:
    item = accepted(raw(pushed_at="soon"))
    assert (item.record.pushed_at, item.record.created_at) == (None, UNSET)
    assert len(item.warnings) == 1


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05.123456Z", datetime(2026, 1, 2, 3, 4, 5, 123456, UTC)),
        ("2026-01-02T01:00:00+02:00", datetime(2026, 1, 1, 23, tzinfo=UTC)),
        ("2026-01-01T20:00:00-08:00", datetime(2026, 1, 2, 4, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize("name", TIMES)
def test_times_are_turned_to_utc(name: str, text: str, moment: datetime) -> None:
    item = accepted(raw(**{name: text}))
    assert getattr(item.record, name) == moment
    assert getattr(item.record, name).tzinfo is UTC
    assert item.warnings == ()


# Credentials


@pytest.mark.parametrize(
    "fields",
    [
        {"temp_clone_token": SECRET},
        {"parent": {"id": 2, "temp_clone_token": SECRET, "size": 1}},
        {"forks": [{"source": {"temp_clone_token": SECRET}}]},
        {"temp_clone_token": {"deeper": SECRET}},
    ],
    ids=["own", "parent", "in a list", "an object"],
)
@pytest.mark.parametrize("valid", [True, False], ids=["accepted", "rejected"])
def test_a_clone_token_is_never_kept(fields: dict[str, Any], valid: bool) -> None:
    item = decode_item(raw(**fields, **({} if valid else {"id": None})))
    assert isinstance(item, Item if valid else Rejected)
    assert "octo/one" in (item.payload or "")
    assert SECRET not in msgspec.json.encode(item).decode()
    assert "temp_clone_token" not in (item.payload or SECRET)


def test_a_clone_token_is_known_however_its_name_is_written() -> None:
    body = raw(temp_clone_token=SECRET).replace(b"temp_clone_token", rb"temp\u005fclone_token")
    item = decode_item(body)
    assert isinstance(item, Item)
    assert SECRET not in (item.payload or SECRET)


@pytest.mark.parametrize("name", ["a", "temp_clone_token"])
def test_a_clone_token_in_the_first_of_two_fields_of_one_name_is_not_kept(name: str) -> None:
    body = raw(a={"temp_clone_token": SECRET})[:-1] + f', "{name}": null}}'.encode()
    body = body.replace(b'"a"', f'"{name}"'.encode())
    assert SECRET not in (accepted(body).payload or SECRET)


def test_every_field_that_a_forge_names_is_taken_out_also_of_nested_objects() -> None:
    secrets = SecretFields("runners_token", "import_url")
    project = {"runners_token": SECRET, "id": 1, "forked_from_project": {"import_url": SECRET}}
    body = json.dumps(project).encode()
    assert msgspec.json.decode(secrets.removed_from(body)) == {"id": 1, "forked_from_project": {}}
    escaped = body.replace(b"import_url", rb"\u0069mport\u005Furl")
    assert SECRET.encode() not in secrets.removed_from(escaped)


@pytest.mark.parametrize("name", ["Temp_Clone_Token", "TEMP_CLONE_TOKEN", r"Temp_Clone\u005FToken"])
def test_a_clone_token_is_not_kept_whatever_the_case_of_its_field(name: str) -> None:
    body = raw(temp_clone_token=SECRET).replace(b"temp_clone_token", name.encode())
    assert SECRET not in (accepted(body).payload or SECRET)


def test_an_escaped_letter_alone_leaves_the_payload_as_received() -> None:
    body = raw(description="DESC").replace(b"DESC", rb"caf\u00e9")
    item = decode_item(body)
    assert isinstance(item, Item)
    assert item.payload == body.decode()


@pytest.mark.parametrize("end", ["", ', "x": NaN}', ', "x": ' + "[" * 100_000, ', "x": "\xff"}'])
def test_a_clone_token_in_what_cannot_be_read_is_withheld_with_all_of_it(end: str) -> None:
    body = raw(temp_clone_token=SECRET)[:-1] + end.encode("latin-1")
    assert rejected(body).payload == "(withheld: it may hold a credential)"


# Whatever else arrives


@pytest.mark.parametrize("fields", ['"x": {nest}', '"pushed_at": "odd", "x": {nest}'])
def test_deep_nesting_rejects_the_item(fields: str) -> None:
    nest = "[" * 100_000 + "]" * 100_000
    assert rejected(with_text(fields.replace("{nest}", nest))).reason == "nested too deeply"


def test_the_payload_of_a_rejected_item_is_whole_until_it_is_stored() -> None:
    body = raw(id=None, description="x" * 1_000_000)
    assert rejected(body).payload == body.decode()


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"id": 5, "private": True}, (5, True)),
        ({"id": 5, "private": False}, (5, False)),
        ({"id": "5", "private": "no"}, (None, None)),
        ({"id": True}, (None, None)),
        ({"id": -1, "private": 1}, (None, None)),
        ({"id": 2**63}, (None, None)),
    ],
)
def test_a_rejected_item_says_of_itself_what_can_be_read(
    fields: dict[str, Any], told: tuple[int | None, bool | None]
) -> None:
    item = rejected(json.dumps({"name": 1, **fields}).encode())
    assert (item.id, item.private) == told


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "01", "+1", "0x1", "1_000"])
def test_a_number_that_is_no_json_rejects_the_item(number: str) -> None:
    assert "malformed" in rejected(with_text(f'"x": {number}')).reason


@pytest.mark.parametrize("number", ["9" * 5000, "-" + "9" * 5000, "1e400"])
def test_a_number_beyond_all_measure_is_an_odd_value_like_others(number: str) -> None:
    rejected(raw(id=MISSING)[:-1] + f', "id": {number}}}'.encode())
    item = accepted(with_text(f'"size": {number}'))
    assert (item.record.size, len(item.warnings)) == (None, 1)


def test_a_number_beyond_all_measure_in_a_field_nobody_reads_is_kept_as_it_is() -> None:
    body = with_text(f'"x": {"9" * 5000}')
    assert accepted(body).payload == body.decode()


def test_a_user_is_decoded_like_a_repository() -> None:
    assert decode_user(b'{"id": 7, "login": "octo", "x": 1}') == User(id=7, login="octo")
    odd = b'{"id": 7, "login": "octo", "name": 5, "public_repos": "many"}'
    assert decode_user(odd) == User(id=7, login="octo")
    for body in (b'{"id": "7", "login": "octo"}', b'{"id": 7}', b"[]", b'{"id": 7, "login": ""}'):
        with pytest.raises(msgspec.DecodeError):
            decode_user(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ODD_FIELDS = st.dictionaries(
    st.sampled_from([*Repository.__struct_fields__, "temp_clone_token", "parent"]), JSON
)
quick = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(st.binary(max_size=200) | ODD_FIELDS.map(lambda fields: raw(**fields)))
@example(b"[" * 100_000)
def test_whatever_arrives_is_an_item_or_a_rejection(body: bytes) -> None:
    item = decode_item(body, 5)
    if isinstance(item, Item):
        assert 1 <= item.record.id < 2**63
        msgspec.json.decode(item.payload or "", type=Repository if not item.warnings else dict)
    else:
        assert item.position == 5
        assert item.reason
