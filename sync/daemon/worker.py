"""One run of one account in the daemon: whatever happens, it ends in an outcome."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress

from sync.clients import client_for
from sync.config import Account, Config
from sync.database.rows import RunCounts
from sync.database.store import Store
from sync.errors import ConfigError, DatabaseError, RepoledgerError, RunInProgress
from sync.github.limits import SharedLimits
from sync.github.protocol import host_of
from sync.loggers import get_logger
from sync.outcome import RunOutcome, log_outcome
from sync.runner import run_sync

log = get_logger("sync.daemon")


# Seconds that a run waits for quota with a worker in hand, which other accounts
# may need; beyond that it is put off, and comes back by itself.
_LONGEST_WAIT = 60.0


def sync_account(
    account: Account,
    config: Config,
    environ: Mapping[str, str],
    store: Store,
    stop: threading.Event,
    limits: SharedLimits,
) -> tuple[RunOutcome, Counter[int]]:
    """Sync `account`; return how it went and the answers by HTTP status.

    Raises RunInProgress alone: that is nobody's failure.
    """
    answers: Counter[int] = Counter()
    try:
        # Made anew each time, so that a token that was exchanged meanwhile is used.
        patience = min(config.github.max_wait, _LONGEST_WAIT)
        with client_for(
            account, config, environ, stop=stop, max_wait=patience, limits=limits
        ) as client:
            try:
                outcome = run_sync(
                    account=account.name,
                    client=client,
                    store=store,
                    trigger="schedule",
                    visibility=account.visibility,
                    affiliation=account.affiliation,
                    removals=config.removals,
                    configured=[other.name for other in config.accounts],
                    limits=limits,
                )
            finally:
                answers.update(client.stats.by_status)
    except RunInProgress:
        raise
    except RepoledgerError as error:
        outcome = RunOutcome.not_begun(account.name, error)
        log_outcome(outcome)
        if isinstance(error, ConfigError):
            _record(account, config, store, error)
    except BaseException as error:  # the scheduler would swallow a SystemExit
        log.exception("daemon.run_crashed", account=account.name)
        unforeseen = RepoledgerError(f"unforeseen: {type(error).__name__}")
        outcome = RunOutcome.not_begun(account.name, unforeseen)
    if isinstance(outcome.error, DatabaseError):
        store.close()  # what is wrong may be wrong with its connections
    return outcome, answers


def _record(account: Account, config: Config, store: Store, error: ConfigError) -> None:
    """Record a run that never began, for want of a token, so that `repoledger status` can tell."""
    with suppress(RepoledgerError), store.lock(account.name):
        run = store.start_run(account.name, host_of(config.github.api_url), "schedule")
        store.finish_run(run, status="failed", counts=RunCounts(), complete=False, error=error)
