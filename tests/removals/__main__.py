"""Prints the table of scenarios with the rows before and after: `python -m tests.removals`.

Each is played on a SQLite database. Names behind it are of the scenarios that are meant.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from structlog.testing import capture_logs

from tests.removals.playing import Scenario, play
from tests.removals.scenarios import SCENARIOS
from tests.removals.telling import told
from tests.support.inside.database import Store, migrate


def main(names: list[str]) -> int:
    """Print the scenarios; return 1 if one leads to other rows than it should."""
    meant = [each for each in SCENARIOS if not names or each.name in names]
    with TemporaryDirectory() as folder, capture_logs():
        new = Path(folder) / "new.db"
        migrate.upgrade(f"sqlite:///{new}")
        odd = sum(_print(scenario, new) for scenario in meant)
    sys.stdout.write(f"{len(meant)} scenarios, {odd} of them not as they should be\n")
    return int(odd > 0)


def _print(scenario: Scenario, new: Path) -> bool:
    """Print a scenario as it is played, and as it should be where that differs."""
    file = new.with_name("ledger.db")
    shutil.copyfile(new, file)
    with Store(f"sqlite:///{file}") as store:
        found = told(scenario.name, play(scenario, store))
    expected = told(scenario.name, scenario.expected)
    differs = found != expected
    sys.stdout.write(f"{found}\n\n" + (f"SHOULD BE: {expected}\n\n" if differs else ""))
    return differs


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
