"""The methods of HTTP, and listings in pages, in terms of one request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from sync.rest.paging import Leaf, linked
from sync.rest.response import Response

T = TypeVar("T")


class Verbs:
    """What a client can be asked for; see `RestClient.request`."""

    request: Callable[..., Response]
    fetch: Callable[..., Any]

    def get(self, path: str, **kwargs: Any) -> Response:
        """Send a GET request; see `request`."""
        return self.request("GET", path, **kwargs)

    def post(self, path: str, **kwargs: Any) -> Response:
        """Send a POST request; see `request`."""
        return self.request("POST", path, **kwargs)

    def put(self, path: str, **kwargs: Any) -> Response:
        """Send a PUT request; see `request`."""
        return self.request("PUT", path, **kwargs)

    def patch(self, path: str, **kwargs: Any) -> Response:
        """Send a PATCH request; see `request`."""
        return self.request("PATCH", path, **kwargs)

    def delete(self, path: str, **kwargs: Any) -> Response:
        """Send a DELETE request; see `request`."""
        return self.request("DELETE", path, **kwargs)

    def pages(
        self,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[Response]:
        """Yield the answers of a listing, each asked for when the one before it is done with.

        `next_page` leads from one to the next, within the origin. Raises what `request`
        raises, and UnexpectedAnswer for a circle.
        """
        return self._walk(path, params, headers, lambda response: response)

    def items(
        self,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[Any]:
        """Yield what the pages of a listing hold, as `page_items` reads it; see `pages`."""
        for items in self._walk(path, params, headers, self.page_items):
            yield from items

    def next_page(self, response: Response) -> str | None:
        """Return the address of the page that follows `response`; None if there is none.

        By default it is that of `Link: <…>; rel="next"` (RFC 8288).
        """
        return response.links.get("next")

    def page_items(self, response: Response) -> Iterable[Any]:
        """Return what the page in `response` holds; by default it is a JSON array.

        Raises NotJson and UnexpectedAnswer.
        """
        return response.decode(list)

    def _walk(
        self,
        path: str,
        params: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None,
        read: Callable[[Response], T],
    ) -> Iterator[T]:
        def leaf(response: Response) -> Leaf[T]:
            return Leaf(response, read(response), self.next_page(response))

        # Read as it arrives: a page that was cut short is asked for again.
        first = self.fetch(path, leaf, params=params, headers=headers)
        yield from linked(first, lambda url: self.fetch(url, leaf, headers=headers))
