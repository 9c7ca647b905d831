"""Where the processor's time of an initial load goes, for repoledger and for the limit.

`python -m benchmarks.profile PROGRAM ...` runs one of them in this process, and prints as
JSON, after everything else, the seconds of each part, without the parts inside of it.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from functools import wraps
from importlib import import_module
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

# What is told as one part: module, class ("" if none), function.
PARTS: dict[str, dict[str, tuple[tuple[str, str, str], ...]]] = {
    "repoledger": {
        "requests: send, receive, unpack": (
            ("sync.rest.client", "RestClient", "_prepare"),
            ("sync.rest.transport", "Transport", "send"),
        ),
        "around a request: retry, limits, quota, log": (
            ("sync.rest.client", "RestClient", "fetch"),
        ),
        "decode and check": (("sync.forges.github.client", "", "decode_page"),),
        "hash and plan": (
            ("sync.load.page", "", "hash_items"),
            ("sync.load.page", "", "make_plan"),
        ),
        "what is known of a page": (("sync.database.run_transaction", "RunTransaction", "known"),),
        "rows as the driver takes them": (
            ("sync.database.run_transaction", "RunTransaction", "write"),
        ),
        "SQLAlchemy, driver and database": (
            ("sqlalchemy", "Connection", "execute"),
            ("sqlalchemy", "Connection", "exec_driver_sql"),
            ("sqlalchemy.engine.default", "DefaultDialect", "do_commit"),
        ),
        "transaction, fence, progress": (("sync.database.store", "Store", "transact"),),
    },
    "limit": {
        "http.client: send, receive, unpack": (("benchmarks.limit", "Server", "get"),),
        "decode, rows": (("benchmarks.limit", "", "rows_of"),),
        "driver and database": (("benchmarks.limit", "", "load"),),
    },
}
REST = "start, imports, threads, end"


class Clock:
    """Adds up what each part takes of its thread's processor time, without the parts inside."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._here = threading.local()

    def measure(self, part: str, module: str, owner: str, name: str) -> None:
        """Have a function measured from now on."""
        place: Any = import_module(module)
        place = getattr(place, owner) if owner else place
        function = getattr(place, name)

        @wraps(function)
        def measured(*args: Any, **kwargs: Any) -> Any:
            outer = getattr(self._here, "inside", 0.0)
            self._here.inside = 0.0
            began = time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                took = time.thread_time() - began
                with self._lock:
                    self.seconds[part] += took - self._here.inside
                self._here.inside = outer + took

        setattr(place, name, measured)


def measure(venvs: Path, kinds: Sequence[str], *, size: int, rounds: int) -> dict[str, Any]:
    """Return `size`, and `seconds`: the parts' medians by database and program."""
    from benchmarks.contenders import LIMIT, REPOLEDGER, empty_place
    from benchmarks.measuring import run
    from benchmarks.run import environment, serving

    seconds: dict[str, Any] = {}
    with serving(size) as served:
        for kind in kinds:
            found: dict[str, list[dict[str, float]]] = {name: [] for name in PARTS}
            for _, contender in product(range(rounds), (LIMIT, REPOLEDGER)):
                with empty_place(kind, venvs, served.api) as place:
                    contender.prepare(place)
                    served.set(changed=False, latency=0)
                    (command,) = contender.commands(place)
                    line = [command[0], "-m", "benchmarks.profile", contender.name, *command[3:]]
                    log = place.folder / "output.log"
                    run([line], cwd=place.folder, env=environment(place.folder), log=log)
                    last = log.read_text("utf-8").splitlines()[-1]
                    found[contender.name].append(json.loads(last))
            seconds[kind] = {
                name: {part: median(each[part] for each in runs) for part in runs[0]}
                for name, runs in found.items()
            }
    return {"size": size, "seconds": seconds}


def main() -> None:
    program = sys.argv[1]
    clock = Clock()
    for part, functions in PARTS[program].items():
        for function in functions:
            clock.measure(part, *function)
    sys.argv = [program, *sys.argv[2:]]
    run = import_module("sync.__main__" if program == "repoledger" else "benchmarks.limit").main
    with suppress(SystemExit):
        run()
    told: dict[str, float] = {part: clock.seconds[part] for part in PARTS[program]}
    told[REST] = time.process_time() - sum(clock.seconds.values())
    print(json.dumps(told))


if __name__ == "__main__":
    main()
