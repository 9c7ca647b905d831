"""A client of GitHub's for a configured account."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from sync.config import Account, Config
from sync.config.tokens import read_token
from sync.errors import ConfigError
from sync.github.client import GitHubClient
from sync.github.limits import SharedLimits
from sync.github.protocol import host_of
from sync.rest import RetryPolicy


def client_for(
    account: Account,
    config: Config,
    environ: Mapping[str, str],
    *,
    stop: threading.Event | None = None,
    max_wait: float | None = None,
    attempts: int = 5,
    limits: SharedLimits | None = None,
) -> GitHubClient:
    """Return a client that signs in as `account`, with its token as it is now.

    `max_wait` in seconds; None for the configuration's. `limits` are those of the
    other clients there are. Raises ConfigError if there is no token to be had.
    """
    github = config.github
    patience = github.max_wait if max_wait is None else max_wait
    shared = limits or SharedLimits()
    try:
        token = read_token(account, environ)
        return GitHubClient(
            token=token,
            username=account.username,
            api_url=github.api_url,
            concurrency=github.concurrency,
            reserve=github.reserve,
            limits=shared.of(account.name, host_of(github.api_url), token),
            timeout=github.timeout,
            retry=RetryPolicy(max_wait=patience, attempts=attempts),
            stop=stop,
        )
    except ConfigError as error:
        prefix = f"account {account.name}: "
        problems = [p if p.startswith(prefix) else prefix + p for p in error.problems]
    raise ConfigError(*problems)
