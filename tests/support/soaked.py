"""A process that syncs whom it is told to, again and again, as the daemon does.

It is told by lines of JSON, and tells how it went in the same way; its log goes to stderr.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from sync.config.sections import Removals
from sync.core import log, memory
from sync.database.store import Store
from sync.forges.github.client import GitHubClient
from sync.rest import RetryPolicy
from tests.support.runs import sync

IMPATIENT = RetryPolicy(attempts=3, base=0.01, pace_wait=0.01, max_wait=3)


def main() -> None:
    """Obey until the input ends. The first line names the ledger, the server and the accounts."""
    memory.keep_one_heap()
    log.configure("json", "debug")
    given = json.loads(sys.stdin.readline())
    with Store(given["database"]) as store, ThreadPoolExecutor(2) as pool:
        for line in sys.stdin:
            order = json.loads(line)
            run = partial(_sync, store, given, order)
            sys.stdout.write(json.dumps(list(pool.map(run, order["accounts"]))) + "\n")
            sys.stdout.flush()


def _sync(store: Store, given: dict[str, Any], order: dict[str, Any], name: str) -> dict[str, Any]:
    with GitHubClient(
        token=given["tokens"][name],
        api_url=given["api_url"],
        retry=IMPATIENT,
        timeout=order["timeout"],
    ) as client:
        outcome = sync(
            client,
            store,
            account=name,
            trigger="soak",
            removals=Removals(),
            accept_removals=order["accept"],
            configured=list(given["tokens"]),
        )
    return outcome.as_dict()


if __name__ == "__main__":
    main()
