"""Which page is asked for next: decided without a server."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

import pytest

from sync.errors import ForeignOrigin, UnexpectedAnswer
from sync.github.answers import CachedPage, Page
from sync.github.listing import Itinerary, page_number, walk
from tests.support.database import decoded, repository

BASE = "https://api.example/user/repos?per_page=100&sort=created"


def url(number: int) -> str:
    return f"{BASE}&page={number}"


def page(
    address: str, items: int = 100, next_url: str | None = None, last_url: str | None = None
) -> Page:
    return Page(
        url=address,
        key=address,
        etag=None,
        not_modified=False,
        item_count=items,
        next_url=next_url,
        last_url=last_url,
    )


def test_last_makes_every_page_known_at_once() -> None:
    itinerary = Itinerary(BASE, {})
    itinerary.arrived(page(BASE, next_url=url(2), last_url=url(5)))
    assert itinerary.urls == [BASE, url(2), url(3), url(4), url(5)]


def test_without_last_the_links_are_followed_one_by_one() -> None:
    itinerary = Itinerary(BASE, {})
    itinerary.arrived(page(BASE, next_url=url(2)))
    assert itinerary.urls == [BASE, url(2)]


def test_a_short_page_without_next_is_the_end() -> None:
    itinerary = Itinerary(BASE, {})
    itinerary.arrived(page(BASE, items=99))
    assert itinerary.urls == [BASE]


def test_a_full_page_is_always_followed_by_another_request() -> None:
    itinerary = Itinerary(BASE, {})
    itinerary.arrived(page(BASE, items=100))
    assert itinerary.urls == [BASE, url(2)]


def test_a_link_is_followed_as_the_server_wrote_it() -> None:
    itinerary = Itinerary("https://api.example/users/octo/repos", {})
    given = "https://api.example/user/583231/repos?page=2&per_page=100&sort=created"
    last = "https://api.example/user/583231/repos?page=4&per_page=100&sort=created"
    itinerary.arrived(page("https://api.example/users/octo/repos", next_url=given, last_url=last))
    assert itinerary.urls[1:] == [given, given.replace("page=2", "page=3", 1), last]


def test_the_same_page_written_differently_is_asked_for_once() -> None:
    itinerary = Itinerary(BASE, {})
    itinerary.arrived(page(BASE, next_url=url(2), last_url=url(3)))
    reordered = "https://api.example/user/repos?page=3&sort=created&per_page=100"
    itinerary.arrived(page(url(2), next_url=reordered))
    assert len(itinerary.urls) == 3


def test_pages_of_the_last_run_are_asked_for_without_waiting_for_links() -> None:
    cached = {
        BASE: CachedPage(etag="a", item_count=100, next_url=url(2)),
        url(2): CachedPage(etag="b", item_count=100, next_url=None),
        url(3): CachedPage(etag="c", item_count=7, next_url=None),
    }
    assert Itinerary(BASE, cached).urls == [BASE, url(2), url(3)]


def test_remembered_pages_that_lead_in_a_circle_are_cut_off() -> None:
    cached = {BASE: CachedPage(etag="a", item_count=3, next_url=BASE)}
    assert Itinerary(BASE, cached).urls == [BASE]


@pytest.mark.parametrize("back_to", [BASE, url(2)])
def test_pages_that_lead_in_a_circle_are_an_error(back_to: str) -> None:
    itinerary = Itinerary(BASE, {})
    itinerary.arrived(page(BASE, next_url=url(2)))
    with pytest.raises(UnexpectedAnswer, match="circle"):
        itinerary.arrived(page(url(2), next_url=back_to))


CACHED = {
    BASE: CachedPage(etag="a", item_count=100, next_url=url(2)),
    url(2): CachedPage(etag="b", item_count=100, next_url=url(3)),
    url(3): CachedPage(etag="c", item_count=7, next_url=None),
}


def test_what_a_page_says_counts_for_more_than_what_is_remembered() -> None:
    itinerary = Itinerary(BASE, CACHED)
    moved = url(2).replace("repos", "repositories")
    itinerary.arrived(page(BASE, next_url=moved))
    assert itinerary.urls == [BASE, moved]


def test_a_listing_that_has_become_shorter_ends_where_it_says() -> None:
    itinerary = Itinerary(BASE, CACHED)
    itinerary.arrived(page(BASE, items=40))
    assert itinerary.urls == [BASE]


def test_an_empty_page_ends_a_listing_whose_last_page_was_a_lie() -> None:
    itinerary = Itinerary(BASE, {})
    itinerary.arrived(page(BASE, next_url=url(2), last_url=url(15_000)))
    itinerary.arrived(page(url(2), items=0))
    assert itinerary.urls == [BASE, url(2)]


def test_a_server_that_gives_the_same_page_for_every_number_is_not_asked_on() -> None:
    itinerary = Itinerary(BASE, {})
    items = tuple(decoded(repository(1), repository(2, "octo/two")))
    first = replace(page(BASE, next_url=url(2)), items=items)
    itinerary.arrived(first)
    with pytest.raises(UnexpectedAnswer, match="same page"):
        itinerary.arrived(replace(first, url=url(2), next_url=url(3)))


def test_a_next_page_of_another_origin_is_an_error_before_its_page_is_stored() -> None:
    itinerary = Itinerary(BASE, {})
    with pytest.raises(ForeignOrigin, match="next page"):
        itinerary.arrived(page(BASE, next_url="https://evil.example/user/repos?page=2"))


def test_answers_given_up_are_not_waited_for_and_large_ones_are_not_hoarded() -> None:
    asked: list[str] = []

    def submit(fetch: Callable[[str], Page], address: str) -> Future[Page]:
        asked.append(address)
        future: Future[Page] = Future()
        future.set_result(fetch(address))
        return future

    def fetch(address: str) -> Page:
        number = page_number(address) or 1
        full = page(address, next_url=url(number + 1), last_url=url(9))
        return replace(full if number < 9 else page(address, items=0), size=40 * 1024 * 1024)

    walked = walk(Itinerary(BASE, {}), fetch, submit, 8)
    next(walked)
    assert len(asked) == 3  # the page in hand, and two that are 80 MiB together
    assert len(list(walked)) == 8


@pytest.mark.matrix("http.endless")
def test_a_listing_without_end_is_an_error_before_it_fills_the_memory() -> None:
    itinerary = Itinerary(BASE, {})
    with pytest.raises(UnexpectedAnswer, match="more than"):
        itinerary.arrived(page(BASE, next_url=url(2), last_url=url(999_999_999)))


def test_a_last_page_that_is_not_a_number_is_not_relied_upon() -> None:
    itinerary = Itinerary(BASE, {})
    itinerary.arrived(page(BASE, next_url=url(2), last_url=f"{BASE}&page=many"))
    assert itinerary.urls == [BASE, url(2)]


@pytest.mark.timeout(30)
def test_a_long_listing_whose_every_page_names_the_last_takes_time_in_proportion() -> None:
    last = 4_000  # at a time in proportion to the square, minutes
    itinerary = Itinerary(BASE, {})
    for number, address in enumerate([BASE, *map(url, range(2, last))], start=1):
        itinerary.arrived(page(address, next_url=url(number + 1), last_url=url(last)))
    assert itinerary.urls == [BASE, *map(url, range(2, last + 1))]


def test_a_listing_that_grows_while_it_is_read_is_read_to_its_new_end() -> None:
    itinerary = Itinerary(BASE, {})
    itinerary.arrived(page(BASE, next_url=url(2), last_url=url(3)))
    itinerary.arrived(page(url(2), next_url=url(3), last_url=url(5)))
    assert itinerary.urls == [BASE, *map(url, range(2, 6))]
