"""A client of GitHub's for a configured account."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from sync.config import Account, Config
from sync.config.places import held, place_of
from sync.config.tokens import read_private_key, read_token
from sync.errors import ConfigError
from sync.github.app import InstallationAuth
from sync.github.client import GitHubClient
from sync.github.credentials import Installation, RenewedUser
from sync.github.limits import SharedLimits
from sync.github.protocol import site_of
from sync.github.stored import KeptToken, unpacked
from sync.rest import RetryPolicy
from sync.rest.retry import IDEMPOTENT


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
    retry = RetryPolicy(max_wait=patience, attempts=attempts)
    try:
        client = GitHubClient(
            **_who(account, config, environ, stop, retry),
            api_url=github.api_url,
            concurrency=github.concurrency,
            reserve=github.reserve,
            timeout=github.timeout,
            retry=retry,
            stop=stop,
        )
        if limits is not None:
            client.limits = limits.of(account.name, client.quota_host, client.credentials.secret)
    except ConfigError as error:
        prefix = f"account {account.name}: "
        problems = [p if p.startswith(prefix) else prefix + p for p in error.problems]
    else:
        return client
    raise ConfigError(*problems)  # outside of the handler: nothing of a secret is chained to it


def _who(
    account: Account,
    config: Config,
    environ: Mapping[str, str],
    stop: threading.Event | None,
    retry: RetryPolicy,
) -> dict[str, Any]:
    """Return what a client is told of the account's identity."""
    github, api_url = config.github, config.github.api_url
    if account.app_id is not None:
        app = InstallationAuth(
            account.app_id,
            read_private_key(account, environ),
            account.installation_id,
            api_url=api_url,
            timeout=github.timeout,
            stop=stop,
            retry=retry,
        )
        return {"credentials": Installation(app)}
    token = read_token(account, environ, api_url)
    stored = unpacked(token) if token else None
    if stored is None:
        return {"token": token, "username": account.username, "basic": account.scheme == "basic"}
    place = place_of(account, api_url)
    if place is None:
        raise ConfigError("a token that is renewed is kept in token_file or the keyring alone")
    auth = KeptToken(
        stored,
        place,
        held=partial(held, place),
        lost=f"`repoledger login --account {account.name}` gets a new one",
        token_url=f"{site_of(api_url)}/login/oauth/access_token",
        timeout=github.timeout,
        stop=stop,
        # While others wait for it.
        retry=replace(
            retry, methods=IDEMPOTENT | {"POST"}, attempts=min(retry.attempts, 3), max_wait=0.0
        ),
    )
    name = f"{stored.client_id} {stored.signed_in_at.isoformat()}"
    return {"credentials": RenewedUser(auth, name)}
