"""A connection to a database server that breaks, or stalls, at a chosen moment.

A socket file that passes on all that is said, until a client has said `word`:
then the connection is cut, either at once, or at the next COMMIT: when the server has
carried it out and before its answer is handed on, or before the server hears of it.
"""

from __future__ import annotations

import select
import socket
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import URL, make_url

_PORT_FILE = ".s.PGSQL.5432"


class CuttingLine:
    """A line to the server of `url`, reached by `self.url`; `cuts` is how often it was cut."""

    def __init__(
        self,
        url: str,
        folder: Path,
        word: bytes,
        *,
        at_commit: bool,
        carried_out: bool = True,
        times: int,
    ) -> None:
        given = make_url(url)
        self._word, self._at_commit, self._times = word, at_commit, times
        self._carried_out = carried_out
        self.cuts = 0
        self._guard = threading.Lock()
        self._stalled = threading.Event()
        self._clients: list[socket.socket] = []
        self._family, self._target, here, query = _places(given, folder)
        line = given.set(host=None, port=None).update_query_dict(query)
        self.url = line.render_as_string(hide_password=False)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(here))
        self._listener.listen()
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        if self._stalled.is_set():  # nobody hears of an end
            for client in self._clients:
                with suppress(OSError):
                    client.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    @property
    def connections(self) -> int:
        """How many have been made so far."""
        return len(self._clients)

    def stall(self) -> None:
        """Forward nothing any more, without an end of any connection."""
        self._stalled.set()

    def _accept(self) -> None:
        with suppress(OSError):  # it is no longer listened
            while True:
                client, _ = self._listener.accept()
                self._clients.append(client)
                thread = threading.Thread(target=self._serve, args=(client,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(self._family) as server, suppress(OSError):
            server.connect(self._target)
            self._pass_on(client, server)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        said, heard = b"", False
        while True:
            for speaker in select.select([client, server], [], [])[0]:
                words = speaker.recv(65_536)
                if not words:
                    return
                if self._stalled.is_set():
                    continue
                if speaker is server:
                    client.sendall(words)
                    continue
                said = said[-len(self._word) :] + words
                heard = heard or self._word in said
                if heard and (not self._at_commit or b"COMMIT" in said) and self._may_cut():
                    if self._at_commit and self._carried_out:
                        server.sendall(words)
                        server.recv(65_536)  # it has done it
                    return
                server.sendall(words)

    def _may_cut(self) -> bool:
        with self._guard:
            allowed = self.cuts < self._times
            self.cuts += allowed
            return allowed


def _places(url: URL, folder: Path) -> tuple[socket.AddressFamily, Any, Path, dict[str, str]]:
    """Return where the server listens, where the line does, and what tells a client of it."""
    postgresql = url.get_backend_name() == "postgresql"
    here = folder / (_PORT_FILE if postgresql else "line")
    query = {"host": str(folder)} if postgresql else {"unix_socket": str(here)}
    if url.host:
        address = url.host, url.port or (5432 if postgresql else 3306)
        return socket.AF_INET, address, here, query
    place = f"{url.query['host']}/{_PORT_FILE}" if postgresql else str(url.query["unix_socket"])
    return socket.AF_UNIX, place, here, query
