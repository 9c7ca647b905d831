"""Tells a failure once: attempts of requests wait until the end of their run says how it went.

For commands that print the reason of a failed run themselves, at the level that nobody chose.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import structlog

_ATTEMPTS = ("http.request_failed", "http.retry_scheduled")
_FAILED, _ENDED = "sync.run_failed", "sync.run_finished"
_MOST = 50  # lines that wait, for each account

Renderer = Callable[[Any, str, Any], str]


def told_once(render: Renderer, *, prints_reason: bool) -> Renderer:
    """Return a renderer that holds back the attempts of a run, and drops them if it fails.

    A run that ends well is preceded by them. `prints_reason`: whether what is shown beside the
    log says why a run failed, so that the log need not.
    """
    waiting: dict[Any, list[str]] = defaultdict(list)

    def line(logger: Any, name: str, event: Any) -> str:
        kind, account = event["event"], event.get("account")
        if kind in _ATTEMPTS:
            held = waiting[account]
            held.append(render(logger, name, event))
            if len(held) > _MOST:
                return held.pop(0)
            raise structlog.DropEvent
        if kind == _FAILED:
            waiting.pop(account, None)
            if prints_reason:
                raise structlog.DropEvent
        told = waiting.pop(account, []) if kind == _ENDED else []
        return "\n".join([*told, render(logger, name, event)])

    return line
