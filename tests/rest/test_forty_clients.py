"""Forty clients with forty identities in one process, in threads: no credential crosses over."""

from __future__ import annotations

import re
import sys
import threading
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import cycle, islice
from typing import NamedTuple
from urllib.parse import parse_qs

from requests.auth import AuthBase

from sync.rest import (
    BasicAuth,
    BearerAuth,
    ClientCredentials,
    CookieAuth,
    HeaderAuth,
    OAuth1Auth,
    QueryAuth,
    RefreshToken,
    RenewingAuth,
    RestClient,
    RetryPolicy,
)
from tests.rest.strategies import STRATEGIES
from tests.support.fault_server import FaultServer, Peer, Received, answer

CLIENTS = 40
ROUNDS = 12  # of each client, all of them at once
QUICK = RetryPolicy(attempts=4, base=0.001)

# How each strategy signs in, and where its secret is then expected; {} stands for the secret.
Make = Callable[[str, str, str], AuthBase]
WAYS: dict[str, tuple[Make, str, str]] = {
    "Basic": (lambda name, secret, _: BasicAuth(name, secret), "authorization", "Basic {}"),
    "Bearer": (lambda _, secret, __: BearerAuth(secret), "authorization", "Bearer {}"),
    "any scheme": (
        lambda _, secret, __: HeaderAuth("Authorization", secret, scheme="token"),
        "authorization",
        "token {}",
    ),
    "any header": (lambda _, secret, __: HeaderAuth("X-Api-Key", secret), "x-api-key", "{}"),
    "query parameter": (lambda _, secret, __: QueryAuth("api_token", secret), "?", "{}"),
    "session cookie": (
        lambda _, secret, __: CookieAuth("session", secret),
        "cookie",
        "session={}",
    ),
    "OAuth 2, client credentials": (
        lambda name, secret, url: ClientCredentials(
            token_url=url, client_id=name, client_secret=secret
        ),
        "authorization",
        "Bearer {}",
    ),
    "OAuth 2, refresh token": (
        lambda name, secret, url: RefreshToken(token_url=url, client_id=name, refresh_token=secret),
        "authorization",
        "Bearer {}",
    ),
    "OAuth 1.0a": (
        lambda name, secret, _: OAuth1Auth(name, secret, signature_method="PLAINTEXT"),
        "authorization",
        "{}",
    ),
}


class Person(NamedTuple):
    """Somebody with a secret of a way of signing in."""

    name: str
    way: str
    secret: str

    def auth(self, token_url: str) -> AuthBase:
        return WAYS[self.way][0](self.name, self.secret, token_url)


def people() -> list[Person]:
    ways = islice(cycle(strategy.name for strategy in STRATEGIES), CLIENTS)
    return [Person(f"user-{n:02}", way, f"secret-of-{n:02}-only") for n, way in enumerate(ways)]


