"""Where loggers come from: structlog; in a command without the tracebacks that Rich draws for it.

No command has them drawn, and what draws them takes a tenth of a short command's time to import.
Other programs, which import parts of this one, may want them.
"""

from __future__ import annotations

import sys

_drawing = ("rich.console", "rich.pretty") if "sync.cli" in sys.modules else ()
_hidden = [name for name in _drawing if name not in sys.modules]
sys.modules.update(dict.fromkeys(_hidden))  # type: ignore[arg-type]  # as if there were none
try:
    import structlog
finally:
    for _name in _hidden:
        del sys.modules[_name]

get_logger = structlog.get_logger
bound_contextvars = structlog.contextvars.bound_contextvars

__all__ = ["bound_contextvars", "get_logger", "structlog"]
