"""How long commands take that do next to nothing: what a cron job pays each time."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.contenders import REPOLEDGER, Place
from benchmarks.measuring import Usage, run

COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "repoledger --version": ["-m", "sync", "--version"],
    "repoledger repos": ["-m", "sync", "repos", "--limit", "20"],
    "repoledger status": ["-m", "sync", "status"],
}


def measure(venvs: Path, *, rounds: int) -> dict[str, Any]:
    """Return the medians of each command, by turns, on a small ledger."""
    from benchmarks.run import environment, serving

    with tempfile.TemporaryDirectory() as folder, serving(1_000) as served:
        home = Path(folder)
        url = f"sqlite:///{home / 'ledger.db'}"
        place = Place(folder=home, venvs=venvs, api=served.api, url=url)
        REPOLEDGER.prepare(place)
        (load,) = REPOLEDGER.commands(place)
        env = environment(home)
        subprocess.run(load, cwd=home, env=env, check=True, capture_output=True)
        used: dict[str, list[Usage]] = {name: [] for name in COMMANDS}
        for _ in range(rounds):
            for name, arguments in COMMANDS.items():
                command = [place.python("repoledger"), *arguments]
                used[name].append(run([command], cwd=home, env=env, log=home / "output.log"))
    return {
        name: {
            "wall": median(usage.wall for usage in usages),
            "cpu": median(usage.cpu for usage in usages),
        }
        for name, usages in used.items()
    }
