"""What a list of repositories can be narrowed to, and what it tells of gains, on each database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.database import HOST, HandClock, execute, repository, store_page
from tests.support.inside.core import QueryRefused
from tests.support.inside.database import Ledger, words_of

if TYPE_CHECKING:
    from tests.support.inside.database import Run, Store

LONG_AGO, LATELY = "2020-05-01T00:00:00Z", "2026-02-01T00:00:00Z"
MIT, APACHE = {"spdx_id": "MIT"}, {"spdx_id": "Apache-2.0"}


def made(id_: int, full_name: str, **fields: Any) -> Any:
    plain: dict[str, Any] = {
        "license": None,
        "topics": [],
        "pushed_at": None,
        "stargazers_count": 0,
    }
    return repository(id_, full_name, **plain | fields)


FOUND = (
    made(1, "ada/gravel", description="Fast tools: C++, 3d", topics=["web-server"]),
    made(2, "ada/larch", license=MIT, stargazers_count=50, pushed_at=LONG_AGO),
    made(3, "ada/gravel-tools", visibility="internal", is_template=True, stargazers_count=None),
    made(4, "bob/gravel", license=APACHE, stargazers_count=500, pushed_at=LATELY),
    made(5, "bob/Sparse_Matrix-2", description="Café “größe” 日本語 e.g. node.js/x"),
)


@pytest.fixture
def filled(store: Store, ledger: Ledger, run: Run) -> Ledger:
    store_page(store, run, *FOUND)
    return ledger


def ids(ledger: Ledger, **wanted: Any) -> list[int]:
    return sorted(row["id"] for row in ledger.repos(**wanted))


WANTED: list[tuple[dict[str, Any], list[int]]] = [
    ({"names": ["gravel"]}, [1, 4]),
    ({"names": ["ADA/Gravel", "larch"]}, [1, 2]),
    ({"names": ["ada/*"]}, [1, 2, 3]),
    ({"names": ["*/gravel"]}, [1, 4]),
    ({"names": ["grave?"]}, [1, 4]),
    ({"names": ["*_MATRIX*"]}, [5]),
    ({"names": [f"https://{HOST}/bob/gravel"]}, [4]),
    ({"names": ["[ab]*"]}, []),
    ({"license": "mit"}, [2]),
    ({"license": ""}, [1, 3, 5]),
    ({"visibility": "INTERNAL"}, [3]),
    ({"template": True}, [3]),
    ({"stars": (1, 50)}, [2]),
    ({"stars": (51, None), "names": ["gravel"]}, [4]),
    ({"pushed_before": datetime(2021, 1, 1, tzinfo=UTC)}, [2]),
    ({"pushed_after": datetime(2026, 1, 1, tzinfo=UTC)}, [4]),
]
SEARCHED = [
    ("gravel", [1, 3, 4]),
    ("grav TOOL", [1, 3]),
    ("avel", []),  # no beginning of a word
    ("web server", [1]),
    ('"c++" OR -x* (', []),  # no operators: words like any other
    ("c++ 3D", [1]),
    ("sparse_matrix", [5]),
    ("mat 2", [5]),
    ("Café größe", [5]),
    ("日本", [5]),
    ("node.js", [5]),
    ("100%", []),
]


def test_a_list_has_what_was_asked_for_now_and_as_of_a_time(
    filled: Ledger, clock: HandClock
) -> None:
    for wanted, found in WANTED:
        assert ids(filled, **wanted) == found, wanted
        assert ids(filled, as_of=clock.now, **wanted) == found, wanted


def test_words_are_found_by_their_beginnings_in_names_descriptions_and_topics(
    filled: Ledger, clock: HandClock
) -> None:
    for text, found in SEARCHED:
        words = words_of(text)
        assert ids(filled, words=words) == found, text
        assert ids(filled, words=words, as_of=clock.now) == found, text
        assert [row["id"] for row in filled.repos(words=words, limit=1, sort="id")] == found[:1]


def test_a_redacted_text_is_found_no_more(filled: Ledger, store: Store) -> None:
    assert ids(filled, words=("sparse",)) == [5]
    execute(
        store.url,
        "UPDATE repositories SET full_name = 'bob/[redacted-5]', name = '[redacted-5]', "
        "description = NULL WHERE id = 5",
    )
    assert ids(filled, words=("sparse",)) == ids(filled, words=("café",)) == []


def test_a_search_without_words_or_with_too_many_is_refused() -> None:
    many = " ".join(map(str, range(2_000)))
    for text in ("", "+-* \"'", "x" * 10_000, many, "\udcff"):
        with pytest.raises(QueryRefused):
            words_of(text)
    assert words_of("a b " * 2_500) == ("a", "b")


def test_gains_are_told_and_sorted_by_with_unknown_ones_last(
    filled: Ledger, store: Store, clock: HandClock
) -> None:
    clock.advance(days=10)
    run = store.start_run("me", HOST, "backfill")
    store_page(
        store,
        run,
        repository(1, "ada/gravel", stargazers_count=25, forks_count=3),
        repository(4, "bob/gravel", stargazers_count=480),
    )
    since = clock.now.date() - timedelta(days=5)

    def told(**options: Any) -> list[tuple[int, int | None, int | None]]:
        rows = filled.repos(gained_since=since, **options)
        return [(row["id"], row["gained"], row["forks_gained"]) for row in rows]

    most = told(sort="gained", descending=True, then=[("full_name", False)])
    assert most == [(1, 25, 1), (2, 0, 0), (5, 0, 0), (4, -20, 0), (3, None, 0)]
    for limit in range(1, 6):  # what cannot be among the first is not looked at
        first = told(sort="gained", descending=True, limit=limit, then=[("full_name", False)])
        assert first == most[:limit]
    assert told(sort="gained", limit=2) == [(4, -20, 0), (2, 0, 0)]
    past = told(sort="gained", descending=True, as_of=clock.now, then=[("full_name", False)])
    assert past == most


def test_several_orders_follow_each_other(filled: Ledger, clock: HandClock) -> None:
    for as_of in (None, clock.now):
        rows = filled.repos(
            sort="owner_login", then=[("stargazers_count", True)], as_of=as_of, limit=4
        )
        assert [row["id"] for row in rows] == [2, 1, 3, 4]


def test_a_name_that_nothing_has_is_told_with_the_nearest(filled: Ledger, store: Store) -> None:
    execute(store.url, "UPDATE repositories SET removed_at = '2026-03-02 00:00:00' WHERE id = 2")
    asked = ["ada/gravle", "gravel", "ada/*", "zoo/*", "larch"]
    found = [tuple(each) for each in filled.unmatched(asked, removed=False)]
    assert found == [
        ("ada/gravle", ["ada/gravel"], False),
        ("zoo/*", [], False),
        ("larch", [], True),
    ]
