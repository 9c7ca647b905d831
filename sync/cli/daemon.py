"""The commands daemon and health."""

from __future__ import annotations

import os
import signal
import sys
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import click
from click.exceptions import Exit

from sync.cli import output
from sync.cli.settings import STOPPING, ExitCode, Settings
from sync.cli.story import Story
from sync.core.errors import AddressTaken, ConfigError
from sync.core.shutdown import end_process

if TYPE_CHECKING:
    from sync.config import Config

_HEARD = frozenset(STOPPING)  # SIGHUP reads the configuration again
_PATIENCE = 5.0  # seconds for the daemon to answer
_STOP_LIMIT = 4.5  # seconds for a stop, even if something hangs, such as a full pipe
# With one of these variables, the Prometheus library keeps its figures in files of a folder
# that may not exist.
_FIGURES_IN_FILES = ("PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir")


@click.command
@click.pass_obj
def daemon(settings: Settings) -> None:
    """Sync every account on its schedule, until SIGTERM or Ctrl-C.

    SIGHUP reloads the configuration. A second SIGTERM or Ctrl-C ends the daemon at once.
    See its state with `repoledger status` and `repoledger health`.
    """
    signals = _Signals()
    settings.start_log("info", story=Story().told)
    for variable in _FIGURES_IN_FILES:
        os.environ.pop(variable, None)
    from sync.config import exposure, rhythms
    from sync.daemon import Daemon

    def load() -> Config:
        config = settings.load()
        exposure.warn_of(config.secret_files)
        rhythms.warn_of(config)
        return config

    service = Daemon(load, os.environ)
    try:
        service.start()
    except AddressTaken:
        _require_no_other(settings.load())
        raise
    signals.started(service.stop_event)
    while signals.next() == signal.SIGHUP:
        service.reload()
    if not service.stop():
        _leave(ExitCode.SUCCEEDED)


def _require_no_other(config: Config) -> None:
    """Raise AddressTaken in other words if what listens at the address is a daemon of ours."""
    listen = config.http.listen
    if not listen:
        return
    host, port = _local(listen.address)
    _, _, server = _ask(host, port, "/livez")
    if server.startswith("repoledger"):
        raise AddressTaken(
            f"a daemon is running already, and answers at {host}:{port}: `repoledger status` shows "
            "what it does. To run another one, give it an http.listen of its own"
        )


class _Signals:
    """Receives signals in a separate thread, so that none is missed while the daemon is busy.

    The first stopping signal sets the event of `started`; before `started`, and at a second
    signal, the process ends at once. It also ends when a stop takes too long.

    Python writes each signal into a pipe. Blocking signals for the thread to wait on would
    make child processes deaf to them: a token_command, an agent of the keyring.
    """

    def __init__(self) -> None:
        self._stop: threading.Event | None = None
        self._received: SimpleQueue[int] = SimpleQueue()
        self._pipe, end = os.pipe()
        os.set_blocking(end, False)
        signal.set_wakeup_fd(end, warn_on_full_buffer=False)
        for number in _HEARD:
            signal.signal(number, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEARD)
        threading.Thread(target=self._wait, name="signals", daemon=True).start()

    def started(self, stop: threading.Event) -> None:
        """Set `stop` from now on."""
        self._stop = stop

    def next(self) -> int:
        """Return the next signal; several SIGHUP in a row are one."""
        return self._received.get()

    def _wait(self) -> None:
        while True:
            (number,) = os.read(self._pipe, 1)
            if number == signal.SIGHUP:
                if self._received.empty():
                    self._received.put(number)
            elif self._stop is None:
                end_process(ExitCode.SUCCEEDED)  # no run has begun, so nothing is lost
            elif self._stop.is_set():
                end_process(ExitCode.INTERRUPTED)
            else:
                self._stop.set()
                limit = threading.Timer(_STOP_LIMIT, end_process, (ExitCode.SUCCEEDED,))
                limit.daemon = True
                limit.start()
                self._received.put(number)


def _leave(code: ExitCode) -> None:
    """End the process, even if a thread hangs."""
    sys.stderr.flush()
    end_process(code)
    threading.Event().wait()  # until work under `finished_first` has ended


@click.command
@click.option(
    "--ready", is_flag=True, help="Also ask whether every account was synced recently enough."
)
@click.pass_obj
def health(settings: Settings, ready: bool) -> None:
    """Ask the running daemon whether it is healthy; exit 0 if it is, 1 if not.

    For health checks of containers and for scripts: needs no curl.
    """
    listen = settings.load().http.listen
    if not listen:
        raise ConfigError('http.listen is "", so the daemon has no address for health checks')
    host, port = _local(listen.address)
    status, text, _ = _ask(host, port, "/readyz" if ready else "/livez")
    output.say(text)
    raise Exit(ExitCode.SUCCEEDED if status == 200 else ExitCode.FAILED)


def _local(address: tuple[str, int]) -> tuple[str, int]:
    """Return where a daemon that listens at `address` answers on this machine."""
    host, port = address
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port  # noqa: S104  # every address


def _ask(host: str, port: int, path: str) -> tuple[int, str, str]:
    """Return the status, the text and the server's name of an answer; 0 if there is none."""
    from http.client import HTTPConnection, HTTPException

    connection = HTTPConnection(host, port, timeout=_PATIENCE)
    try:
        connection.request("GET", path)
        answer: Any = connection.getresponse()
        text = answer.read(1_000_000).decode("utf-8", "replace").strip()
        return answer.status, text, answer.getheader("Server") or ""
    except (OSError, HTTPException) as error:
        return 0, f"the daemon does not answer at {host}:{port}: {error}", ""
    finally:
        connection.close()
