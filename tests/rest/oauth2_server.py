"""A token endpoint, and what signs in by way of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from sync.rest import ClientCredentials, RefreshToken, RetryPolicy
from tests.support.fault_server import FaultServer, answer

CLIENT_SECRET = "the-client's-own-secret"
FIRST_REFRESH = "refresh-token-number-1"
NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
# A POST to a token endpoint may be repeated.
PATIENT = RetryPolicy(attempts=3, base=0.01, methods=frozenset({"GET", "POST"}))


def granted(token: object, **more: Any) -> bytes:
    return answer(200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600, **more})


def signing_in(tokens: FaultServer, **options: Any) -> ClientCredentials:
    return ClientCredentials(
        **{
            "token_url": f"{tokens.url}/oauth/token",
            "client_id": "an-id",
            "client_secret": CLIENT_SECRET,
            "retry": PATIENT,
            **options,
        }
    )


def refreshing(tokens: FaultServer, **options: Any) -> RefreshToken:
    return RefreshToken(
        **{
            "token_url": f"{tokens.url}/oauth/token",
            "client_id": "an-id",
            "refresh_token": FIRST_REFRESH,
            "retry": PATIENT,
            **options,
        }
    )


def bearers(server: FaultServer) -> list[str]:
    return [r.headers["authorization"].removeprefix("Bearer ") for r in server.requests]


def forms(server: FaultServer) -> list[dict[str, list[str]]]:
    return [parse_qs(request.body.decode()) for request in server.requests]


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now
