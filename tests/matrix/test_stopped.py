"""Answers that are the same the next time: the run fails at once, with a sentence about it."""

from __future__ import annotations

import gzip
import itertools
from functools import cache
from typing import Any, NamedTuple

import pytest

from tests.matrix.stage import FAILED, RUN_FAILED, RUN_FINISHED, Stage, expect
from tests.support.fault_server import Answer, Peer, answer
from tests.support.hub import ELSEWHERE, HERE, LISTING, SIZE, place_of, some_repositories

pytestmark = pytest.mark.slow

REPOSITORIES = some_repositories(7)


class Fault(NamedTuple):
    """An answer to the request for page 2, the error it is, and words that tell of it.

    `told` is whether it is a failed request; else the answer was sound, and what it
    leads to is not.
    """

    answer: Answer
    error: str
    words: str
    told: bool = True
    requests: int = 1


def refusal(status: int, message: str, **headers: str) -> bytes:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return answer(status, {"message": message}, named)


def redirect(location: str, status: int = 302) -> bytes:
    return answer(status, b"", {"Location": location})


def linked(location: str) -> bytes:
    """Return a sound page 2 whose link to the next page is `location`."""
    return answer(200, REPOSITORIES[SIZE : 2 * SIZE], {"Link": f'<{location}>; rel="next"'})


@cache
def _bombs() -> tuple[bytes, bytes]:
    blanks = gzip.compress(b"[" + b" " * 60_000_000, 1)
    chunked = b"%x\r\n" % len(blanks) + blanks + b"\r\n0\r\n\r\n"
    unpacks = {"Content-Encoding": "gzip"}
    return (
        answer(200, blanks, unpacks),
        answer(200, chunked, {**unpacks, "Transfer-Encoding": "chunked"}, length=-1),
    )


def bomb(peer: Peer) -> bool:
    peer.send(_bombs()[0])
    return True


def bomb_in_chunks(peer: Peer) -> bool:
    peer.send(_bombs()[1])
    return True


AWAY = ("ForeignOrigin", "leads away from")
OTHER = ("UnexpectedAnswer", "expected a list of repositories, got")

SHAPES = (
    Fault(answer(200, {}), *OTHER),
    Fault(answer(200, b"null"), *OTHER),
    Fault(answer(200, {"repositories": REPOSITORIES}), *OTHER),
    Fault(answer(304, b""), *OTHER),  # to what was not asked conditionally
    Fault(answer(200, [1] * 1001), *OTHER),
)
BOMBS = (
    Fault(bomb, "TooLarge", "exceeds 33,554,432 bytes"),
    Fault(bomb_in_chunks, "TooLarge", "exceeds 33,554,432 bytes"),
)
REDIRECTS = (
    Fault(redirect(f"{ELSEWHERE}/user/repos"), *AWAY),
    Fault(redirect(ELSEWHERE.replace("://", "://here.example@"), 308), *AWAY),
    Fault(redirect("https:" + HERE.removeprefix("http:")), *AWAY),
    Fault(redirect("/user/repos?page=2"), "UnexpectedAnswer", "more than 5 redirects", requests=6),
)
FOREIGN_LINKS = (
    Fault(linked(f"{ELSEWHERE}/user/repos?page=3"), *AWAY, told=False),
    Fault(linked(f"{ELSEWHERE.removeprefix('http:')}/user/repos?page=3"), *AWAY, told=False),
    Fault(linked("https:" + LISTING.removeprefix("http:")), *AWAY, told=False),
)
CIRCLES = (
    Fault(linked(f"{LISTING}&page=2"), "UnexpectedAnswer", "in a circle", told=False),
    Fault(linked(LISTING), "UnexpectedAnswer", "in a circle", told=False),
)
BAD_TOKEN = (Fault(refusal(401, "Bad credentials"), "BadCredentials", "make a new one"),)
REFUSALS = (
    Fault(
        refusal(403, "Resource not accessible by personal access token"),
        *("Forbidden", "Resource not accessible by personal access token"),
    ),
    Fault(refusal(403, "Protected", X_GitHub_SSO="required; url=x"), "Forbidden", "single sign-on"),
    Fault(answer(403, {"message": "Sorry.", "block": {"reason": "tos"}}), "Blocked", "Sorry."),
    Fault(refusal(451, "Not here"), "Forbidden", "451: Not here"),
)
LOST = (
    Fault(refusal(404, "Not Found"), "NotFound", "404: Not Found"),
    Fault(refusal(410, "Version retired"), "NotFound", "410: Version retired"),
    Fault(refusal(422, "Validation Failed"), "InvalidRequest", "422: Validation Failed"),
)


