"""A virtual environment for each contender: what one needs, another cannot live with."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.contenders import PEERS, ROOT

# Of the many packages of an environment, those that are what is measured.
_NAMED = (
    *("sqlalchemy", "msgspec", "psycopg", "pymysql", "requests", "github-to-sqlite", "dlt"),
    *("duckdb", "meltanolabs-tap-github", "target-jsonl", "meltanolabs-target-postgres"),
    *("pygithub", "sqlite-utils", "urllib3", "click", "structlog"),
)


def requirements(name: str) -> Path:
    """Return the file of what an environment holds, pinned and hashed."""
    if name == "repoledger":  # with the drivers of every database
        return ROOT / "constraints-all.txt"
    return PEERS / "requirements" / f"{name}.txt"


def build(folder: Path, names: Sequence[str]) -> None:
    """Make the environments that are not there yet."""
    for name in names:
        place = folder / name
        if (place / "complete").exists():
            continue
        print(f"building the environment of {name} ...", file=sys.stderr)
        python = str(place / "bin" / "python")
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--require-hashes", "-r", str(requirements(name))], check=True)
        (place / "complete").touch()


def versions(folder: Path, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the versions of what is measured, by environment."""
    found = {}
    for name in names:
        code = (
            "from importlib.metadata import distributions\n"
            "for d in distributions(): print(d.name.lower(), d.version)"
        )
        python = str(folder / name / "bin" / "python")
        told = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True)
        pairs = dict(line.split() for line in told.stdout.splitlines())
        found[name] = {package: pairs[package] for package in _NAMED if package in pairs}
    return found
