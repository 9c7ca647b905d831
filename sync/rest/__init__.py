"""A generic REST client: it knows HTTP and JSON, and no service."""

from sync.rest.auth.oauth1 import OAuth1Auth
from sync.rest.auth.renewing import RenewingAuth, Token
from sync.rest.auth.simple import BasicAuth, BearerAuth, CookieAuth, HeaderAuth, NoAuth, QueryAuth
from sync.rest.client import RestClient
from sync.rest.oauth2 import ClientCredentials, RefreshToken
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
