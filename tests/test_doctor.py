"""The runner of checks: in order, until the rest would make no sense."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from tests.support.inside.core import DatabaseError, Interrupted
from tests.support.inside.doctor import Finding, Stop, run

GOOD, BAD = Finding("ok", "good"), Finding("fail", "bad")


def check_that_fails(_: str) -> Iterator[Finding]:
    yield BAD


def check_that_is_good(_: str) -> Iterator[Finding]:
    yield GOOD


def check_that_stops(_: str) -> Iterator[Finding]:
    yield BAD
    raise Stop


def check_that_breaks(subject: str) -> Iterator[Finding]:
    yield GOOD
    raise DatabaseError(f"{subject}: gone")


def check_that_is_interrupted(_: str) -> Iterator[Finding]:
    yield GOOD
    raise Interrupted("stopped")


class Closed(nullcontext[str]):
    """A subject that cannot be opened."""

    def __enter__(self) -> str:
        raise DatabaseError("no server")


def test_a_failed_check_does_not_prevent_the_next_checks() -> None:
    checks = (check_that_fails, check_that_is_good)
    assert list(run(checks, nullcontext("it"))) == [BAD, GOOD]


def test_after_a_check_that_stops_no_other_is_made() -> None:
    checks = (check_that_is_good, check_that_stops, check_that_is_good)
    assert list(run(checks, nullcontext("it"))) == [GOOD, BAD]


def test_an_error_is_a_failure_and_the_last_finding() -> None:
    checks = (check_that_breaks, check_that_is_good)
    assert list(run(checks, nullcontext("it"))) == [GOOD, Finding("fail", "it: gone")]


def test_a_database_that_cannot_be_opened_is_a_failure_and_nothing_is_checked() -> None:
    assert list(run((check_that_is_good,), Closed())) == [Finding("fail", "no server")]


def test_an_interruption_is_no_finding() -> None:
    found = run((check_that_is_interrupted,), nullcontext("it"))
    assert next(found) == GOOD
    with pytest.raises(Interrupted):
        next(found)
