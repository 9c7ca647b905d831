"""Builds the wheel, installs it into a new environment, and runs the demo from an empty folder.

Run by `make wheel-check`, with the environment that holds the build tools.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

PROJECT = Path(__file__).parents[1]
PIP = ("-m", "pip", "--disable-pip-version-check", "--quiet")


def run(*command: str | Path, cwd: Path = PROJECT) -> str:
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        run(sys.executable, *PIP, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, ".")
        (wheel,) = folder.glob("*.whl")
        venv.create(folder / "venv", with_pip=True)
        python = folder / "venv" / "bin" / "python"
        run(python, *PIP, "install", "--require-hashes", "-r", PROJECT / "constraints.txt")
        run(python, *PIP, "install", "--no-deps", wheel)
        command = folder / "venv" / "bin" / "repoledger"
        output = run(command, "demo", cwd=folder)
        if "Second sync" not in output:
            sys.exit(f"the demo of the installed wheel printed something else:\n{output}")
        run(command, "init", cwd=folder)
        run(command, "migrate", cwd=folder)
        names = "from sync import *; from importlib.resources import files; "
        names += "print(files('sync').joinpath('py.typed').is_file(), GitHubClient.__name__)"
        if run(python, "-c", names, cwd=folder).split() != ["True", "GitHubClient"]:
            sys.exit("the installed wheel has no types, or not every promised name")
        print(f"{wheel.name}: installs into a clean environment, and its demo runs")  # noqa: T201  # the result


if __name__ == "__main__":
    main()
