"""The methods of HTTP, and listings in pages, in terms of one request."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sync.rest.paging import linked
from sync.rest.response import Response


class Verbs:
    """What a client can be asked for; see `RestClient.request`."""

    request: Callable[..., Response]

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

        They lead from one to the next by `Link: <…>; rel="next"` (RFC 8288), within the
        origin. Raises what `request` raises, and UnexpectedAnswer for a circle.
        """
        first = self.get(path, params=params, headers=headers)
        yield from linked(first, lambda url: self.get(url, headers=headers))
