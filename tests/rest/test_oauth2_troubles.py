"""OAuth 2: what comes of a token endpoint's troubles."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from sync.rest import RetryPolicy
from tests.rest.conftest import Connect
from tests.rest.helpers import QUICK, assert_only_ours, everything_said
from tests.rest.oauth2_server import (
    CLIENT_SECRET,
    FIRST_REFRESH,
    bearers,
    granted,
    refreshing,
    signing_in,
)
from tests.support.fault_server import Answer, FaultServer, answer, silence_after
from tests.support.inside.core import (
    BadCredentials,
    ConnectFailed,
    Interrupted,
    NotFound,
    RestError,
    ServerError,
    TimedOut,
    UnexpectedAnswer,
)


def problem(error: object, **more: object) -> dict[str, object]:
    return {"error": error, **more}


REFUSED = problem("invalid_client", error_description="no such client, or another secret")
HTML = {"Content-Type": "text/html"}
TROUBLES = [
    (answer(400, REFUSED), BadCredentials, "no access token: 400: .*no such client"),
    (answer(401, REFUSED), BadCredentials, "401: .*no such client"),
    (answer(200, REFUSED), BadCredentials, "no access token: no such client"),
    (answer(200, problem("invalid_grant")), BadCredentials, "no access token: .*invalid_grant"),
    (answer(200, problem("server_busy")), UnexpectedAnswer, "no access token: .*server_busy"),
    (answer(200, problem(["x"])), UnexpectedAnswer, "no access token"),
    (answer(200, problem({"code": 1})), UnexpectedAnswer, "no access token"),
    (
        answer(200, problem("invalid_grant", error_description="\x1b[2J\nforged")),
        BadCredentials,
        r"no access token: \\x1b\[2J\\nforged",
    ),
    (answer(404, {"message": "Not Found"}), BadCredentials, "no access token: 404: Not Found"),
    (answer(403, {"message": "Not you"}), BadCredentials, "no access token: 403: Not you"),
    (answer(451, {"block": {}}), BadCredentials, "no access token: 451"),
    (answer(409, {"message": "Busy"}), BadCredentials, "no access token: 409: Busy"),
    (answer(200, b"<html>hello</html>", HTML), UnexpectedAnswer, "no access token: .*none"),
    (answer(502, b"<html>hello</html>", HTML), ServerError, "502: an HTML page"),
    (answer(302, headers={"Location": "/elsewhere"}), UnexpectedAnswer, "302"),
    (answer(200, b""), UnexpectedAnswer, "no access token"),
    (answer(200, b"\xff\xfe{"), UnexpectedAnswer, "no access token"),
    (answer(200, b"[" * 100_000), UnexpectedAnswer, "no access token"),
    (answer(200, [1, 2]), UnexpectedAnswer, "no access token"),
    (answer(200, "a text"), UnexpectedAnswer, "no access token"),
    (answer(200, {"token": "sesame77"}), UnexpectedAnswer, "no access token: .*none"),
    (granted(None), UnexpectedAnswer, "must be text"),
    (granted(["sesame77"]), UnexpectedAnswer, "must be text"),
    (granted(""), UnexpectedAnswer, "is empty"),
    (granted("sesame77\nX-Evil: 1"), UnexpectedAnswer, "line break"),
    (granted("sesame77", refresh_token=7), UnexpectedAnswer, "refresh_token must be text"),
    (granted("sesame77", expires_in="soon"), UnexpectedAnswer, "no access token"),
    (
        answer(200, b'{"access_token":"sesame77","expires_in":1e400}'),
        UnexpectedAnswer,
        "no access token",
    ),
    (lambda peer: peer.reset(), ConnectFailed, "connection"),
    (silence_after(b"HTTP/1.1 200 OK\r\n"), TimedOut, "no whole answer within 0.5 s"),
]


@pytest.mark.parametrize(("script", "kind", "message"), TROUBLES)
def test_a_token_that_is_not_to_be_had_is_an_error_that_says_why(
    connect: Connect, script: Answer, kind: type[RestError], message: str
) -> None:
    once = RetryPolicy(attempts=1)
    with FaultServer(script) as tokens, FaultServer() as server:
        auth = refreshing(tokens, client_secret=CLIENT_SECRET, retry=once, timeout=0.5)
        client = connect(server.url, auth=auth)
        with pytest.raises(RestError, match=message) as caught:
            client.get("/x")
        assert type(caught.value) is kind
        assert caught.value.url == f"{tokens.url}/oauth/token"
        assert server.requests == []
        auth.close()
    said = everything_said(caught.value)
    assert "sesame77" not in said
    assert CLIENT_SECRET not in said
    assert FIRST_REFRESH not in said
    assert_only_ours(caught.value)


def test_what_passes_by_itself_at_the_token_endpoint_is_waited_for(connect: Connect) -> None:
    script = (answer(503), lambda peer: peer.reset(), granted("token-number-1"))
    with FaultServer(*script) as tokens, FaultServer() as server:
        connect(server.url, auth=signing_in(tokens)).get("/x")
    assert len(tokens.requests) == 3
    assert bearers(server) == ["token-number-1"]


def test_a_redirect_takes_client_credentials_nowhere(connect: Connect) -> None:
    with FaultServer() as elsewhere:
        away = answer(307, headers={"Location": f"{elsewhere.url}/token"})
        with FaultServer(away) as tokens, FaultServer() as server:
            client = connect(server.url, auth=signing_in(tokens))
            with pytest.raises(UnexpectedAnswer, match="307"):
                client.get("/x")
    assert elsewhere.connections == 0


def test_after_a_failure_the_next_request_asks_again(connect: Connect) -> None:
    script = (answer(400, REFUSED), granted("token-number-1"))
    with FaultServer(*script) as tokens, FaultServer() as server:
        client = connect(server.url, auth=signing_in(tokens))
        with pytest.raises(BadCredentials):
            client.get("/x")
        client.get("/x")
    assert bearers(server) == ["token-number-1"]


def test_that_there_is_no_token_is_never_taken_for_there_is_nothing(connect: Connect) -> None:
    """Whoever asks whether something still exists must not hear "not found" of the wrong thing."""
    with FaultServer(answer(404, {"message": "Not Found"})) as tokens, FaultServer() as server:
        client = connect(server.url, auth=signing_in(tokens))
        with pytest.raises(BadCredentials) as caught:
            client.get("/items/1")
        assert not isinstance(caught.value, NotFound)


@pytest.mark.parametrize("life", [3600, "3600", 3600.5, None, -5, 10**30])
def test_odd_lives_of_tokens_are_borne(connect: Connect, life: object) -> None:
    body = json.dumps({"access_token": "token-number-1", "expires_in": life}).encode()
    with FaultServer(answer(200, body)) as tokens, FaultServer() as server:
        client = connect(server.url, auth=signing_in(tokens))
        client.get("/x")
        client.get("/x")
    assert bearers(server) == ["token-number-1"] * 2


def test_waiting_for_a_token_ends_when_everything_is_stopped(connect: Connect) -> None:
    stop = threading.Event()
    with (
        FaultServer(silence_after(b"")) as tokens,
        FaultServer() as server,
        ThreadPoolExecutor(1) as pool,
    ):
        client = connect(server.url, auth=signing_in(tokens, stop=stop), stop=stop, retry=QUICK)
        waiting = pool.submit(client.get, "/x")
        tokens.wait_for_requests(1)
        stop.set()
        with pytest.raises(Interrupted):
            waiting.result(15)
