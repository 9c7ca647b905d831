"""Asking GitHub for repositories by id: what came of each, in the order they were asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future

from sync.errors import (
    BadCredentials,
    Blocked,
    ConnectFailed,
    Interrupted,
    NotFound,
    NotJson,
    RateLimited,
    RestError,
    ServerError,
    TimedOut,
)
from sync.github.client import GitHubClient
from sync.github.records import Item
from sync.loggers import get_logger
from sync.verdicts import Answer

log = get_logger("sync.runner")

# GitHub has other troubles after so many in a row, and is left alone; after so many in all, too.
_IN_A_ROW = 3
_IN_ALL = 20
# GitHub's own words. A proxy's are not its word that there is nothing.
_GONE = "404: Not Found"
_TROUBLES = (ConnectFailed, NotJson, ServerError, TimedOut)


class _Patience:
    """How many answers have said nothing."""

    def __init__(self) -> None:
        self.in_a_row = 0
        self.in_all = 0

    @property
    def lost(self) -> bool:
        return self.in_a_row >= _IN_A_ROW or self.in_all >= _IN_ALL


def answers(client: GitHubClient, ids: Sequence[int]) -> Iterator[tuple[int, Answer]]:
    """Yield what GitHub says of each repository, several asked for at a time.

    Raises what keeps everything else from being asked, too: RateLimited,
    BadCredentials, Interrupted.
    """
    pending: deque[tuple[int, Future[Item]]] = deque()
    upcoming = iter(ids)
    patience = _Patience()
    try:
        while True:
            while len(pending) < 2 * client.concurrency and not patience.lost:
                if (id_ := next(upcoming, None)) is None:
                    break
                pending.append((id_, client.in_background(client.repository_by_id, id_)))
            if not pending:
                break
            id_, future = pending.popleft()
            yield id_, _answer(id_, future, patience)
    finally:
        for _, future in pending:
            future.cancel()
    yield from ((id_, "unknown") for id_ in upcoming)


def _answer(id_: int, future: Future[Item], patience: _Patience) -> Answer:
    try:
        item = future.result()
    except NotFound as error:
        if error.message == _GONE:
            patience.in_a_row = 0
            return "not_found"
        trouble: RestError = error
    except Blocked:
        patience.in_a_row = 0
        return "blocked"
    except (BadCredentials, Interrupted, RateLimited):
        raise
    except RestError as error:
        trouble = error
    else:
        patience.in_a_row = 0
        return item
    patience.in_all += 1
    patience.in_a_row += isinstance(trouble, _TROUBLES)
    # Not the address, which may be another by now, and tell a name.
    log.warning("sync.probe_failed", repository_id=id_, message=trouble.message)
    return "unknown"
