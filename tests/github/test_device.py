"""The device flow: a person decides at GitHub, and the program waits politely."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import QUICK
from tests.rest.helpers import everything_said
from tests.stand_in import StandIn
from tests.support.inside.core import (
    BadCredentials,
    ConfigError,
    Interrupted,
    RestError,
    UnexpectedAnswer,
)
from tests.support.inside.github import DeviceFlow
from tests.support.inside.rest import Granted

CLIENT = "Iv23li0123456789"
ASK = "/login/oauth/access_token"


@pytest.fixture
def flow(github: StandIn) -> Iterator[DeviceFlow]:
    github.add_oauth_app(CLIENT, interval=1)
    flow = DeviceFlow(CLIENT, api_url=github.url, scope="repo", retry=QUICK)
    yield flow
    flow.close()


def polls(github: StandIn) -> int:
    return sum(record.path == ASK for record in github.requests)


def after(github: StandIn, times: int, decide: Callable[[], object]) -> None:
    """Call `decide` when the program asks for the nth time."""
    left = [times]

    def on_request(request: Any) -> None:
        if request.path == ASK:
            left[0] -= 1
            if left[0] == 0:
                decide()

    github.on_request = on_request


def signed_in(github: StandIn, flow: DeviceFlow) -> Granted:
    code = flow.start()
    after(github, 2, lambda: github.authorize(code.user_code, "octo"))
    return flow.wait(code)


def test_a_token_comes_once_the_person_has_agreed(github: StandIn, flow: DeviceFlow) -> None:
    granted = signed_in(github, flow)
    assert granted.token.startswith("gho_")
    assert (granted.scopes, granted.expires_at, granted.refresh_token) == (("repo",), None, None)
    assert polls(github) == 2  # the first was told that it is pending
    assert granted.token not in repr(granted)


def test_a_token_that_ends_comes_with_what_renews_it(github: StandIn, flow: DeviceFlow) -> None:
    github.add_oauth_app(CLIENT, interval=1, expiring=True)
    granted = signed_in(github, flow)
    assert granted.token.startswith("ghu_")
    assert granted.expires_at is not None
    assert str(granted.refresh_token).startswith("ghr_")
    assert str(granted.refresh_token) not in repr(granted)


def test_who_says_no_is_heard(github: StandIn, flow: DeviceFlow) -> None:
    code = flow.start()
    after(github, 1, lambda: github.deny(code.user_code))
    with pytest.raises(BadCredentials, match="the login was refused at GitHub"):
        flow.wait(code)


def test_a_code_that_ends_is_given_up(github: StandIn) -> None:
    github.add_oauth_app(CLIENT, interval=1, code_expires_in=2)
    flow = DeviceFlow(CLIENT, api_url=github.url)
    with pytest.raises(BadCredentials, match="the code has expired; log in again"):
        flow.wait(flow.start())
    flow.close()


def test_whoever_is_told_to_slow_down_waits_longer_from_then_on(
    github: StandIn, flow: DeviceFlow
) -> None:
    waits: list[float] = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0)
            return False

    told = [{"error": "slow_down", "interval": 7}, {"error": "slow_down"}]
    for each in [*told, {"error": "authorization_pending"}]:
        github.fail(path=ASK, status=200, body=json.dumps(each).encode())
    patient = DeviceFlow(CLIENT, api_url=github.url, stop=Stop())
    code = patient.start()
    github.authorize(code.user_code, "octo")
    waits.clear()
    assert patient.wait(code).token.startswith("gho_")
    assert [each for each in waits if each >= 1] == [1, 7, 12, 12]
    patient.close()


def test_a_server_may_tell_with_a_400_that_the_person_has_not_decided(
    github: StandIn, flow: DeviceFlow
) -> None:
    code = flow.start()
    for error in ("authorization_pending", "access_denied"):  # as RFC 8628 has it
        github.fail(path=ASK, status=400, body=json.dumps({"error": error}).encode())
    with pytest.raises(BadCredentials, match="the login was refused at GitHub"):
        flow.wait(code)
    assert polls(github) == 2


def test_a_stop_ends_the_wait_at_once(github: StandIn) -> None:
    github.add_oauth_app(CLIENT, interval=60)
    stop = threading.Event()
    flow = DeviceFlow(CLIENT, api_url=github.url, stop=stop)
    code = flow.start()
    began = time.monotonic()
    threading.Timer(0.1, stop.set).start()
    with pytest.raises(Interrupted, match="waiting for you to enter the code"):
        flow.wait(code)
    assert time.monotonic() - began < 30
    flow.close()


def test_trouble_on_the_way_does_not_end_the_wait(github: StandIn, flow: DeviceFlow) -> None:
    code = flow.start()
    github.authorize(code.user_code, "octo")
    github.fail(times=2, status=502, path=ASK)
    assert flow.wait(code).token.startswith("gho_")


@pytest.mark.parametrize(
    ("client", "reason"),
    [
        ("Iv-unknown", "GitHub knows no App or OAuth app with this client id"),
        ("Iv-off", "the App does not allow the device flow; enable it in its settings"),
    ],
)
def test_an_app_that_cannot_be_used_is_told_before_there_is_a_code(
    github: StandIn, client: str, reason: str
) -> None:
    github.add_oauth_app("Iv-off", device_flow=False)
    flow = DeviceFlow(client, api_url=github.url)
    with pytest.raises(BadCredentials, match=reason):
        flow.start()
    flow.close()


@pytest.mark.parametrize("client", ["", "a b", "é", "x\ny"])
def test_what_cannot_be_a_client_id_is_refused(client: str) -> None:
    with pytest.raises(ConfigError, match="the client id"):
        DeviceFlow(client)


@pytest.mark.parametrize(
    "answer",
    [
        b"[]",
        b"null",
        b"{}",
        b"<html>",
        b'{"user_code": 5, "verification_uri": "https://x", "device_code": "d"}',
        b'{"user_code": "A", "verification_uri": "javascript:x", "device_code": "dddddddd"}',
        b'{"user_code": "A", "verification_uri": "https://x", "device_code": ""}',
        b'{"user_code": "A", "verification_uri": "file://[", "device_code": "dddddddd"}',
    ],
)
def test_an_answer_without_a_code_is_an_error_of_ours(
    github: StandIn, flow: DeviceFlow, answer: bytes
) -> None:
    github.fail(times=9, path="/login/device/code", status=200, body=answer)
    with pytest.raises(RestError):
        flow.start()


@pytest.mark.parametrize("number", ["-1", "0", "1e300", "9" * 400, "true", "null", '"soon"', "[]"])
def test_odd_numbers_are_replaced_by_those_that_github_documents(
    github: StandIn, flow: DeviceFlow, number: str
) -> None:
    answer = (
        '{"user_code": "A", "verification_uri": "https://x", "device_code": "dddddddd", '
        f'"expires_in": {number}, "interval": {number}}}'
    )
    github.fail(path="/login/device/code", status=200, body=answer.encode())
    code = flow.start()
    assert code.interval in (5, 120)  # the longest, of what is endless
    assert "dddddddd" not in repr(code)


@pytest.mark.parametrize(
    "answer",
    [b"[]", b'{"access_token": 5}', b"{}", b'{"error": "\\u001b[2Jodd", "error_description": 5}'],
)
def test_an_answer_that_decides_nothing_ends_the_wait(
    github: StandIn, flow: DeviceFlow, answer: bytes
) -> None:
    code = flow.start()
    github.fail(path=ASK, status=200, body=answer)
    with pytest.raises((BadCredentials, UnexpectedAnswer)) as caught:
        flow.wait(code)
    assert "\x1b" not in str(caught.value)
    assert code.device_code not in everything_said(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        b"access_token=0a1b2c3d4e5f6a7b8c9d%20&scope=repo",
        b'{"access_token": "0a1b2c3d4e5f6a7b8c9d", "scope": "re',
        b'{"access_token": "0a1b2c3d4e5f6a7b8c9d ", "scope": ""}',
        b'{"access_token": "0a1b2c3d4e5f6a7b8c9d", "refresh_token": 5, "expires_in": 60}',
    ],
)
def test_a_token_that_cannot_be_read_is_not_shown(
    github: StandIn, flow: DeviceFlow, body: bytes
) -> None:
    code = flow.start()
    github.fail(path=ASK, status=200, body=body)
    with pytest.raises(UnexpectedAnswer) as caught:
        flow.wait(code)
    assert "0a1b2c3d4e5f6a7b8c9d" not in everything_said(caught.value)


def test_an_end_that_no_number_holds_is_the_longest(github: StandIn, flow: DeviceFlow) -> None:
    code = flow.start()
    body = '{"access_token": "0a1b2c3d4e5f6a7b8c9d", "expires_in": %s}' % ("9" * 400)
    github.fail(path=ASK, status=200, body=body.encode())
    assert flow.wait(code).expires_at is not None


def test_what_a_server_says_acts_on_no_terminal(github: StandIn, flow: DeviceFlow) -> None:
    answer = {
        "user_code": "\x1b]0;x\x07AB",
        "verification_uri": "https://x/\u202ey",
        "device_code": "dddddddd",
    }
    github.fail(path="/login/device/code", status=200, body=json.dumps(answer).encode())
    code = flow.start()
    assert (code.user_code + code.verification_uri).isprintable()


def test_nothing_is_sent_elsewhere_and_no_secret_in_an_address(
    github: StandIn, flow: DeviceFlow
) -> None:
    granted = signed_in(github, flow)
    for record in github.requests:
        assert granted.token not in str(record)
        assert "device_code" not in str(record.query)


def test_a_pace_that_is_too_fast_for_github_is_waited_for(github: StandIn) -> None:
    github.add_oauth_app(CLIENT, interval=1)
    github.fail(path=ASK, status=429, headers={"Retry-After": "1"})
    flow = DeviceFlow(CLIENT, api_url=github.url)
    code = flow.start()
    github.authorize(code.user_code, "octo")
    assert flow.wait(code).token.startswith("gho_")
    flow.close()
