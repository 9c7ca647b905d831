"""`python -m tests.support.jumping_daemon daemon`: the command, with a wall clock that jumps.

The file named in $CLOCK holds seconds; at SIGUSR1 the clock becomes wrong by as many, and a line
of the log says so. The monotonic clock goes on, as it does when somebody sets the time.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine

from sync.__main__ import main

JUMPED = "clock.jumped"


def _jump_on_demand() -> None:
    travels, wrong = [], 0.0
    monotonic, began = time.monotonic, time.monotonic()
    while signal.sigwait({signal.SIGUSR1}):
        seconds = float(Path(os.environ["CLOCK"]).read_text(encoding="utf-8"))
        jump = timedelta(seconds=seconds - wrong)
        travel, wrong = time_machine.travel(datetime.now(UTC) + jump, tick=True), seconds
        travel.start()
        travels.append(travel)
        assert abs(monotonic() - began) < 3600, "the monotonic clock must not jump"
        sys.stderr.write(json.dumps({"event": JUMPED, "seconds": seconds}) + "\n")
        sys.stderr.flush()


if __name__ == "__main__":
    # As the command does before any thread starts; here there is one before.
    ours = {signal.SIGUSR1, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, ours)
    threading.Thread(target=_jump_on_demand, daemon=True).start()
    main()
