"""Every way of signing in, and a table of what each of them sends and shows.

python -m tests.rest.strategies
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from requests.auth import AuthBase
from structlog.testing import capture_logs

from sync.rest import (
    BasicAuth,
    BearerAuth,
    ClientCredentials,
    CookieAuth,
    HeaderAuth,
    OAuth1Auth,
    QueryAuth,
    RefreshToken,
    RestClient,
    RetryPolicy,
)
from tests.rest.helpers import everything_said
from tests.support.fault_server import FaultServer, Received, answer
from tests.support.inside.core import RestError

SECRET = "s3cr3t-Abcdef-0123456789"  # what must be seen on the wire, and nowhere else
CLIENT_SECRET = "of-the-client-77"
REFRESH_TOKEN = "to-refresh-with-77"
_GRANTED = answer(200, {"access_token": SECRET, "token_type": "bearer", "expires_in": 3600})


class Strategy(NamedTuple):
    """A way of signing in: what it is called, and what makes it, given a token endpoint."""

    name: str
    make: Callable[[str], AuthBase]


STRATEGIES = (
    Strategy("Basic", lambda _: BasicAuth("octo", SECRET)),
    Strategy("Bearer", lambda _: BearerAuth(SECRET)),
    Strategy("any scheme", lambda _: HeaderAuth("Authorization", SECRET, scheme="token")),
    Strategy("any header", lambda _: HeaderAuth("X-Api-Key", SECRET)),
    Strategy("query parameter", lambda _: QueryAuth("api_token", SECRET)),
    Strategy("session cookie", lambda _: CookieAuth("session", SECRET)),
    Strategy(
        "OAuth 2, client credentials",
        lambda url: ClientCredentials(
            token_url=f"{url}/token", client_id="an-id", client_secret=CLIENT_SECRET
        ),
    ),
    Strategy(
        "OAuth 2, refresh token",
        lambda url: RefreshToken(
            token_url=f"{url}/token", client_id="an-id", refresh_token=REFRESH_TOKEN
        ),
    ),
    Strategy(
        "OAuth 1.0a",
        lambda _: OAuth1Auth("a-key", SECRET, "an-owner", SECRET, signature_method="PLAINTEXT"),
    ),
)


class Observed(NamedTuple):
    """What came of a request that was redirected to another origin, after others that were not."""

    sent: list[Received]
    granted: list[Received]
    logged: str
    said: str
    elsewhere: int


@contextmanager
def token_endpoint() -> Iterator[FaultServer]:
    with FaultServer(_GRANTED) as server:
        yield server


def observe(strategy: Strategy) -> Observed:
    """Have a client sign in, be redirected, be refused, and be led to another origin."""
    said = []
    with FaultServer() as elsewhere, token_endpoint() as tokens:
        away = answer(302, headers={"Location": f"{elsewhere.url}/x"})
        here = answer(302, headers={"Location": "/moved"})
        script = (here, answer(), answer(404, {"message": f"no {SECRET}"}), away)
        with (
            FaultServer(*script) as server,
            capture_logs() as events,
            RestClient(
                server.url, auth=strategy.make(tokens.url), retry=RetryPolicy(attempts=1)
            ) as client,
        ):
            client.get("/x")
            for _ in range(2):
                try:
                    client.get("/x")
                except RestError as error:
                    said.append(everything_said(error))
            said.append(repr(client))
        requests = list(server.requests)
    return Observed(
        requests, list(tokens.requests), repr(events), "\n".join(said), elsewhere.connections
    )


def shown(request: Received) -> str:
    """Return where in a request the secret stands."""
    if SECRET in request.target:
        return f"GET {request.target}"
    names = ("authorization", "cookie", "x-api-key")
    return "; ".join(
        f"{name}: {request.headers[name]}" for name in names if name in request.headers
    )


def table() -> Iterator[str]:
    yield "| strategy | on the wire | the log shows it | an error shows it | another origin got |"
    yield "|---|---|---|---|---|"
    for strategy in STRATEGIES:
        seen = observe(strategy)
        logged, said = ("yes" if SECRET in text else "no" for text in (seen.logged, seen.said))
        sent = shown(seen.sent[0]).replace("|", "\\|")
        got = f"{seen.elsewhere} connections" if seen.elsewhere else "nothing"
        yield f"| {strategy.name} | `{sent}` | {logged} | {said} | {got} |"


if __name__ == "__main__":
    sys.stdout.write("\n".join(table()) + "\n")
