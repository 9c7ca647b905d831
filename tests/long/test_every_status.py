"""Every status that there is, and some that there are not, in place of a page."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from tests.matrix.stage import RUN_FAILED, Stage
from tests.support.fault_server import answer
from tests.support.hub import Hub, some_repositories

REPOSITORIES = some_repositories(7)
# 5xx are asked for in pieces, 403, 420 and 429 waited for, and 102 to 199 read past: tests of
# their own.
STATUSES = (
    *(0, 1, 99, 101, 201, 202, 205, 206, 207, 208, 226, 299),
    *(300, 301, 302, 303, 304, 305, 306, 307, 308, 309, 399),
    *(400, 401, 402, *range(404, 419), *range(421, 429), 431, 444, 451, 499, 1000),
)
OURS = {
    *("BadCredentials", "Conflict", "ConnectFailed", "Forbidden", "InvalidRequest", "NotFound"),
    *("TimedOut", "UnexpectedAnswer"),
}


@pytest.mark.timeout(600)
@pytest.mark.matrix("http.another-shape", "http.404", "http.401", "always.converges")
def test_no_status_but_200_and_203_is_taken_for_a_page(tmp_path: Path) -> None:
    with Hub(REPOSITORIES) as hub:
        stage = Stage(tmp_path, hub)
        for status in STATUSES:
            hub.heal()
            hub.fault("page 2", itertools.repeat(answer(status, REPOSITORIES[3:6])))
            ran = stage.run()
            assert (ran.code, ran.events[-1]) == (1, RUN_FAILED), status
            assert ran.outcome["error_type"] in OURS, status
            assert stage.ids() == [1, 2, 3], status
        stage.assert_converges()
