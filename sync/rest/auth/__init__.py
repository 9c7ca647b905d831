"""Every common way of proving who you are; see `sync.rest.oauth` for OAuth."""

from sync.rest.auth.renewing import RenewingAuth, Token
from sync.rest.auth.secrets import clean_name, clean_secret
from sync.rest.auth.simple import (
    BasicAuth,
    BearerAuth,
    CookieAuth,
    HeaderAuth,
    NoAuth,
    QueryAuth,
    validate_auth,
)

__all__ = [
    "BasicAuth",
    "BearerAuth",
    "CookieAuth",
    "HeaderAuth",
    "NoAuth",
    "QueryAuth",
    "RenewingAuth",
    "Token",
    "clean_name",
    "clean_secret",
    "validate_auth",
]
