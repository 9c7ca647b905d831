"""Requests what one repository has: an error about it becomes the status of its answer."""

from __future__ import annotations

from sync.core import errors
from sync.forges.answers import CachedPage
from sync.forges.forge import Forge
from sync.load.due import Candidate
from sync.load.fetched import Fetched, detail_of, status_of
from sync.resources.figures import Figures
from sync.resources.resource import Resource
from sync.rest.stats import counted_as

# Errors that end the run: they do not depend on the repository.
_OF_THE_RUN = (errors.RateLimited, errors.BadCredentials)


def fetch(
    client: Forge,
    resource: Resource | Figures,
    candidate: Candidate,
    known: dict[str, CachedPage],
) -> Fetched:
    """Request one repository; docs/resources.md lists the meaning of each answer."""
    url = candidate.state.memory.get("next") if candidate.state else None
    try:
        with counted_as(resource.name):
            if isinstance(resource, Resource):
                pages = client.children(resource, candidate.id, known)
                return Fetched(candidate, "complete", pages)
            parts, error = client.figures(resource, candidate.id, known, url)
    except _OF_THE_RUN:
        raise
    except errors.RestError as failure:
        detail = detail_of(failure, resource.needs)
        return Fetched(candidate, status_of(failure), detail=detail, url=url)
    if error is not None:
        detail = detail_of(error, resource.needs)
        return Fetched(candidate, status_of(error), (), parts, detail, url)
    return Fetched(candidate, "complete", parts=parts, url=url)
