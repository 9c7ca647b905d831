"""The methods of HTTP and the paging of listings, on top of one request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from sync.rest.paging import Leaf, linked
from sync.rest.response import Response

T = TypeVar("T")


class Verbs:
    """The methods of a client by the names of HTTP; see `RestClient.request`."""

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
        """Yield the pages of a listing; each is requested when the loop asks for it.

        `next_page` returns the next address, within the origin. Raises the errors of
        `request`, and UnexpectedAnswer for a circle.
        """
        return self._walk(path, params, headers, lambda response: response)

    def items(
        self,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[Any]:
        """Yield the items of a listing, page by page, as `page_items` reads them; see `pages`."""
        for items in self._walk(path, params, headers, self.page_items):
            yield from items

    def next_page(self, response: Response) -> str | None:
        """Return the address of the page that follows `response`; None if there is none.

        By default it is that of `Link: <…>; rel="next"` (RFC 8288).
        """
        return response.links.get("next")

    def page_items(self, response: Response) -> Iterable[Any]:
        """Return the items of the page in `response`; by default those of a JSON array.

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

        # Decoded within the attempt, so that a truncated page is retried.
        first = self.fetch(path, leaf, params=params, headers=headers)
        yield from linked(first, lambda url: self.fetch(url, leaf, headers=headers))
