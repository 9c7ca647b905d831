"""repoledger keeps a SQL database of your GitHub repositories.

What is promised to other programs is what stands in `__all__`: clients for GitHub and for any
REST service, ways of signing in to them, and the errors. docs/api.md tells of each name.
Everything else may change with any version.

Names are imported when they are first asked for: `import sync` alone is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sync import errors
    from sync.github.answers import CachedPage, Identity, Page
    from sync.github.app import AppAuth, InstallationAuth
    from sync.github.client import GitHubClient
    from sync.github.credentials import Installation
    from sync.github.device import DeviceCode, DeviceFlow, Granted
    from sync.github.limits import Limits
    from sync.github.protocol import RateLimit
    from sync.github.records import Item, Rejected, Repository, User
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

# Where what is not in sync.rest comes from.
_HOMES = {
    "AppAuth": "github.app",
    "CachedPage": "github.answers",
    "DeviceCode": "github.device",
    "DeviceFlow": "github.device",
    "GitHubClient": "github.client",
    "Granted": "github.device",
    "Identity": "github.answers",
    "Installation": "github.credentials",
    "InstallationAuth": "github.app",
    "Item": "github.records",
    "Limits": "github.limits",
    "Page": "github.answers",
    "RateLimit": "github.protocol",
    "Rejected": "github.records",
    "Repository": "github.records",
    "User": "github.records",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "errors":
        return import_module("sync.errors")
    value = getattr(import_module(f"sync.{_HOMES.get(name, 'rest')}"), name)
    globals()[name] = value  # asked for once
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
