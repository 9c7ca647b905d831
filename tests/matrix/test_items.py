"""Odd items on a page, on every kind of database: stored, mended, or rejected alone.

All of them are on one list, among sound ones. One run takes them, and each case looks at
what became of its own. Another run then meets the same list with nothing odd on it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.matrix.stage import (
    MENDED,
    REJECTED,
    REPLACED,
    RUN_FINISHED,
    SKIPPED,
    Ran,
    Stage,
    expect,
)
from tests.support.database import rows
from tests.support.hub import Hub, Item, Json, a_repository, some_repositories
from tests.support.servers import KINDS, databases

LARGE = 10_000_000
DEEP = "[" * 900 + "]" * 900
DIGITS = "7" * 5_000


@dataclass(frozen=True, kw_only=True)
class Odd:
    """Items, and what becomes of them: columns of their rows by id, or why they are rejected."""

    items: tuple[Item, ...]
    stored: dict[int, Json] = field(default_factory=dict)
    rejected: tuple[str, ...] = ()
    events: dict[str, int] = field(default_factory=dict)
    skipped: int = 0


def text(item: Json, **literal: str) -> bytes:
    """Return an item with fields that are written as they are given, whatever JSON allows."""
    written = json.dumps({**item, **dict.fromkeys(literal)})
    for name, value in literal.items():
        written = written.replace(f'"{name}": null', f'"{name}": {value}')
    return written.encode()


def without(item: Json, *names: str) -> Json:
    return {name: value for name, value in item.items() if name not in names}


def stored_as(number: int, **fields: Any) -> dict[int, Json]:
    return {number: fields}


def one(number: int, *, shown: Json, **fields: Any) -> Odd:
    """Return an item with odd `fields`, which is stored with the columns `shown`."""
    return Odd(items=(a_repository(number, **fields),), stored={number: shown})


def refused(reason: str, *items: Item) -> Odd:
    return Odd(items=items, rejected=(reason,) * len(items))


ODD = {
    "data.nul": Odd(
        items=(a_repository(101, description="a\0b", homepage="\\u0000", topics=["\0"]),),
        stored=stored_as(101, description="a\ufffdb", homepage="\\u0000", topics=["\ufffd"]),
        events={REPLACED: 1},
    ),
    "data.surrogate": Odd(
        items=(a_repository(102, description="x\ud83dy\udc00", language="\ude00"),),
        stored=stored_as(102, description="x\ufffdy\ufffd", language="\ufffd"),
        events={REPLACED: 1},
    ),
    "data.large-id": Odd(
        items=tuple(a_repository(id_) for id_ in (2**31 + 7, 2**53 + 1, 2**63 - 1)),
        stored={id_: {"name": f"repo-{id_}"} for id_ in (2**31 + 7, 2**53 + 1, 2**63 - 1)},
    ),
    "data.bad-id": refused(
        "$.id", *(a_repository(103, id=id_) for id_ in (2**63, True, "103", None, 0, -1, 1.5, [1]))
    ),
    "data.missing-optional": Odd(
        items=(
            without(a_repository(104), "owner", "description", "license", "topics", "pushed_at"),
            a_repository(105, owner=None, description=None, license=None, topics=None, fork=None),
        ),
        stored={
            104: {"owner_id": None, "description": None, "topics": None, "pushed_at": None},
            105: {"owner_login": None, "license_spdx_id": None, "topics": None, "fork": None},
        },
    ),
    "data.missing-required": Odd(
        items=(
            without(a_repository(106), "full_name"),
            without(a_repository(107), "id"),
            *(a_repository(108, full_name=7), a_repository(110, private="no"), b"null", b"7"),
        ),
        rejected=(
            *("full_name", "id", "$.full_name", "$.private"),
            *("Expected `object`", "Expected `object`"),
        ),
    ),
    "data.odd-optional": Odd(
        items=(
            a_repository(109, stargazers_count="many", open_issues_count=-1, topics=["sql", None]),
            a_repository(111, owner={"id": 1}, license="MIT", archived=0),
        ),
        stored={
            109: {"stargazers_count": None, "open_issues_count": None, "topics": ["sql"]},
            111: {"owner_id": 1, "owner_login": None, "license_spdx_id": None, "archived": None},
        },
        events={MENDED: 6},
    ),
    "data.unknown-field": one(112, new_field={"deep": [1, None]}, shown={"name": "repo-112"}),
    "data.long-text": Odd(
        items=(a_repository(113, description="é" + "x" * LARGE),),
        stored=stored_as(113, description="é" + "x" * 65_535, payload=None),
        events={MENDED: 2},
    ),
    "data.time-offset": Odd(
        items=(
            a_repository(114, created_at="2026-01-01T12:00:00.5+02:00", pushed_at="soon"),
            a_repository(115, updated_at=1_700_000_000),
        ),
        stored={
            114: {"created_at": "2026-01-01 10:00:00.5", "pushed_at": None},
            115: {"updated_at": None},
        },
        events={MENDED: 2},
    ),
    "data.emoji": one(
        116,
        description="\N{GRINNING FACE}\u0301 'x' \\ %s :y",
        shown={"description": "\N{GRINNING FACE}\u0301 'x' \\ %s :y"},
    ),
    "data.reused-name": Odd(
        items=(a_repository(117, full_name="octo/one"), a_repository(118, full_name="octo/one")),
        stored={117: {"full_name": "octo/one"}, 118: {"full_name": "octo/one"}},
    ),
    "data.case": Odd(
        items=(a_repository(119, full_name="octo/TWO"), a_repository(120, full_name="octo/two ")),
        stored={119: {"full_name": "octo/TWO"}, 120: {"full_name": "octo/two "}},
    ),
    "data.private": Odd(items=(a_repository(121, private=True),), events={SKIPPED: 1}, skipped=1),
    "http.odd-json": Odd(
        items=(
            text(a_repository(122), new_field=DEEP),
            text(a_repository(123), new_field=DIGITS),
            text(a_repository(124), new_field="1e400"),
            text(a_repository(125), size=DIGITS),
            text(a_repository(126), size="1e400"),
            b'{"id": 127, "name": "no", "id": 128, ' + text(a_repository(127))[1:],
        ),
        stored={
            122: {},
            123: {},
            124: {},
            125: {"size": None},
            126: {"size": None},
            127: {"name": "repo-127"},
        },
        events={MENDED: 2},
    ),
}


@dataclass(frozen=True)
class Taken:
    """The run that took the odd items: how it ended, the rows it left, and what it rejected."""

    stage: Stage
    ran: Ran
    stored: dict[int, Json]
    rejected: dict[int, Json]


def everything() -> list[Item]:
    """Return the list: the odd items, and sound ones before and behind them."""
    sound = some_repositories(2)
    return [sound[0], *(item for odd in ODD.values() for item in odd.items), sound[1]]


def position_of(key: str) -> int:
    before = list(ODD)[: list(ODD).index(key)]
    return 1 + sum(len(ODD[name].items) for name in before)


@pytest.fixture(scope="module", params=KINDS)
def taken(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Taken]:
    folder = tmp_path_factory.mktemp("odd")
    with databases(request.param, folder) as make, Hub(everything(), size=100) as hub:
        stage = Stage(folder, hub, make())
        ran = stage.run()
        stored = {row["id"]: row for row in rows(stage.ledger, "SELECT * FROM repositories")}
        rejections = rows(stage.ledger, "SELECT * FROM rejected_items")
        yield Taken(stage, ran, stored, {row["position"]: row for row in rejections})


def case(key: pytest.MarkDecorator) -> Any:
    return pytest.param(key.args[0], id=key.args[0], marks=key)


@pytest.mark.parametrize(
    "key",
    [
        case(pytest.mark.matrix("data.nul")),
        case(pytest.mark.matrix("data.surrogate")),
        case(pytest.mark.matrix("data.large-id")),
        case(pytest.mark.matrix("data.bad-id")),
        case(pytest.mark.matrix("data.missing-optional")),
        case(pytest.mark.matrix("data.missing-required")),
        case(pytest.mark.matrix("data.odd-optional")),
        case(pytest.mark.matrix("data.unknown-field")),
        case(pytest.mark.matrix("data.long-text")),
        case(pytest.mark.matrix("data.time-offset")),
        case(pytest.mark.matrix("data.emoji")),
        case(pytest.mark.matrix("data.reused-name")),
        case(pytest.mark.matrix("data.case")),
        case(pytest.mark.matrix("data.private")),
        case(pytest.mark.matrix("http.odd-json")),
    ],
)
def test_an_odd_item_is_stored_mended_or_rejected_alone(taken: Taken, key: str) -> None:
    odd, first = ODD[key], position_of(key)
    for id_, columns in odd.stored.items():
        shown = {name: _shown(name, taken.stored[id_][name]) for name in columns}
        assert shown == columns
    reasons = [
        taken.rejected[first + offset]["reason"]
        for offset in range(len(odd.items))
        if first + offset in taken.rejected
    ]
    told = zip(odd.rejected, reasons, strict=True)
    assert [(word, reason) for word, reason in told if word not in reason] == []
    assert len(odd.stored) + len(odd.rejected) + odd.skipped == len(odd.items)


def _shown(name: str, value: Any) -> Any:
    """Return what a database without a type for it keeps as text or number, as what it is."""
    if name == "topics" and isinstance(value, str):
        return json.loads(value)
    if name.endswith("_at") and value is not None:
        return str(value)[:21]
    return value


@pytest.mark.matrix("data.unknown-field", "http.odd-json")
def test_an_object_is_kept_as_it_came(taken: Taken) -> None:
    assert _payload(taken, 112)["new_field"] == {"deep": [1, None]}
    assert _payload(taken, 2**53 + 1) == a_repository(2**53 + 1)


def _payload(taken: Taken, id_: int) -> Json:
    payload = taken.stored[id_]["payload"]
    kept: Json = json.loads(payload) if isinstance(payload, str) else payload
    return kept


@pytest.mark.matrix("always.counts", "data.nul", "data.long-text")
def test_the_run_tells_of_all_that_was_odd(taken: Taken) -> None:
    rejected = sum(len(odd.rejected) for odd in ODD.values())
    mended = sum(odd.events.get(MENDED, 0) for odd in ODD.values())
    told = [*[REJECTED] * min(rejected, 11), SKIPPED, REPLACED, *[MENDED] * mended, RUN_FINISHED]
    expect(taken.ran, "partial", told, seen=len(everything()))
    assert taken.ran.lines(REPLACED)[0]["characters"] == 5
    assert taken.ran.lines(REJECTED)[-1]["more"] == rejected - 10
    assert (taken.ran.outcome["rejected"], taken.ran.outcome["skipped"]) == (rejected, 1)


@pytest.mark.matrix("always.converges", "always.alive", "data.bad-id", "data.private")
def test_a_list_with_nothing_odd_on_it_is_what_the_ledger_holds_then(taken: Taken) -> None:
    hub = taken.stage.hub
    hub.items = [a_repository(id_) for id_ in [*taken.stored, 103, 106, 107, 121]]
    taken.stage.assert_converges()
