"""The daemon: syncs every account on its schedule, and says how it is doing."""

from sync.daemon.service import Daemon

__all__ = ["Daemon"]
