"""A generic REST client: it knows HTTP and JSON, and no service."""

from sync.rest.auth import BasicAuth, BearerAuth, NoAuth
from sync.rest.client import RestClient
from sync.rest.response import Response
from sync.rest.retry import RetryPolicy

__all__ = ["BasicAuth", "BearerAuth", "NoAuth", "Response", "RestClient", "RetryPolicy"]
