"""What the tests of the REST client share."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import Any

from sync.rest import Response, RetryPolicy

QUICK = RetryPolicy(attempts=3, base=0.01, pace_wait=0.01)
ONCE = RetryPolicy(attempts=1)


def decode_json(response: Response) -> Any:
    return response.json()


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield `error` and everything that it came from."""
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        current = todo.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        todo += [current.__cause__, current.__context__]


def everything_said(error: BaseException) -> str:
    """Return all that a careless logger could print about `error`."""
    texts = ["".join(traceback.format_exception(error))]
    for each in chain(error):
        texts += [str(each), repr(each), repr(each.args), repr(vars(each))]
    return "\n".join(texts)


def assert_only_ours(error: BaseException) -> None:
    """Nothing of requests or urllib3 is chained to `error`: it would hold the request."""
    foreign = [
        type(each).__name__
        for each in chain(error)
        if type(each).__module__.partition(".")[0] in ("requests", "urllib3", "http")
    ]
    assert foreign == []
