"""The command check: tests everything that a run needs; changes nothing."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap

import click
from click.exceptions import Exit

from sync.cli import output
from sync.cli.result import Result, result_options
from sync.cli.screen import screen
from sync.cli.settings import ExitCode, Settings, stop_on_signals
from sync.core.redaction import printable, scrub

_COLUMNS = ("result", "what", "message")
_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}
_INDENT = " " * 6  # the width of a result


@click.command
@result_options
@click.pass_obj
def check(settings: Settings, result: Result) -> None:
    """Test configuration, tokens, GitHub and the database. Changes nothing.

    Exits with 1 if a run would fail.
    """
    from sync.doctor.diagnosis import diagnose

    config = settings.load()
    settings.start_log("error")
    failed = False
    rows = []
    with result.opened():
        for what, finding in diagnose(config, os.environ, stop_on_signals):
            failed = failed or finding.result == "fail"
            message = scrub(finding.message)
            if result.is_table:
                _show(finding.result, what, message)
            else:
                rows.append({"result": finding.result, "what": what, "message": message})
        if not result.is_table:
            output.print_rows(rows, result.format, columns=_COLUMNS)
    raise Exit(ExitCode.FAILED if failed else ExitCode.SUCCEEDED)


def _show(result: str, what: str, message: str) -> None:
    """Print a finding on one line; on a terminal, wrapped."""
    line = printable(f"{result:4}  {what}: {message}")
    if not sys.stdout.isatty():
        print(line)
        return
    width = max(shutil.get_terminal_size().columns, 40)
    wrapped = textwrap.wrap(
        line, width, subsequent_indent=_INDENT, break_long_words=False, break_on_hyphens=False
    )
    first, *others = wrapped
    level = screen().painted(result, _COLOURS.get(result))
    print("\n".join((f"{level}{first.removeprefix(result)}", *others)))
