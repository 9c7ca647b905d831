"""Reports the daemon's state to systemd: sd_notify(3)."""

from __future__ import annotations

import contextlib
import os
import socket
import time

_PATIENCE = 0.5  # seconds to wait for a reader


def notify(*states: str) -> None:
    """Send `states` such as "READY=1" to the service manager, if NOTIFY_SOCKET names one."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address or not hasattr(socket, "AF_UNIX"):
        return
    if address[0] == "@":  # Linux' abstract names begin with a zero byte
        address = f"\0{address[1:]}"
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel,
    ):
        channel.settimeout(_PATIENCE)
        channel.connect(address)
        channel.sendall("\n".join(states).encode())


def reloading() -> None:
    """Report a reload of the configuration; `notify("READY=1")` reports its end."""
    notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
