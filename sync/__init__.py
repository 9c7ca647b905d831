"""repoledger keeps a SQL database of your GitHub repositories.

The public interface is `__all__`: clients for GitHub and for any REST service, ways of signing
in to them, and the errors. docs/api.md describes each name. Everything else may change with any
version.

Names are imported at their first use: `import sync` alone is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sync.core import errors
    from sync.forges.answers import CachedPage, Identity, Page
    from sync.forges.github.app import AppAuth, InstallationAuth
    from sync.forges.github.client import GitHubClient
    from sync.forges.github.credentials import Installation
    from sync.forges.github.device import DeviceCode, DeviceFlow
    from sync.forges.limits import Limits, RateLimit
    from sync.forges.records import Item, Rejected, User
    from sync.resources.repositories import Repository
    from sync.rest import (
        BasicAuth,
        BearerAuth,
        ClientCredentials,
        CookieAuth,
        HeaderAuth,
        NoAuth,
        OAuth1Auth,
        QueryAuth,
        RefreshToken,
        RenewingAuth,
        Response,
        RestClient,
        RetryPolicy,
        Token,
    )
    from sync.rest.oauth_endpoint import Granted

__version__ = "0.1.0"

__all__ = [
    "AppAuth",
    "BasicAuth",
    "BearerAuth",
    "CachedPage",
    "ClientCredentials",
    "CookieAuth",
    "DeviceCode",
    "DeviceFlow",
    "GitHubClient",
    "Granted",
    "HeaderAuth",
    "Identity",
    "Installation",
    "InstallationAuth",
    "Item",
    "Limits",
    "NoAuth",
    "OAuth1Auth",
    "Page",
    "QueryAuth",
    "RateLimit",
    "RefreshToken",
    "Rejected",
    "RenewingAuth",
    "Repository",
    "Response",
    "RestClient",
    "RetryPolicy",
    "Token",
    "User",
    "errors",
]

# The modules of the names that sync.rest does not have.
_HOMES = {
    "AppAuth": "forges.github.app",
    "CachedPage": "forges.answers",
    "DeviceCode": "forges.github.device",
    "DeviceFlow": "forges.github.device",
    "GitHubClient": "forges.github.client",
    "Granted": "rest.oauth_endpoint",
    "Identity": "forges.answers",
    "Installation": "forges.github.credentials",
    "InstallationAuth": "forges.github.app",
    "Item": "forges.records",
    "Limits": "forges.limits",
    "Page": "forges.answers",
    "RateLimit": "forges.limits",
    "Rejected": "forges.records",
    "Repository": "resources.repositories",
    "User": "forges.records",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "errors":
        return import_module("sync.core.errors")
    value = getattr(import_module(f"sync.{_HOMES.get(name, 'rest')}"), name)
    globals()[name] = value  # the next use does not come here
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
