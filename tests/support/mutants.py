"""Small faults put into the core on purpose, each with tests that must fail for it.

A mutant replaces one place of one file. A test run of the mutated copy that passes shows a gap in
the tests. When code is rewritten, the mutant follows it, or goes with what it was about.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.support.process import PROJECT

_COPIED = ("sync", "migrations", "tests", "config.toml", "pyproject.toml")


class Mutant(NamedTuple):
    """In `file`, `old`, which stands there once, becomes `new`; `tests` are pytest's arguments."""

    file: str
    old: str
    new: str
    tests: str


def outcome_of_tests(mutant: Mutant, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the mutant's tests against a copy of the project in `folder` that has the fault."""
    for name in _COPIED:
        source = PROJECT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, folder / name, copy_function=os.link, ignore=ignored)
        else:
            shutil.copyfile(source, folder / name)
    file = folder / mutant.file
    text = file.read_text(encoding="utf-8")
    assert text.count(mutant.old) == 1, f"{mutant.file} has this {text.count(mutant.old)} times"
    file.unlink()  # a link to the true one
    file.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", *shlex.split(mutant.tests)],
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_ADDOPTS": ""},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
