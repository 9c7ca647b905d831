"""The daemon: syncs every account on its schedule, and reports its health."""

from sync.daemon.service import Daemon

__all__ = ["Daemon"]
