"""Looks whether versions that are locked here have weaknesses that are known.

Run by `make audit`, with the environment that holds the development tools. Ends with 1 if there
are any. What cannot be looked up is told of, and is no failure: there may be no network.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.support.inside.core import printable

PROJECT = Path(__file__).parents[1]
LOCKED = ("constraints.txt", "constraints-all.txt", "constraints-dev.txt")
_TIMEOUT = 10  # seconds for an answer
_LIMIT = 300  # seconds for all of them


def audit(files: Sequence[str], options: Sequence[str]) -> list[Any] | str:
    """Return the packages of `files` with what is known of each, or why that was not found out."""
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes"]
    command += ["--format", "json", "--progress-spinner", "off", "--timeout", str(_TIMEOUT)]
    command += [*(f"--requirement={file}" for file in files), *options]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return f"no end after {_LIMIT} s"
    try:
        return list(json.loads(done.stdout)["dependencies"])
    except (ValueError, KeyError, TypeError):
        said = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        return printable(said[-1])[:200]


def weaknesses(packages: Sequence[Any]) -> Iterator[str]:
    """Yield a line for each weakness that is known."""
    for package in packages:
        for weakness in package.get("vulns", ()):
            mended = ", ".join(weakness["fix_versions"]) or "no version yet"
            name, version = package["name"], package["version"]
            yield printable(f"{name} {version}: {weakness['id']}, mended in {mended}")


def main(arguments: Sequence[str]) -> int:
    """Audit the files that are named, else those of the project; options go to pip-audit."""
    options = [argument for argument in arguments if argument.startswith("-")]
    files = [argument for argument in arguments if argument not in options]
    packages = audit(files or [str(PROJECT / name) for name in LOCKED], options)
    if isinstance(packages, str):
        print(f"Known weaknesses: not checked: {packages}")  # noqa: T201  # the result
        return 0
    unknown = sum("skip_reason" in package for package in packages)
    if unknown:
        told = f"{unknown} of {len(packages)} packages, which could not be looked up"
        print(f"Known weaknesses: not checked: {told}")  # noqa: T201  # the result
    found = list(weaknesses(packages))
    for line in found:
        print(line)  # noqa: T201  # the result
    if not found and unknown < len(packages):
        print(f"Known weaknesses: none in {len(packages) - unknown} packages")  # noqa: T201  # the result
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
