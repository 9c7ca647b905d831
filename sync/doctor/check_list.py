"""Findings, and the function that runs a list of checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Literal, NamedTuple, TypeVar

from sync.core.errors import Interrupted, RepoledgerError

Subject = TypeVar("Subject")


class Finding(NamedTuple):
    """One line of `repoledger check`: `fail` prevents runs, `warn` may."""

    result: Literal["ok", "warn", "fail"]
    message: str


def ok(message: str) -> Finding:
    """Return a finding without a problem."""
    return Finding("ok", message)


def warn(message: str) -> Finding:
    """Return a finding that may prevent runs."""
    return Finding("warn", message)


def fail(message: str) -> Finding:
    """Return a finding that prevents runs."""
    return Finding("fail", message)


def ok_if(good: bool, message: str) -> Finding:
    """Return `ok` if `good`, else `fail`."""
    return ok(message) if good else fail(message)


class Stop(Exception):
    """Raised by a check to end its list, since the remaining checks would fail with it."""


def run(
    checks: Iterable[Callable[[Subject], Iterable[Finding]]],
    opened: AbstractContextManager[Subject],
) -> Iterator[Finding]:
    """Yield the findings of `checks`, in order, about the subject that `opened` yields.

    Stop ends the list; so does another error, which becomes a failure. Raises Interrupted.
    """
    try:
        with opened as subject:
            for check in checks:
                yield from check(subject)
    except Stop:
        return
    except Interrupted:
        raise
    except RepoledgerError as error:
        yield fail(str(error))
