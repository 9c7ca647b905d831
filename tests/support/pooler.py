"""What stands between a program and a PostgreSQL server as a pooler does, seen from outside.

It is no pooler: each client gets a connection of its own. It tells clients a made-up
process number, as PgBouncer does, and drops their settings if it is to, as PgBouncer
does with `ignore_startup_parameters = options`.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def pooler(port: int, *, drops_settings: bool) -> Iterator[int]:
    """Yield the port of one in front of the server at `port` of 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(
            target=_accept, args=(listener, port, drops_settings), daemon=True
        )
        accepting.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        accepting.join()


def _accept(listener: socket.socket, port: int, drops_settings: bool) -> None:
    threads = []
    with suppress(OSError):  # the end of the listener
        while True:
            client, _ = listener.accept()
            server = socket.create_connection(("127.0.0.1", port))
            for work in (_upstream, _downstream):
                thread = threading.Thread(
                    target=work, args=(client, server, drops_settings), daemon=True
                )
                thread.start()
                threads.append(thread)
    for thread in threads:
        thread.join()


def _upstream(client: socket.socket, server: socket.socket, drops_settings: bool) -> None:
    with suppress(OSError), client.makefile("rb") as stream:
        (length,) = struct.unpack("!i", stream.read(4))
        startup = stream.read(length - 4)
        if drops_settings:
            words = startup[4:].rstrip(b"\0").split(b"\0")
            kept = [
                w
                for pair in zip(words[::2], words[1::2], strict=True)
                for w in pair
                if pair[0] != b"options"
            ]
            startup = startup[:4] + b"\0".join(kept) + b"\0\0"
        server.sendall(struct.pack("!i", len(startup) + 4) + startup)
        while chunk := stream.read1(65_536):
            server.sendall(chunk)
    _end(client, server)


def _downstream(client: socket.socket, server: socket.socket, _: bool) -> None:
    with suppress(OSError), server.makefile("rb") as stream:
        while header := stream.read(5):
            kind, length = struct.unpack("!ci", header)
            body = stream.read(length - 4)
            if kind == b"K":  # the process's number and its secret
                body = struct.pack("!i", 7) + body[4:]
            client.sendall(header + body)
    _end(client, server)


def _end(*sockets: socket.socket) -> None:
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
