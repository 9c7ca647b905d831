"""Probes: requests for missing repositories by id, in parallel, answered in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import NamedTuple

from structlog import get_logger

from sync.core.errors import (
    BadCredentials,
    Blocked,
    ConnectFailed,
    Gone,
    Interrupted,
    NotJson,
    RateLimited,
    RestError,
    ServerError,
    TimedOut,
)
from sync.forges.answers import Found
from sync.forges.forge import Forge
from sync.removals.judge import Answer

log = get_logger("sync.runner")

# Failed probes after which no more are sent: GitHub has a problem that no single repository causes.
_IN_A_ROW = 3
_IN_ALL = 20
_TROUBLES = (ConnectFailed, NotJson, RateLimited, ServerError, TimedOut)
# Errors that end all probes.
_ENDS = (BadCredentials, Interrupted, RateLimited)


class _Patience:
    """Counts probes without a usable answer."""

    def __init__(self) -> None:
        self.in_a_row = 0
        self.in_all = 0

    @property
    def lost(self) -> bool:
        return self.in_a_row >= _IN_A_ROW or self.in_all >= _IN_ALL


class Probe(NamedTuple):
    """GitHub's answer about a repository, and its ETag."""

    id: int
    answer: Answer
    etag: str | None = None


def probes(client: Forge, ids: Sequence[int], tags: Mapping[int, str]) -> Iterator[Probe]:
    """Yield GitHub's answer about each repository; several requests are in flight.

    Requests for ids in `tags` are conditional. Raises RateLimited, BadCredentials and
    Interrupted, after it has yielded the answers that have arrived.
    """
    pending: deque[tuple[int, Future[Found]]] = deque()
    upcoming = iter(ids)
    patience = _Patience()
    try:
        while True:
            while len(pending) < 2 * client.concurrency and not patience.lost:
                if (id_ := next(upcoming, None)) is None:
                    break
                asked = client.in_background(client.repository_if_changed, id_, tags.get(id_))
                pending.append((id_, asked))
            if not pending:
                break
            id_, future = pending.popleft()
            try:
                probe = _probe(id_, tags.get(id_), future, patience)
            except _ENDS:
                # The other answers that have arrived have cost quota, too.
                for id_, future in pending:
                    if future.done():
                        with suppress(*_ENDS):
                            yield _probe(id_, tags.get(id_), future, patience)
                raise
            yield probe
    finally:
        for _, future in pending:
            future.cancel()
    yield from (Probe(id_, "unknown") for id_ in upcoming)


def _probe(id_: int, tag: str | None, future: Future[Found], patience: _Patience) -> Probe:
    try:
        found = future.result()
    except Gone:
        patience.in_a_row = 0
        return Probe(id_, "not_found")
    except Blocked:
        patience.in_a_row = 0
        return Probe(id_, "blocked")
    except RateLimited as error:
        if error.status is None or error.status < 500:
            raise
        # A 5xx may concern this repository alone; a real limit stops the next.
        trouble: RestError = error
    except (BadCredentials, Interrupted):
        raise
    except RestError as error:
        trouble = error
    else:
        patience.in_a_row = 0
        if found.item is None:  # a 304; it may spell the ETag in another way
            return Probe(id_, "same", tag)
        return Probe(id_, found.item, found.etag)
    patience.in_all += 1
    patience.in_a_row += isinstance(trouble, _TROUBLES)
    # Without the URL, which may contain the repository's name after a redirect.
    log.warning("sync.probe_failed", repository_id=id_, message=trouble.message)
    return Probe(id_, "unknown")
