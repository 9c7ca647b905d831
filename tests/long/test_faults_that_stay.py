"""Faults on the wire that take their time: the pauses as users have them, and lists without end."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from tests.matrix.stage import FAILED, RETRY, RUN_FAILED, Stage, expect
from tests.support.fault_server import Answer, Peer, answer, drip, silence_after
from tests.support.hub import LISTING, Hub, some_repositories
from tests.support.process import PROJECT

TROUBLE = [FAILED, RETRY] * 4 + [FAILED, RUN_FAILED]
LONG_ENOUGH = 500.0  # seconds: 20,000 pages need 60 to 120
pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        pytest.param(
            Peer.reset, "ConnectFailed", id="reset", marks=pytest.mark.matrix("http.unreachable")
        ),
        pytest.param(
            silence_after(answer(200, b"[", length=5000)),
            "TimedOut",
            id="silence",
            marks=pytest.mark.matrix("http.unreachable"),
        ),
        pytest.param(
            drip(answer(200, b"[", length=100_000), b" "),
            "TimedOut",
            id="body",
            marks=pytest.mark.matrix("http.body-trickles"),
        ),
        pytest.param(
            drip(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
            "TimedOut",
            id="headers",
            marks=pytest.mark.matrix("http.headers-trickle"),
        ),
    ],
)
def test_a_fault_that_stays_is_asked_about_five_times_ever_later(
    tmp_path: Path, fault: Answer, error: str
) -> None:
    with Hub(some_repositories(7)) as hub:
        stage = Stage(tmp_path, hub)
        hub.fault("page 2", itertools.repeat(fault))
        ran = stage.run(PYTHONPATH=str(PROJECT), REPOLEDGER_GITHUB__TIMEOUT="1s")
        expect(ran, "failed", TROUBLE, seen=3, error=error)
        pauses = [line["seconds"] for line in ran.lines(RETRY)]
        assert all(full / 2 <= p <= full for p, full in zip(pauses, (1, 2, 4, 8), strict=True))
        stage.assert_converges()


class Endless(Hub):
    """A listing of empty pages that always names one more."""

    def page(self, number: int) -> bytes:
        return answer(200, [], {"Link": f'<{LISTING}&page={number + 1}>; rel="next"'})


@pytest.mark.matrix("http.endless")
def test_a_list_that_never_ends_is_given_up_after_twenty_thousand_pages(tmp_path: Path) -> None:
    with Endless([]) as hub:
        stage = Stage(tmp_path, hub)
        ran = stage.ended(stage.started(), within=LONG_ENOUGH)
        expect(ran, "failed", [RUN_FAILED], seen=0, error="UnexpectedAnswer")
        assert "more than 20,000 pages" in ran.outcome["error_message"]
        assert len(hub.requests) <= 20_001
