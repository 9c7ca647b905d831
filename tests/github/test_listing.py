"""Which page is asked for next: decided without a server."""

from __future__ import annotations

import pytest

from sync.errors import UnexpectedAnswer
from sync.github.answers import CachedPage, Page
from sync.github.listing import Itinerary

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


def test_a_listing_without_end_is_an_error_before_it_fills_the_memory() -> None:
    itinerary = Itinerary(BASE, {})
    with pytest.raises(UnexpectedAnswer, match="more than"):
        itinerary.arrived(page(BASE, next_url=url(2), last_url=url(999_999_999)))


def test_a_last_page_that_is_not_a_number_is_not_relied_upon() -> None:
    itinerary = Itinerary(BASE, {})
    itinerary.arrived(page(BASE, next_url=url(2), last_url=f"{BASE}&page=many"))
    assert itinerary.urls == [BASE, url(2)]
