"""Makes the GitHub client of a configured account."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial

from sync.config import Account, Config
from sync.core.errors import ConfigError
from sync.forges.forge import Forge
from sync.forges.github.app import InstallationAuth
from sync.forges.github.client import GitHubClient
from sync.forges.github.credentials import Installation, RenewedUser
from sync.forges.github.protocol import TOKEN_PATH, site_of
from sync.forges.limits import SharedLimits
from sync.rest import RetryPolicy
from sync.rest.oauth_endpoint import REPEATABLE
from sync.signin.saved_token import decode_saved
from sync.signin.shared_refresh import SharedRefreshToken
from sync.signin.tokens import read_private_key, read_token, token_store_of


def client_for(
    account: Account,
    config: Config,
    environ: Mapping[str, str],
    *,
    stop: threading.Event | None = None,
    max_wait: float | None = None,
    attempts: int = 5,
    limits: SharedLimits | None = None,
) -> Forge:
    """Return a client that signs in as `account`, with its present token.

    `max_wait` in seconds; None for that of the account's host. `limits`: rate-limit state shared
    with other clients. Raises ConfigError if no token can be read.
    """
    try:
        client = _client(account, config, environ, stop, max_wait, attempts)
        if limits is not None:
            client.limits = limits.of(account.name, client.quota_host, client.credentials.secret)
    except ConfigError as error:
        prefix = f"account {account.name}: "
        problems = [p if p.startswith(prefix) else prefix + p for p in error.problems]
    else:
        return client
    raise ConfigError(*problems)  # outside of the handler: an error with a secret is not chained


def _client(
    account: Account,
    config: Config,
    environ: Mapping[str, str],
    stop: threading.Event | None,
    max_wait: float | None,
    attempts: int,
) -> GitHubClient:
    """Return a client with the credentials that the account names: an App's, or a token."""
    forge = config.forge_of(account)
    patience = forge.max_wait if max_wait is None else max_wait
    retry = RetryPolicy(max_wait=patience, attempts=attempts)
    client = partial(
        GitHubClient,
        api_url=forge.api_url,
        concurrency=forge.concurrency,
        reserve=forge.reserve,
        rewrite_links=forge.rewrite_links,
        timeout=forge.timeout,
        retry=retry,
        stop=stop,
    )
    if account.app_id is not None:
        app = InstallationAuth(
            account.app_id,
            read_private_key(account, environ, stop),
            account.installation_id,
            api_url=forge.api_url,
            timeout=forge.timeout,
            stop=stop,
            retry=retry,
        )
        return client(credentials=Installation(app))
    token = read_token(account, environ, forge.api_url, stop)
    saved = decode_saved(token) if token else None
    if saved is None:
        return client(token=token, username=account.username, basic=account.scheme == "basic")
    store = token_store_of(account, forge.api_url, stop)
    if store is None:
        raise ConfigError("a token that can be renewed has to be in token_file or the keyring")
    auth = SharedRefreshToken(
        saved,
        store,
        token_url=f"{site_of(forge.api_url)}{TOKEN_PATH}",
        timeout=forge.timeout,
        stop=stop,
        # Few attempts, since other processes wait for the lock meanwhile.
        retry=RetryPolicy(methods=REPEATABLE, attempts=min(attempts, 3), max_wait=0.0),
    )
    name = f"{saved.client_id} {saved.signed_in_at.isoformat()}"
    return client(credentials=RenewedUser(auth, name))
