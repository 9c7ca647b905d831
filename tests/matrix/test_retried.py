"""Faults that may pass by themselves: asked for again, a few times, at growing intervals.

Each is sat out if it passes. If it stays the run fails, and what was stored before it
stays. The fault is always in place of the second of three pages.
"""

from __future__ import annotations

import gzip
import itertools
import json
from typing import Any, NamedTuple

import pytest

from tests.matrix.stage import FAILED, RETRY, RUN_FAILED, RUN_FINISHED, Stage, expect
from tests.support.fault_server import Answer, FaultServer, Peer, answer, drip, silence_after
from tests.support.hub import place_of, some_repositories

pytestmark = pytest.mark.slow

ATTEMPTS = 5
CLOSE = {"Connection": "close"}
CHUNKED = {"Transfer-Encoding": "chunked"}
HTML = {"Content-Type": "text/html"}
PAGE = json.dumps(some_repositories(3)).encode()
HALF = PAGE[: len(PAGE) // 2]
ERROR_PAGE = b"<html><h1>Unicorn!</h1>" + b"<p>We are having trouble. " * 200 + b"THE END</html>"


class Fault(NamedTuple):
    """Answers that say nothing useful, and the error that is recorded of the last of them."""

    answers: tuple[Answer, ...]
    error: str


def fault(key: pytest.MarkDecorator, name: str, error: str, *answers: Answer) -> Any:
    return pytest.param(Fault(answers, error), id=name, marks=key)


QUICK = [
    fault(
        pytest.mark.matrix("http.unreachable"),
        *("reset", "ConnectFailed"),
        *(Peer.reset, b"", b"HTTP/1.1 ", b"SSH-2.0-OpenSSH_9.2\r\n"),
    ),
    fault(
        pytest.mark.matrix("http.cut-short"),
        *("cut-by-its-length", "ConnectFailed"),
        answer(200, HALF, CLOSE, length=len(PAGE)),
        answer(200, b"", CLOSE, length=len(PAGE)),
        answer(200, b"4000\r\n" + HALF, CHUNKED, length=-1),
        answer(200, b"5\r\n[ ]  \r\n", CHUNKED, length=-1),
    ),
    fault(
        pytest.mark.matrix("http.cut-short"),
        *("cut-without-a-length", "NotJson"),
        answer(200, HALF, CLOSE, length=-1),
        answer(200, b"", CLOSE, length=-1),
        answer(200, PAGE, length=len(HALF)),  # and the rest, as if it were the next answer
        answer(200, gzip.compress(PAGE)[:900], {"Content-Encoding": "gzip"}),
    ),
    fault(
        pytest.mark.matrix("http.cut-short"),
        *("not-what-it-says", "ConnectFailed"),
        answer(200, PAGE, {"Content-Encoding": "gzip"}),
        answer(200, b"zz\r\n" + PAGE, CHUNKED, length=-1),
    ),
    fault(
        pytest.mark.matrix("http.not-json"),
        *("not-json", "NotJson"),
        answer(200, ERROR_PAGE, HTML),
        answer(200, b"\xef\xbb\xbf" + PAGE),
        answer(200, PAGE[:-1] + b",]"),
        answer(200, b"\xff\xfe[\x00]\x00"),
    ),
    fault(
        pytest.mark.matrix("http.odd-json"),
        *("odd-json", "NotJson"),
        answer(200, b"[" * 100_000),
        answer(200, b'[{"id": NaN}]'),
        answer(200, b'[{"id": -Infinity}]'),
        answer(200, b'[{"size": ' + b"[" * 5000 + b"]" * 5000 + b"}]"),
    ),
    fault(
        pytest.mark.matrix("http.huge-header"),
        *("headers-that-are-none", "ConnectFailed"),
        # http.client takes the headers to end there, and loses the others.
        answer(200, PAGE, {"X Y": "a name with a blank"}),
        answer(200, PAGE).replace(b"Content-Length", b"no header at all\r\nContent-Length"),
        answer(200, PAGE, {"": "no name"}),
    ),
    fault(
        pytest.mark.matrix("http.huge-header"),
        *("huge-header", "ConnectFailed"),
        answer(200, PAGE, {"X-Long": "y" * 70_000}),
        answer(200, PAGE, {f"X-{number}": "y" for number in range(200)}),
    ),
]
SLOW = [
    fault(
        pytest.mark.matrix("http.body-trickles"),
        *("body-trickles", "TimedOut"),
        drip(answer(200, b"[", length=100_000), b" "),
        drip(answer(200, b"[", CLOSE, length=-1), b" "),
    ),
    fault(
        pytest.mark.matrix("http.headers-trickle"),
        *("headers-trickle", "TimedOut"),
        drip(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ),
    fault(
        pytest.mark.matrix("http.unreachable"),
        *("silence", "TimedOut"),
        Peer.hold,
        silence_after(answer(200, HALF, length=len(PAGE))),
    ),
]


@pytest.mark.matrix("always.converges", "always.alive", "always.secret", "always.counts")
@pytest.mark.parametrize("fault", QUICK)
def test_a_fault_that_stays_fails_the_run_and_one_that_passes_is_sat_out(
    stage: Stage, fault: Fault
) -> None:
    hub = stage.hub
    hub.fault("page 2", itertools.cycle(fault.answers))
    ran = stage.run()
    trouble = [FAILED, RETRY] * (ATTEMPTS - 1) + [FAILED, RUN_FAILED]
    expect(ran, "failed", trouble, seen=3, error=fault.error)
    assert [place_of(request) for request in hub.requests].count("page 2") == ATTEMPTS
    assert stage.ids() == [1, 2, 3]
    for line in ran.lines(FAILED):  # for people: no page of text, no representation of an object
        assert len(line["message"]) < 300
        assert "('" not in line["message"]
    sits_out(stage, fault)


@pytest.mark.matrix("always.converges", "always.alive", "always.secret", "always.counts")
@pytest.mark.parametrize("fault", SLOW)
def test_an_answer_that_takes_too_long_as_a_whole_is_cut_and_asked_for_again(
    stage: Stage, fault: Fault
) -> None:
    sits_out(stage, fault, REPOLEDGER_GITHUB__TIMEOUT="1s")


def sits_out(stage: Stage, fault: Fault, **variables: str) -> None:
    """Let a run meet each of the faults once: it ends as if there had been none."""
    hub = stage.hub
    hub.heal()
    hub.fault("page 2", fault.answers)
    ran = stage.run(**variables)
    expect(ran, "succeeded", [FAILED, RETRY] * len(fault.answers) + [RUN_FINISHED], seen=7)
    assert ran.lines(FAILED)[-1]["error"] == fault.error
    assert len(hub.requests) == 4 + len(fault.answers)
    stage.assert_equals_list()


@pytest.mark.matrix("http.5xx", "http.not-json", "always.converges", "always.counts")
def test_a_server_that_fails_once_at_every_place_is_asked_a_second_time(stage: Stage) -> None:
    busy = answer(409, {"message": "Conflict"})
    stage.hub.fault("user", [answer(500, {"message": "Server Error"})])
    stage.hub.fault("page 1", [answer(502, ERROR_PAGE, HTML)])
    stage.hub.fault("page 2", [answer(503, ERROR_PAGE, HTML)])
    stage.hub.fault("page 3", [busy])
    ran = stage.run()
    told = [*sorted([FAILED, RETRY] * 4), RUN_FINISHED]
    assert [*sorted(ran.events[:-1]), ran.events[-1]] == told
    assert (ran.code, ran.outcome["inserted"]) == (0, 7)
    assert {line["error"] for line in ran.lines(FAILED)} == {"ServerError", "Conflict"}
    assert "THE END" not in str(ran.log)
    stage.assert_equals_list()


@pytest.mark.matrix("http.unreachable", "always.converges")
@pytest.mark.parametrize("where", ["nobody-listens", "no-such-host"])
def test_a_server_that_cannot_be_reached_is_tried_a_few_times(stage: Stage, where: str) -> None:
    with FaultServer() as gone:
        pass
    address = gone.url if where == "nobody-listens" else "https://api.invalid"
    ran = stage.run(REPOLEDGER_GITHUB__API_URL=address)
    asked = 2  # who it is and the first page, at the same time
    assert ran.events.count(FAILED) in range(ATTEMPTS, asked * ATTEMPTS + 1)
    assert (ran.code, ran.outcome["error_type"]) == (1, "ConnectFailed")
    assert stage.ids() == []
    stage.assert_converges()
