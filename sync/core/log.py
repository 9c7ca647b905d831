"""Structured logging: the destination and format of events.

Events go to stderr, one per line: readable text on a terminal, JSON otherwise. All of them
pass through `scrub`, so that no known secret leaves the program.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable, Collection, MutableMapping
from typing import Any, Literal, TextIO

import msgspec
import structlog

from sync.core.log_once import told_once
from sync.core.redaction import printable, printable_json, scrub

LogFormat = Literal["auto", "console", "json"]
LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}

_QUOTED = 500  # characters of a library's message

Event = MutableMapping[str, Any]
Told = Callable[[Event], str | None]


def configure(
    log_format: LogFormat = "auto",
    level: str = "info",
    silent: Collection[str] = (),
    *,
    once: bool = False,
    story: Told | None = None,
) -> None:
    """Set up logging for the process. `level` is one of `LEVELS`.

    Loggers with the names in `silent` are switched off. `once`: a failure is told once, see
    `log_once`. `story`: what is shown of an event on a console in place of its fields; "" for
    nothing, None for its fields.
    """

    def logger(name: str = "") -> Any:
        return structlog.ReturnLogger() if name in silent else _StderrLogger()

    console = is_console(log_format)
    render = _console_renderer(story) if console else _json_line
    if once:
        render = told_once(render, prints_reason=console)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _scrubbed,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=logger,
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [_ToStructlog()]
    root.setLevel(logging.WARNING)


def is_console(log_format: LogFormat) -> bool:
    """Tell whether lines are for people."""
    return log_format == "console" or (log_format == "auto" and _on_a_terminal())


def _on_a_terminal() -> bool:
    stream: TextIO | None = sys.stderr
    return stream is not None and stream.isatty()


class _StderrLogger:
    """Writes lines to the present `sys.stderr`, which a progress bar may have replaced."""

    def msg(self, line: str) -> None:
        stream: TextIO | None = sys.stderr
        if stream is not None:
            # A closed stderr is no reason to stop the work.
            with contextlib.suppress(OSError, ValueError):
                stream.write(line + "\n")
                stream.flush()

    debug = info = warning = error = critical = log = msg


class _ToStructlog(logging.Handler):
    """Passes messages of libraries to structlog, to be scrubbed and rendered like our own.

    Without the traceback of a warning, which is no crash and may quote a server's answer.
    """

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):  # the arguments do not fit the text
            message = str(record.msg)
        structlog.get_logger().log(
            # A library may have levels in between: the next lower one of ours counts.
            max((level for level in LEVELS.values() if level <= record.levelno), default=10),
            "library.logged",
            logger=record.name,
            message=scrub(message)[:_QUOTED],  # in this order: a truncated secret is not found
            exc_info=record.exc_info if record.levelno >= logging.ERROR else None,
        )


def _scrubbed(_: Any, __: str, event: Event) -> Event:
    for key, value in event.items():
        if value is not None and not isinstance(value, (bool, int, float)):
            # Lone surrogates (a file name that is not UTF-8) cannot be written.
            text = scrub(str(value)).encode("utf-8", "backslashreplace")
            event[key] = text.decode()
    return event


def _json_line(_: Any, __: str, event: Event) -> str:
    first = {"timestamp": event.pop("timestamp"), "level": event.pop("level")}
    line = {**first, "event": event.pop("event"), **event}
    return printable_json(msgspec.json.encode(line).decode())


def _console_renderer(story: Told | None) -> Any:
    render = structlog.dev.ConsoleRenderer(colors=_on_a_terminal(), pad_event_to=24)

    def console_line(logger: Any, name: str, event: Event) -> str:
        told = story(event) if story else None
        if told is not None:
            if not told:
                raise structlog.DropEvent
            return printable(told)
        shown = {
            printable(key): _shown(key, value) for key, value in event.items() if value is not None
        }
        return str(render(logger, name, shown))

    return console_line


def _shown(key: str, value: Any) -> Any:
    """Return a value as text for a terminal; a traceback keeps its lines."""
    if not isinstance(value, str):
        return value
    return "\n".join(map(printable, value.split("\n"))) if key == "exception" else printable(value)