class Service:
    """Knows everybody, and checks each request against the one that its path names.

    Of each one's requests some are redirected, some fail, and some are refused: whoever
    has a token that can be renewed has to.
    """

    def __init__(self, everybody: list[Person]) -> None:
        self._everybody = {person.name: person for person in everybody}
        self._lock = threading.Lock()
        self._tokens: dict[str, int] = Counter()  # how many each one was given
        self._times: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.statuses: Counter[int] = Counter()

    def token(self, peer: Peer) -> bool:
        """Give a token to whoever proves to be somebody."""
        assert peer.received is not None
        request = peer.received
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        name = form.get("client_id") or self._basic(request)
        person = self._everybody.get(name)
        expected = person and b64encode(f"{name}:{person.secret}".encode()).decode()
        proof = form.get("refresh_token") or request.headers["authorization"].split()[1]
        if person is None or proof not in (person.secret, expected):
            self._note(f"the token endpoint was sent another's secret for {name}")
            peer.send(answer(400, {"error": "invalid_client"}))
            return True
        self._require_nothing_of_others(person, request)
        with self._lock:
            self._tokens[name] += 1
            token = f"token-{self._tokens[name]}-of-{name}"
        peer.send(answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600}))
        return True

    def _basic(self, request: Received) -> str:
        for person in self._everybody.values():
            pair = b64encode(f"{person.name}:{person.secret}".encode()).decode()
            if request.headers.get("authorization") == f"Basic {pair}":
                return person.name
        return "nobody"

    def __call__(self, peer: Peer) -> bool:
        assert peer.received is not None
        request = peer.received
        found = re.match(r"/of/([\w-]+)/(\w+)", request.target)
        assert found
        person, kind = self._everybody[found[1]], found[2]
        self._require_nothing_of_others(person, request)
        self._require_signed(person, request)
        with self._lock:
            self._times[request.target.partition("?")[0]] += 1
            time = self._times[request.target.partition("?")[0]]
        reply = self._reply(person, kind, time)
        with self._lock:
            self.statuses[int(reply.split()[1])] += 1
        peer.send(reply)
        return True

    def _reply(self, person: Person, kind: str, time: int) -> bytes:
        path = f"/of/{person.name}"
        if kind.startswith("moved"):
            return answer(302, headers={"Location": f"{path}/plain"})
        if kind.startswith("failing") and time == 1:
            return answer(503)
        if kind.startswith("refused") and time == 1 and "OAuth 2" in person.way:
            return answer(401)
        cookie = {"Set-Cookie": f"session=kept-for-{person.name}"}
        return answer(200, {"for": person.name}, cookie)

    def _require_signed(self, person: Person, request: Received) -> None:
        """The credential of the one whom the path names stands where it should."""
        _, place, form = WAYS[person.way]
        query = parse_qs(request.target.partition("?")[2])
        sent = query.get("api_token", []) if place == "?" else [request.headers.get(place, "")]
        secret = person.secret
        if person.way.startswith("OAuth 2"):
            with self._lock:
                secret = f"token-{self._tokens[person.name]}-of-{person.name}"
        if person.way == "Basic":
            secret = b64encode(f"{person.name}:{secret}".encode()).decode()
        if person.way == "OAuth 1.0a":
            right = len(sent) == 1 and f'oauth_signature="{secret}%26"' in sent[0]
        else:
            right = sent == [form.format(secret)]
        places = {"authorization", "cookie", "x-api-key"} & request.headers.keys()
        if not right or places != ({place} - {"?"}):
            self._note(f"{person}: {request.raw!r}")

    def _require_nothing_of_others(self, person: Person, request: Received) -> None:
        others = set(re.findall(rb"user-\d\d|secret-of-\d\d-only", request.raw))
        if others - {person.name.encode(), person.secret.encode()}:
            self._note(f"{person} was sent with something of another's: {request.raw!r}")

    def _note(self, wrong: str) -> None:
        with self._lock:
            self.wrong.append(wrong)


@contextmanager
def switching_often() -> Iterator[None]:
    """Have threads take turns far more often than usual."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def talk(person: Person, client: RestClient, start: threading.Barrier) -> list[str]:
    """Ask in every way there is; return whom the answers were for."""
    told: list[str] = []
    for number in range(ROUNDS):
        start.wait(60)
        kinds = ("plain", f"moved{number}", f"failing{number}", f"refused{number}")
        told += [client.get(f"/of/{person.name}/{kind}").json()["for"] for kind in kinds]
    return told


def test_no_credential_ever_crosses_over() -> None:
    everybody = people()
    service = Service(everybody)
    start = threading.Barrier(CLIENTS)
    with (
        ExitStack() as stack,
        switching_often(),
        FaultServer(service.token) as tokens,
        FaultServer(service) as server,
    ):
        auths = [person.auth(f"{tokens.url}/token") for person in everybody]
        clients = [
            stack.enter_context(RestClient(server.url, auth=auth, retry=QUICK)) for auth in auths
        ]
        for auth in auths:
            if isinstance(auth, RenewingAuth):
                stack.enter_context(auth)
        pool = stack.enter_context(ThreadPoolExecutor(CLIENTS))
        talks = [
            pool.submit(talk, person, client, start)
            for person, client in zip(everybody, clients, strict=True)
        ]
        for person, done in zip(everybody, talks, strict=True):
            assert set(done.result(100)) == {person.name}
        requests, given = len(server.requests), len(tokens.requests)
    assert service.wrong == []
    renewing = sum("OAuth 2" in person.way for person in everybody)
    asked = CLIENTS * ROUNDS
    assert service.statuses == {
        200: 4 * asked,
        302: asked,
        503: asked,
        401: renewing * ROUNDS,
    }
    assert requests == service.statuses.total()
    assert given == renewing * (ROUNDS + 1)  # at first, and after each refusal


def test_the_service_of_that_test_would_notice() -> None:
    """It complains of another's credential, of none, and of one that is sent along."""
    first, second, *_ = everybody = people()
    service = Service(everybody)
    with FaultServer(service) as server:
        for person, auth in (
            (first, second.auth("")),
            (first, None),
            (second, first.auth("")),
        ):
            with RestClient(server.url, auth=auth) as client:
                client.get(f"/of/{person.name}/plain")
        with RestClient(server.url, auth=second.auth(""), headers={"X-Api-Key": "x"}) as client:
            client.get(f"/of/{second.name}/plain")
    assert len(service.wrong) >= 4
