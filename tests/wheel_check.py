"""Builds the wheel, installs it into a new environment without extras, and uses it there.

Run by `make wheel-check`, with the environment that holds the build tools.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from importlib.metadata import distributions
from pathlib import Path

PROJECT = Path(__file__).parents[1]
PIP = ("-m", "pip", "--disable-pip-version-check", "--quiet")
LIGHT = (25, 70_000_000)  # distributions, and bytes with byte code, of an installation for SQLite
SERVER = "REPOLEDGER_DATABASE__URL"

# A sync of what the stand-in for GitHub has, as the wheel brings it.
BACKFILL = """
import subprocess, sys
from sync.sandbox import Sandbox
with Sandbox() as github:
    github.add_user("octocat", token="a" * 40)
    github.add_repository("octocat", "hello-world")
    settings = {"REPOLEDGER_GITHUB__API_URL": github.url, "GITHUB_TOKEN": "a" * 40}
    sys.exit(subprocess.run([sys.argv[1], "backfill"], env=settings).returncode)
"""

# Commands that need a library of an extra, the variables that have them need it, and its name.
LACKING: tuple[tuple[str, dict[str, str], str], ...] = (
    ("migrate", {SERVER: "postgresql://me@127.0.0.1:9/ledger"}, "pip install 'psycopg[binary]'"),
    ("daemon", {SERVER: "mysql://me@127.0.0.1:9/ledger"}, "pip install 'PyMySQL[rsa]'"),
    ("backfill", {"REPOLEDGER_ACCOUNTS__0__KEYRING": "true"}, "pip install keyring"),
    ("history octocat/hello-world --format png", {}, "pip install matplotlib"),
    (
        "backfill",
        {
            "REPOLEDGER_ACCOUNTS__0__APP_ID": "1",
            "REPOLEDGER_ACCOUNTS__0__PRIVATE_KEY_ENV": "KEY",
            "KEY": "-----BEGIN RSA PRIVATE KEY-----",
        },
        "pip install pyjwt cryptography",
    ),
)


def attempt(
    *command: str | Path, cwd: Path = PROJECT, **variables: str
) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def run(*command: str | Path, cwd: Path = PROJECT) -> str:
    done = attempt(*command, cwd=cwd)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def install(folder: Path) -> tuple[Path, Path]:
    """Return the wheel, and the folder of the programs of an environment with nothing else."""
    wheels = folder / "wheels"
    run(sys.executable, *PIP, "wheel", "--no-deps", "--no-build-isolation", "-w", wheels, ".")
    (wheel,) = wheels.glob("*.whl")
    locked = ("--require-hashes", "-r", PROJECT / "constraints.txt")
    run(sys.executable, *PIP, "download", "--dest", wheels, *locked)
    venv.create(folder / "venv")
    programs = folder / "venv" / "bin"
    into = ("--python", programs / "python", "install")
    run(sys.executable, *PIP, *into, "--no-index", "--find-links", wheels, wheel)
    return wheel, programs


def check_size(programs: Path) -> str:
    """Return how much was installed. Ends with an error if that is more than is promised."""
    (library,) = programs.parent.glob("lib/python*/site-packages")
    count = len(list(distributions(path=[str(library)])))
    size = sum(file.stat().st_size for file in library.rglob("*") if file.is_file())
    told = f"{count} distributions, {size / 1e6:.0f} MB"
    if count > LIGHT[0] or size > LIGHT[1]:
        sys.exit(f"an installation for SQLite has become larger than is promised: {told}")
    return told


def check_missing_libraries(command: Path, folder: Path) -> None:
    """End with an error unless commands say what to install for what is not there."""
    for words, variables, told in LACKING:
        done = attempt(command, *words.split(), cwd=folder, GITHUB_TOKEN="x" * 40, **variables)
        if done.returncode != 2 or told not in done.stderr or "Traceback" in done.stderr:
            sys.exit(f"{words}, without a library that it needs:\n{done.stdout}{done.stderr}")


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        wheel, programs = install(folder)
        told, command = check_size(programs), programs / "repoledger"
        output = run(command, "demo", cwd=folder)
        if "90 syncs" not in output:
            sys.exit(f"the demo of the installed wheel printed something else:\n{output}")
        run(command, "init", cwd=folder)
        run(command, "migrate", cwd=folder)
        run(programs / "python", "-c", BACKFILL, command, cwd=folder)
        check_missing_libraries(command, folder)
        names = "from sync import *; from importlib.resources import files; "
        names += "print(files('sync').joinpath('py.typed').is_file(), GitHubClient.__name__)"
        if run(programs / "python", "-c", names, cwd=folder).split() != ["True", "GitHubClient"]:
            sys.exit("the installed wheel has no types, or not every promised name")
        print(f"{wheel.name}: {told} in a clean environment, where its commands run")  # noqa: T201  # the result


if __name__ == "__main__":
    main()
