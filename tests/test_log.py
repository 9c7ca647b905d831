"""What the log looks like, and what never stands in it."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest
import structlog

from tests.support.inside.core import log, protect

SECRET = "sw0rdf'ish\\-77"
TOKEN = "ghp_" + "w6" * 18


@pytest.fixture(autouse=True)
def _log_of_our_own() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    protect(SECRET)
    yield
    root.handlers = handlers
    root.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return what was logged, a line each; nothing may have gone to stdout."""
    out, err = capsys.readouterr()
    assert out == ""
    return [json.loads(line) for line in err.split("\n") if line]


def test_an_event_is_one_line_of_json_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("json")
    structlog.get_logger().info("sync.page_stored", page=2, share=0.5, done=True, none=None, of="x")
    (line,) = lines(capsys)
    moment = datetime.fromisoformat(line.pop("timestamp"))
    assert abs((datetime.now(UTC) - moment).total_seconds()) < 60
    assert line == {
        "level": "info",
        "event": "sync.page_stored",
        "page": 2,
        "share": 0.5,
        "done": True,
        "none": None,
        "of": "x",
    }


def test_the_time_the_level_and_the_event_come_first(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("json")
    structlog.get_logger().warning("x.happened", a=1)
    assert list(lines(capsys)[0]) == ["timestamp", "level", "event", "a"]


def test_values_bound_to_the_context_are_in_every_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.configure("json")
    with structlog.contextvars.bound_contextvars(run_id=7, account="me"):
        structlog.get_logger().info("x.happened")
        logging.getLogger("library").warning("careful")
    structlog.get_logger().info("y.happened")
    assert [line.get("run_id") for line in lines(capsys)] == [7, 7, None]


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_events_below_the_level_are_left_out(
    capsys: pytest.CaptureFixture[str], level: str, shown: list[str]
) -> None:
    log.configure("json", level)
    for name in ("debug", "info", "warning", "error"):
        getattr(structlog.get_logger(), name)("x.happened")
    assert [line["level"] for line in lines(capsys)] == shown


def test_without_a_terminal_the_log_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("auto")
    structlog.get_logger().info("x.happened")
    assert lines(capsys)[0]["event"] == "x.happened"


def test_on_a_terminal_the_log_is_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w", encoding="utf-8") as terminal, os.fdopen(ours, "rb", 0) as screen:
        monkeypatch.setattr(sys, "stderr", terminal)
        log.configure("auto")
        structlog.get_logger().info("x.happened", page=2)
        monkeypatch.undo()
        shown = screen.read(4096).decode()
    assert "x.happened" in shown
    assert "\x1b[" in shown  # in colour
    assert not shown.startswith("{")


def test_the_console_shows_an_event_on_one_line_without_control_characters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.configure("console")
    structlog.get_logger().info("x.happened", name="a\nb\x1b[31m", nested=["c\rd"])
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "\x1b" not in err
    assert "\r" not in err
    assert "x.happened" in err
    assert "a\\nb\\x1b[31m" in err


def test_a_line_goes_to_whatever_stderr_is_at_that_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    log.configure("json")
    logger = structlog.get_logger().bind(a=1)
    borrowed = io.StringIO()
    monkeypatch.setattr(sys, "stderr", borrowed)
    logger.info("x.happened")
    assert json.loads(borrowed.getvalue())["a"] == 1


def test_a_program_without_stderr_does_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    log.configure("auto")
    structlog.get_logger().info("x.happened")
    assert sys.stderr is None


@dataclass
class Holder:
    secret: str


class Odd:
    def __repr__(self) -> str:
        return f"Odd({SECRET})"


def fail() -> None:
    error = ValueError(f"token {TOKEN}")
    error.add_note(f"note {SECRET}")
    raise error from KeyError(SECRET)


def raised() -> Exception:
    """Return an error that says the secret, and so do its cause and its note."""
    with pytest.raises(ValueError, match="token") as caught:
        fail()
    return caught.value


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize(
    "value",
    [
        SECRET,
        TOKEN,
        f"https://me:{SECRET}@h/?token={TOKEN}",
        [SECRET, {"deep": (SECRET, [TOKEN])}],
        {"key": SECRET},
        {SECRET: 1},
        {SECRET},
        frozenset({TOKEN}),
        (SECRET,),
        TOKEN.encode(),
        bytearray(TOKEN.encode()),
        Holder(SECRET),
        Odd(),
        [Odd()],
        raised(),
        Path("/x") / TOKEN,
    ],
)
def test_no_value_of_an_event_shows_a_secret(
    capsys: pytest.CaptureFixture[str], log_format: log.LogFormat, value: Any
) -> None:
    log.configure(log_format)
    structlog.get_logger().info("x.happened", value=value)
    out, err = capsys.readouterr()
    assert "x.happened" in err
    assert "***" in err
    assert "w6w6" not in out + err
    assert "sw0rdf" not in out + err


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_no_traceback_shows_a_secret(
    capsys: pytest.CaptureFixture[str], log_format: log.LogFormat
) -> None:
    log.configure(log_format)
    structlog.get_logger().error("x.failed", exc_info=raised())
    logging.getLogger("library").error("failed", exc_info=raised())
    _, err = capsys.readouterr()
    assert err.count("ValueError: token ***") == 2
    assert err.count("note ***") == 2
    assert "w6w6" not in err
    assert "sw0rdf" not in err


def test_messages_of_libraries_are_routed_and_scrubbed(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("json")
    logger = logging.getLogger("urllib3.connectionpool")
    logger.debug("not worth a line")
    logger.info("not worth a line")
    logger.warning("odd answer to %s", f"https://me:{SECRET}@h")
    logger.error("token %s", TOKEN)
    logger.critical("the end")
    routed = [
        (line["level"], line["event"], line["logger"], line["message"]) for line in lines(capsys)
    ]
    name = "urllib3.connectionpool"
    assert routed == [
        ("warning", "library.logged", name, "odd answer to https://me:***@h"),
        ("error", "library.logged", name, "token ***"),
        ("error", "library.logged", name, "the end"),
    ]


def test_of_what_libraries_warn_of_a_part_is_logged_and_no_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.configure("json")
    quoted = "x" * 489 + f" {TOKEN} " + "y" * 10_000
    logging.getLogger("urllib3.connection").warning(quoted, exc_info=raised())
    (line,) = lines(capsys)
    assert line["message"] == "x" * 489 + " *** " + "y" * 6
    assert "exception" not in line


def test_a_level_of_a_library_s_own_is_routed_too(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("json")
    logging.getLogger("library").log(35, "between two levels")
    assert [line["message"] for line in lines(capsys)] == ["between two levels"]


def test_a_library_that_logs_wrongly_does_not_fail_for_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.configure("json")
    logging.getLogger("library").warning("%d things", "many")
    assert "things" in capsys.readouterr().err


def test_libraries_are_silent_below_the_level_that_was_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.configure("json", "error")
    logging.getLogger("library").warning("careful")
    assert lines(capsys) == []


@pytest.mark.parametrize(
    "value", ["lone \ud800 surrogate", ["\udcff"], 2**100, float("nan"), {1: {2}}, object, b"\xff"]
)
def test_no_value_is_too_odd_to_be_logged(capsys: pytest.CaptureFixture[str], value: Any) -> None:
    log.configure("json")
    structlog.get_logger().info("x.happened", value=value)
    (line,) = lines(capsys)
    assert "value" in line


def test_line_breaks_in_values_do_not_break_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("json")
    structlog.get_logger().info("x.happened", value='a\n{"event": "forged"}\u2028')
    (line,) = lines(capsys)
    assert line["event"] == "x.happened"


@pytest.mark.parametrize("kind", ["console", "json"])
def test_nothing_in_a_traceback_or_a_key_acts_on_a_terminal(
    kind: Literal["console", "json"], capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure(kind)

    def fail() -> None:
        raise ValueError("a\x1b]0;title\x07\x9b31m\x7f\u202eb")

    try:
        fail()
    except ValueError:
        structlog.get_logger().exception("x.failed", **{"k\x9by": "v\u2066"})
    err = capsys.readouterr().err
    assert "title" in err
    assert all(line.isprintable() for line in err.split("\n"))
    assert err.count("\n") > 3 if kind == "console" else err.count("\n") == 1