def family(key: pytest.MarkDecorator, faults: tuple[Fault, ...]) -> Any:
    return pytest.param(faults, id=key.args[0], marks=key)


@pytest.mark.matrix("always.converges", "always.alive", "always.secret", "always.counts")
@pytest.mark.parametrize(
    "faults",
    [
        family(pytest.mark.matrix("http.another-shape"), SHAPES),
        family(pytest.mark.matrix("http.bomb"), BOMBS),
        family(pytest.mark.matrix("http.redirects"), REDIRECTS),
        family(pytest.mark.matrix("http.foreign-next"), FOREIGN_LINKS),
        family(pytest.mark.matrix("http.endless"), CIRCLES),
        family(pytest.mark.matrix("http.401"), BAD_TOKEN),
        family(pytest.mark.matrix("http.403"), REFUSALS),
        family(pytest.mark.matrix("http.404"), LOST),
    ],
)
def test_what_will_not_pass_ends_the_run_at_once_and_the_next_one_goes_on(
    stage: Stage, faults: tuple[Fault, ...]
) -> None:
    for fault in faults:
        stops(stage, fault)
    stage.assert_converges()


def stops(stage: Stage, fault: Fault) -> None:
    """Let a run meet a fault in place of page 2: it ends there, with a sentence that says why."""
    hub = stage.hub
    hub.heal()
    hub.fault("page 2", itertools.repeat(fault.answer))
    ran = stage.run()
    events = [FAILED, RUN_FAILED] if fault.told else [RUN_FAILED]
    expect(ran, "failed", events, seen=3, error=fault.error)
    assert fault.words in ran.outcome["error_message"]
    assert len(ran.outcome["error_message"]) < 500
    assert [place_of(request) for request in hub.requests].count("page 2") == fault.requests
    assert stage.ids() == [1, 2, 3]


@pytest.mark.matrix("http.redirects")
def test_five_redirects_within_the_origin_are_followed(stage: Stage) -> None:
    stage.hub.fault("page 2", [redirect(f"{HERE}/moved/1")])
    for step, status in enumerate((301, 303, 307, 308), start=1):
        stage.hub.fault(f"/moved/{step}", [redirect(f"/moved/{step + 1}", status)])
    stage.hub.fault("/moved/5", [stage.hub.page(2)])
    expect(stage.run(), "succeeded", [RUN_FINISHED], seen=7)
    assert len(stage.hub.requests) == 9
    stage.assert_equals_list()


@pytest.mark.matrix("http.endless")
def test_a_server_that_gives_one_page_for_every_number_is_not_asked_on(stage: Stage) -> None:
    for page in range(2, 5):
        link = f'<{LISTING}&page={page + 1}>; rel="next"'
        stage.hub.fault(f"page {page}", [answer(200, REPOSITORIES[:SIZE], {"Link": link})])
    ran = stage.run()
    expect(ran, "failed", [RUN_FAILED], seen=3, error="UnexpectedAnswer")
    assert "the same page for each number" in ran.outcome["error_message"]
    assert len(stage.hub.requests) < 5
    stage.assert_converges()


@pytest.mark.matrix("http.401")
def test_a_token_that_is_refused_everywhere_is_sent_twice_at_most(stage: Stage) -> None:
    for place in ("user", "page 1"):
        stage.hub.fault(place, itertools.repeat(refusal(401, "Bad credentials")))
    ran = stage.run()
    assert (ran.code, ran.outcome["error_type"], ran.events[-1]) == (
        *(1, "BadCredentials"),
        RUN_FAILED,
    )
    assert len(stage.hub.requests) <= 2
    stage.assert_converges()
