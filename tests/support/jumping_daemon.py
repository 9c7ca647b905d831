"""`python -m tests.support.jumping_daemon daemon`: the command, with a wall clock that jumps.

The file named in $CLOCK holds seconds; at SIGUSR1 the clock jumps by as many. The
monotonic clock goes on, as it does when somebody sets the time.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine

from sync.__main__ import main


def _jump_on_demand() -> None:
    travels = []
    monotonic, began = time.monotonic, time.monotonic()
    while signal.sigwait({signal.SIGUSR1}):
        seconds = float(Path(os.environ["CLOCK"]).read_text(encoding="utf-8"))
        travel = time_machine.travel(datetime.now(UTC) + timedelta(seconds=seconds), tick=True)
        travel.start()
        travels.append(travel)
        assert abs(monotonic() - began) < 3600, "the monotonic clock must not jump"


if __name__ == "__main__":
    # As the command does before any thread starts; here there is one before.
    ours = {signal.SIGUSR1, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, ours)
    threading.Thread(target=_jump_on_demand, daemon=True).start()
    main()
