"""A daemon as users run it: a process of its own, whose log lines can be waited for."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.conftest import TOKEN
from tests.support.process import COMMAND, LISTING_ALONE, STARTED, environment

PATIENCE = 30.0  # seconds after which a test gives up waiting
Event = dict[str, Any]


class RunningDaemon:
    """`repoledger daemon` in `folder`, from the first line of its log to the end of the block.

    `events` are the log lines so far. `program` is what is started instead of
    the command.
    """

    def __init__(
        self, folder: Path, *arguments: str, program: tuple[str, ...] = COMMAND, **variables: str
    ) -> None:
        self.events: list[Event] = []
        self._news = threading.Condition()
        self.process = subprocess.Popen(
            [*program, *arguments, "daemon"],
            cwd=folder,
            env=environment(folder, **{"TOKEN": TOKEN, **variables}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        STARTED.append(self.process)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def __enter__(self) -> Self:
        self.started = self.wait_for("daemon.started")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            if error is None:
                code = self.stop()
                assert code == 0, (code, self.events[-8:])
            else:
                self.process.kill()
        self.end()

    def end(self) -> None:
        """Wait for the last of its log."""
        self._reader.join()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr:
            for line in self.process.stderr:
                event = (
                    json.loads(line) if line.startswith("{") else {"event": "text", "text": line}
                )
                with self._news:
                    self.events.append(event)
                    self._news.notify_all()
        with self._news:
            self.events.append({"event": "end"})
            self._news.notify_all()

    def wait_for(
        self, event: str, times: int = 1, *, patience: float = PATIENCE, **fields: Any
    ) -> Event:
        """Return the event of that name and fields, once it was logged for the nth time."""
        wanted = {"event": event, **fields}

        def found() -> list[Event]:
            return [e for e in self.events if wanted.items() <= e.items()]

        with self._news:
            ended = {"event": "end"}
            self._news.wait_for(
                lambda: len(found()) >= times or ended in self.events, timeout=patience
            )
            assert len(found()) >= times, (wanted, self.events)
            return found()[times - 1]

    def logged(self, event: str, **fields: Any) -> list[Event]:
        """Return the events of that name and fields so far."""
        wanted = {"event": event, **fields}
        with self._news:
            return [e for e in self.events if wanted.items() <= e.items()]

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal and return the exit code."""
        self.send(number)
        return self.process.wait(timeout=PATIENCE)

    def reload(self) -> None:
        """Have it read its configuration again, and wait until it has."""
        before = len(self.logged("config.reloaded"))
        self.send(signal.SIGHUP)
        self.wait_for("config.reloaded", times=before + 1)

    def get(self, path: str) -> tuple[int, str]:
        """Ask its listener; return the status and the body."""
        listen = (self.logged("daemon.started") + self.logged("config.reloaded"))[-1]["listen"]
        host, _, port = listen.rpartition(":")
        connection = HTTPConnection(host, int(port), timeout=PATIENCE)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def json(self, path: str) -> tuple[int, Any]:
        status, body = self.get(path)
        return status, json.loads(body)


class ServiceManager:
    """What systemd is to a daemon: a socket at `address`, for NOTIFY_SOCKET."""

    def __init__(self, folder: Path) -> None:
        self.address = str(folder / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

    def __enter__(self) -> Self:
        self._socket.bind(self.address)
        self._socket.settimeout(PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def wait_for(self, state: str, times: int = 1) -> str:
        """Return the message that begins with `state`, when it has come so many times."""
        while times:
            message = self._socket.recv(10_000).decode()
            times -= message.startswith(state)
        return message


def wait_until(holds: Callable[[], object]) -> None:
    """Return when `holds` does; what it asks for has no other way of being waited for."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline


def write_daemon_config(folder: Path, api_url: str, schedule: str, accounts: str = "") -> Path:
    """Write a config.toml for a daemon that listens on a free port; by default for one account.

    Resources of repositories are off, unless `schedule` has a section [resources].
    """
    resources = "" if "[resources]" in schedule else LISTING_ALONE
    accounts = accounts or '[[accounts]]\nname = "me"\ntoken_env = "TOKEN"\n'
    file = folder / "config.toml"
    file.write_text(
        f'{resources}[database]\nurl = "sqlite:///ledger.db"\n[github]\napi_url = "{api_url}"\n'
        f'max_wait = "0s"\n[http]\nlisten = "127.0.0.1:0"\n[schedule]\njitter = "0s"\n{schedule}\n'
        f"{accounts}",
        encoding="utf-8",
    )
    return file
