"""A generic REST client: it knows HTTP and JSON, and no service."""

from sync.rest.auth import (
    BasicAuth,
    BearerAuth,
    CookieAuth,
    HeaderAuth,
    NoAuth,
    QueryAuth,
    RenewingAuth,
    Token,
)
from sync.rest.client import RestClient
from sync.rest.oauth import ClientCredentials, OAuth1Auth, RefreshToken
from sync.rest.response import Response
from sync.rest.retry import RetryPolicy

__all__ = [
    "BasicAuth",
    "BearerAuth",
    "ClientCredentials",
    "CookieAuth",
    "HeaderAuth",
    "NoAuth",
    "OAuth1Auth",
    "QueryAuth",
    "RefreshToken",
    "RenewingAuth",
    "Response",
    "RestClient",
    "RetryPolicy",
    "Token",
]
