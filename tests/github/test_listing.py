"""Which page is asked for next: decided without a server."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

import pytest

from tests.support.database import decoded, repository
from tests.support.inside.answers import CachedPage, Page
from tests.support.inside.core import ForeignOrigin, UnexpectedAnswer
from tests.support.inside.github import PageQueue, Paging, page_number, protocol, walk
from tests.support.inside.load import ListingScan

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
    queue = PageQueue(BASE, {}, protocol.PAGING)
    queue.arrived(page(BASE, next_url=url(2), last_url=url(5)))
    assert queue.urls == [BASE, url(2), url(3), url(4), url(5)]


def test_without_last_the_links_are_followed_one_by_one() -> None:
    queue = PageQueue(BASE, {}, protocol.PAGING)
    queue.arrived(page(BASE, next_url=url(2)))
    assert queue.urls == [BASE, url(2)]


def test_a_short_page_without_next_is_the_end() -> None:
    queue = PageQueue(BASE, {}, protocol.PAGING)
    queue.arrived(page(BASE, items=99))
    assert queue.urls == [BASE]


def test_a_full_page_is_always_followed_by_another_request() -> None:
    queue = PageQueue(BASE, {}, protocol.PAGING)
    queue.arrived(page(BASE, items=100))
    assert queue.urls == [BASE, url(2)]


def test_a_link_is_followed_as_the_server_wrote_it() -> None:
    queue = PageQueue("https://api.example/users/octo/repos", {}, protocol.PAGING)
    given = "https://api.example/user/583231/repos?page=2&per_page=100&sort=created"
    last = "https://api.example/user/583231/repos?page=4&per_page=100&sort=created"
    queue.arrived(page("https://api.example/users/octo/repos", next_url=given, last_url=last))
    assert queue.urls[1:] == [given, given.replace("page=2", "page=3", 1), last]


def test_the_same_page_written_differently_is_asked_for_once() -> None:
    queue = PageQueue(BASE, {}, protocol.PAGING)
    queue.arrived(page(BASE, next_url=url(2), last_url=url(3)))
    reordered = "https://api.example/user/repos?page=3&sort=created&per_page=100"
    queue.arrived(page(url(2), next_url=reordered))
    assert len(queue.urls) == 3


def test_pages_of_the_last_run_are_asked_for_without_waiting_for_links() -> None:
    cached = {
        BASE: CachedPage(etag="a", item_count=100, next_url=url(2)),
        url(2): CachedPage(etag="b", item_count=100, next_url=None),
        url(3): CachedPage(etag="c", item_count=7, next_url=None),
    }
    assert PageQueue(BASE, cached, protocol.PAGING).urls == [BASE, url(2), url(3)]


def test_remembered_pages_that_lead_in_a_circle_are_cut_off() -> None:
    cached = {BASE: CachedPage(etag="a", item_count=3, next_url=BASE)}
    assert PageQueue(BASE, cached, protocol.PAGING).urls == [BASE]


@pytest.mark.parametrize("back_to", [BASE, url(2)])
def test_pages_that_lead_in_a_circle_are_an_error(back_to: str) -> None:
    queue = PageQueue(BASE, {}, protocol.PAGING)
    queue.arrived(page(BASE, next_url=url(2)))
    with pytest.raises(UnexpectedAnswer, match="circle"):
        queue.arrived(page(url(2), next_url=back_to))


CACHED = {
    BASE: CachedPage(etag="a", item_count=100, next_url=url(2)),
    url(2): CachedPage(etag="b", item_count=100, next_url=url(3)),
    url(3): CachedPage(etag="c", item_count=7, next_url=None),
}


def test_what_a_page_says_counts_for_more_than_what_is_remembered() -> None:
    queue = PageQueue(BASE, CACHED, protocol.PAGING)
    moved = url(2).replace("repos", "repositories")
    queue.arrived(page(BASE, next_url=moved))
    assert queue.urls == [BASE, moved]


def test_a_listing_that_has_become_shorter_ends_where_it_says() -> None:
    queue = PageQueue(BASE, CACHED, protocol.PAGING)
    queue.arrived(page(BASE, items=40))
    assert queue.urls == [BASE]


def test_an_empty_page_ends_a_listing_whose_last_page_was_a_lie() -> None:
    queue = PageQueue(BASE, {}, protocol.PAGING)
    queue.arrived(page(BASE, next_url=url(2), last_url=url(15_000)))
    queue.arrived(page(url(2), items=0))
    assert queue.urls == [BASE, url(2)]


def test_a_server_that_gives_the_same_page_for_every_number_is_not_asked_on() -> None:
    queue = PageQueue(BASE, {}, protocol.PAGING)
    items = tuple(decoded(repository(1), repository(2, "octo/two")))
    first = replace(page(BASE, next_url=url(2)), items=items, ids=[1, 2])
    queue.arrived(first)
    with pytest.raises(UnexpectedAnswer, match="same page"):
        queue.arrived(replace(first, url=url(2), next_url=url(3)))


def test_a_next_page_of_another_origin_is_an_error_before_its_page_is_stored() -> None:
    queue = PageQueue(BASE, {}, protocol.PAGING)
    with pytest.raises(ForeignOrigin, match="next page"):
        queue.arrived(page(BASE, next_url="https://evil.example/user/repos?page=2"))


class OnItsWay(Future[Page]):
    """A page that is under way until somebody waits for it."""

    def __init__(self, fetch: Callable[[], Page]) -> None:
        super().__init__()
        self.fetch = fetch

    def result(self, timeout: float | None = None) -> Page:
        if not self.done():
            self.set_result(self.fetch())
        return super().result(timeout)


@pytest.mark.parametrize("arrives", [True, False])
def test_answers_given_up_are_not_waited_for_and_large_ones_are_not_hoarded(
    arrives: bool,
) -> None:
    asked: list[str] = []

    def submit(fetch: Callable[[str], Page], address: str) -> Future[Page]:
        asked.append(address)
        future = OnItsWay(lambda: fetch(address))
        if arrives:
            future.result()
        return future

    def fetch(address: str) -> Page:
        number = page_number(address) or 1
        full = page(address, next_url=url(number + 1), last_url=url(9))
        return replace(full if number < 9 else page(address, items=0), size=20 * 1024 * 1024)

    walked = walk(PageQueue(BASE, {}, protocol.PAGING), fetch, submit, 8)
    next(walked)
    assert len(asked) == 3  # the page in hand, and two more: 60 MiB
    assert len(list(walked)) == 8


@pytest.mark.matrix("http.endless")
def test_a_listing_without_end_is_an_error_before_it_fills_the_memory() -> None:
    queue = PageQueue(BASE, {}, protocol.PAGING)
    with pytest.raises(UnexpectedAnswer, match="more than"):
        queue.arrived(page(BASE, next_url=url(2), last_url=url(999_999_999)))


def test_a_last_page_that_is_not_a_number_is_not_relied_upon() -> None:
    queue = PageQueue(BASE, {}, protocol.PAGING)
    queue.arrived(page(BASE, next_url=url(2), last_url=f"{BASE}&page=many"))
    assert queue.urls == [BASE, url(2)]


@pytest.mark.timeout(30)
def test_a_long_listing_whose_every_page_names_the_last_takes_time_in_proportion() -> None:
    last = 4_000  # at a time in proportion to the square, minutes
    queue = PageQueue(BASE, {}, protocol.PAGING)
    for number, address in enumerate([BASE, *map(url, range(2, last))], start=1):
        queue.arrived(page(address, next_url=url(number + 1), last_url=url(last)))
    assert queue.urls == [BASE, *map(url, range(2, last + 1))]


def test_a_listing_that_grows_while_it_is_read_is_read_to_its_new_end() -> None:
    queue = PageQueue(BASE, {}, protocol.PAGING)
    queue.arrived(page(BASE, next_url=url(2), last_url=url(3)))
    queue.arrived(page(url(2), next_url=url(3), last_url=url(5)))
    assert queue.urls == [BASE, *map(url, range(2, 6))]


def test_a_page_that_only_the_rule_asked_for_is_the_end_if_it_repeats_one_before() -> None:
    queue = PageQueue(BASE, {}, protocol.PAGING)
    first = replace(page(BASE), ids=list(range(100)))
    assert queue.arrived(first)
    assert not queue.arrived(replace(first, url=url(2)))
    assert queue.urls == [BASE, url(2)]


def test_a_page_without_a_number_is_not_given_one() -> None:
    queue = PageQueue(BASE, {}, protocol.PAGING)
    queue.arrived(page(BASE, next_url=f"{BASE}&after=x"))
    queue.arrived(page(f"{BASE}&after=x"))
    assert queue.urls == [BASE, f"{BASE}&after=x"]


# Pages of another size, or of another kind


def test_where_links_alone_lead_on_a_full_last_page_is_the_end() -> None:
    queue = PageQueue(BASE, {}, Paging(size=100, size_name="per_page", numbered=False))
    queue.arrived(page(BASE, next_url=f"{BASE}&id_after=100"))
    queue.arrived(page(f"{BASE}&id_after=100"))
    assert queue.urls == [BASE, f"{BASE}&id_after=100"]


def test_a_page_is_divided_by_whatever_name_its_size_has() -> None:
    paging = Paging(size=50, size_name="limit")
    assert paging.sizes == (50, 25)
    asked = "https://api.example/user/repos?limit=50&page=2"
    pieces = [f"https://api.example/user/repos?limit=25&page={number}" for number in (3, 4)]
    assert paging.pieces(asked, 25) == pieces


def announced(*pages: Page) -> int | None:
    """Return how many items a listing of these pages announced."""
    scan = ListingScan(protocol.PAGING.size)
    for each in pages:
        scan.take(each)
    return scan.announced


@pytest.mark.parametrize(("size", "least"), [(30, 91), (50, 151), (100, 301)])
def test_what_is_announced_is_counted_in_pages_of_the_size_that_the_server_gives(
    size: int, least: int
) -> None:
    first = page(BASE, items=size, next_url=url(2), last_url=url(4))
    assert announced(first) == least
    assert announced(first, page(url(4), items=1)) == least


def test_a_total_that_the_server_tells_is_what_it_announced() -> None:
    first = page(BASE, items=30, next_url=url(2), last_url=url(4))
    assert announced(replace(first, total=118)) == 118
    assert announced(page(BASE, items=3)) is None
