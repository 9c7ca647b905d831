"""Redirects: followed within the origin, and only for GET and HEAD. No I/O here."""

from __future__ import annotations

import requests

from sync.core import origin
from sync.core.errors import UnexpectedAnswer
from sync.core.redaction import scrub
from sync.rest.response import Response

LONGEST = 5  # redirects in a row
_STATUSES = (301, 302, 303, 307, 308)


def redirected(
    base_url: str, prepared: requests.PreparedRequest, response: Response
) -> requests.PreparedRequest | None:
    """Return the request that `response` redirects to; None if it is the answer itself.

    Requests that change the server are not redirected. Raises ForeignOrigin, and
    UnexpectedAnswer for a target that is not a URL.
    """
    location = response.headers.get("Location")
    if response.status not in _STATUSES or not location or response.method not in ("GET", "HEAD"):
        return None
    target = prepared.copy()
    try:
        target.prepare_url(origin.follow(base_url, response.url, location), None)
    except (requests.RequestException, ValueError):
        valid = False
    else:
        valid = True
    if not valid:  # raised outside of the handler: the original holds the request
        raise UnexpectedAnswer("a redirect to something that is not a URL", url=scrub(response.url))
    return target
