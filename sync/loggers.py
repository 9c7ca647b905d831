"""Where loggers come from: structlog, without the tracebacks that Rich would draw for it.

Nothing here has them drawn, and what draws them takes a tenth of a short command's time to import.
"""

from __future__ import annotations

import sys

_hidden = [name for name in ("rich.console", "rich.pretty") if name not in sys.modules]
sys.modules |= dict.fromkeys(_hidden)  # type: ignore[arg-type]  # as if there were none
try:
    import structlog
finally:
    for _name in _hidden:
        del sys.modules[_name]

get_logger = structlog.get_logger
bound_contextvars = structlog.contextvars.bound_contextvars

__all__ = ["bound_contextvars", "get_logger", "structlog"]
