"""The lock of an account: one run at a time, across processes.

A process that was frozen may wake up after its lock was freed; then the fence, which
`sync.database.store` checks in each transaction, keeps it from writing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from structlog import get_logger

from sync.core.errors import RunInProgress
from sync.database.store import Store
from sync.forges.forge import Forge
from sync.run.options import RunOptions

log = get_logger("sync.runner")


@contextmanager
def account_lock(options: RunOptions, client: Forge, store: Store) -> Iterator[None]:
    """Hold the account's lock; with `wait`, wait for another run. Raises RunInProgress."""
    account = options.account
    with ExitStack() as held:
        try:
            held.enter_context(store.lock(account))
        except RunInProgress:
            if not options.wait:
                raise
            log.info("sync.run_waiting", account=account, reason="another run of the account")
            held.enter_context(store.lock(account, wait=True, stop=client.stop))
        yield
