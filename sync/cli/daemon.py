"""The commands daemon and health."""

from __future__ import annotations

import os
import signal
import sys
import threading
from queue import SimpleQueue
from typing import Any

import click
from click.exceptions import Exit

from sync import memory
from sync.cli import output
from sync.cli.settings import ExitCode, Settings
from sync.errors import ConfigError

_STOPPING = (signal.SIGTERM, signal.SIGINT)
_PATIENCE = 5.0  # seconds for the daemon to answer
_STOP_LIMIT = 4.5  # seconds until a stop is over, whatever hangs: a pipe that nobody reads


@click.command
@click.pass_obj
def daemon(settings: Settings) -> None:
    """Sync every account on its schedule, until SIGTERM or Ctrl-C.

    SIGHUP reads the configuration again. A second SIGTERM or Ctrl-C ends it at
    once. How it is doing: `repoledger status`, `repoledger health`.
    """
    memory.collect_as_usual()
    settings.start_log("info")
    # Before any thread starts: each inherits this, and the signals are left for sigwait.
    signal.pthread_sigmask(signal.SIG_BLOCK, {*_STOPPING, signal.SIGHUP})
    from sync.config import Config, exposure
    from sync.daemon import Daemon

    def load() -> Config:
        config = settings.load()
        exposure.warn_of(config.secret_files)
        return config

    service = Daemon(load, os.environ)
    signals = _Signals(service.stop_event)
    service.start()
    signals.started.set()
    while signals.next() == signal.SIGHUP:
        service.reload()
    if not service.stop():
        _end(ExitCode.SUCCEEDED)


class _Signals:
    """Waits for signals in a thread of its own, so that one is heard whatever else goes on.

    The first that stops sets `stop`; before the start is over, and after the
    first, the process ends at once. It also ends when a stop takes too long.
    """

    def __init__(self, stop: threading.Event) -> None:
        self.started = threading.Event()
        self._stop = stop
        self._received: SimpleQueue[int] = SimpleQueue()
        threading.Thread(target=self._wait, daemon=True).start()

    def next(self) -> int:
        """Return the next signal; several SIGHUP on end are one."""
        return self._received.get()

    def _wait(self) -> None:
        while True:
            number = signal.sigwait({*_STOPPING, signal.SIGHUP})
            if number == signal.SIGHUP:
                if self._received.empty():
                    self._received.put(number)
            elif self._stop.is_set():
                os._exit(ExitCode.INTERRUPTED)
            elif not self.started.is_set():
                os._exit(ExitCode.SUCCEEDED)  # nothing has begun that could be lost
            else:
                self._stop.set()
                limit = threading.Timer(_STOP_LIMIT, os._exit, (ExitCode.SUCCEEDED,))
                limit.daemon = True
                limit.start()
                self._received.put(number)


def _end(code: ExitCode) -> None:
    """End the process although a thread that nothing can wake is still there."""
    sys.stderr.flush()
    os._exit(code)


@click.command
@click.option(
    "--ready", is_flag=True, help="Ask whether every account is as current as promised, too."
)
@click.pass_obj
def health(settings: Settings, ready: bool) -> None:
    """Ask the running daemon how it is; exit 0 if it is well, 1 if not.

    Made for a container's health check and for scripts: it needs no curl.
    """
    listen = settings.load().http.listen
    if not listen:
        raise ConfigError('http.listen is "": the daemon does not listen, so it cannot be asked')
    host, port = listen.address
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # every address
    status, text = _ask(local, port, "/readyz" if ready else "/livez")
    output.say(text)
    raise Exit(ExitCode.SUCCEEDED if status == 200 else ExitCode.FAILED)


def _ask(host: str, port: int, path: str) -> tuple[int, str]:
    from http.client import HTTPConnection, HTTPException

    connection = HTTPConnection(host, port, timeout=_PATIENCE)
    try:
        connection.request("GET", path)
        answer: Any = connection.getresponse()
        return answer.status, answer.read(1_000_000).decode("utf-8", "replace").strip()
    except (OSError, HTTPException) as error:
        return 0, f"the daemon does not answer at {host}:{port}: {error}"
    finally:
        connection.close()
