"""Pings: requests to a monitoring service after each run (dead man's switch)."""

from __future__ import annotations

import threading
from contextlib import suppress
from queue import Full, Queue
from urllib.parse import urlsplit

from structlog import get_logger

from sync.config.sections import Account, Ping
from sync.core.errors import Interrupted, RepoledgerError
from sync.database.writes import GOOD, RunStatus
from sync.rest import RestClient, RetryPolicy

log = get_logger("sync.daemon")

_TIMEOUT = 10.0  # seconds
_MAX_BODY = 64 * 1024  # bytes of an answer, which is ignored
_MAX_WAITING = 100  # pings


def address_after(status: RunStatus, account: Account, ping: Ping, *, all_well: bool) -> str | None:
    """Return the URL to ping after a run: the account's own, or that of `[ping]`.

    The success URL of `[ping]` is used only if every account is well (`all_well`). None after
    a deferred or interrupted run.
    """
    if status == "failed":
        return account.ping_failure_url or ping.failure_url
    if status in GOOD:
        return account.ping_success_url or (ping.success_url if all_well else None)
    return None


class Pings:
    """Sends pings in a thread of its own: a slow service delays neither runs nor a stop."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._waiting: Queue[tuple[str, str]] = Queue(_MAX_WAITING)
        threading.Thread(target=self._work, name="pings", daemon=True).start()

    def send(self, url: str | None, account: str) -> None:
        """Queue a ping to `url`, unless it is None."""
        if url is not None:
            with suppress(Full):  # the service has been unreachable for long: drop the ping
                self._waiting.put_nowait((url, account))

    def _work(self) -> None:
        while not self._stop.is_set():
            self._send(*self._waiting.get())

    def _send(self, url: str, account: str) -> None:
        parts = urlsplit(url)
        try:
            with RestClient(
                f"{parts.scheme}://{parts.netloc}",
                timeout=_TIMEOUT,
                max_body=_MAX_BODY,
                retry=RetryPolicy(attempts=3, max_wait=_TIMEOUT),
                stop=self._stop,
            ) as client:
                client.get(url)
        except Interrupted:
            return
        except RepoledgerError as error:
            log.warning("ping.failed", account=account, host=parts.hostname, message=str(error))
        except Exception:  # the thread goes on with the next ping
            log.exception("ping.crashed", account=account)
