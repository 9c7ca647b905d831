"""What pytest is told of the mark `matrix`: which tests show which row, and how it came out.

    pytest -m matrix --matrix docs/reliability.md

puts the table between the two marks in that file, or prints it if there is no file.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.matrix.rows import ROWS, SECTIONS, Row

BEGIN, END = "<!-- matrix -->", "<!-- end of matrix -->"


class Shown(NamedTuple):
    """A test that ran: its file, how it ended, how long it took."""

    file: str
    outcome: str
    seconds: float


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--matrix",
        metavar="FILE",
        help="write the table of faults into this file; '-' prints it",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Hand the rows of each test to its reports, wherever those are made."""
    for item in items:
        for mark in item.iter_markers("matrix"):
            for key in mark.args:
                if key not in ROWS:
                    raise pytest.UsageError(f"{item.nodeid}: the matrix has no row {key!r}")
                item.user_properties.append(("matrix", key))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    target = config.getoption("--matrix")
    if target is None:
        return
    shown: dict[str, list[Shown]] = defaultdict(list)
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, ()):
            for name, key in getattr(report, "user_properties", ()):
                if name == "matrix" and (report.when == "call" or outcome != "passed"):
                    file = report.nodeid.partition("::")[0]
                    shown[str(key)].append(Shown(file, outcome, report.duration))
    table = "\n".join(_lines(shown))
    if target == "-":
        terminalreporter.write_line(table)
        return
    file = Path(target)
    before, _, rest = file.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    file.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


def _lines(shown: dict[str, list[Shown]]) -> list[str]:
    lines = []
    for section, rows in SECTIONS.items():
        lines += [f"\n### {section}\n", "| fault | what happens | shown by | result | seconds |"]
        lines += ["|---|---|---|---|---:|"]
        lines += [_line(row, shown.get(row.key, [])) for row in rows]
    return lines


def _line(row: Row, tests: list[Shown]) -> str:
    files = ", ".join(f"`{file}`" for file in sorted({test.file for test in tests}))
    passed = sum(test.outcome == "passed" for test in tests)
    result = f"{passed} of {len(tests)}" if tests else "not run"
    seconds = f"{sum(test.seconds for test in tests):.1f}" if tests else ""
    by = files or row.untested
    return f"| {row.fault} | {row.behaviour} | {by} | {result} | {seconds} |"
