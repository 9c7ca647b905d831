"""The Dockerfile's own steps, taken without an engine: they give a program that runs."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import string
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest

from sync import __version__
from tests.support.deployment import CHECKS_HEALTH, STARTS, last, read, steps
from tests.support.process import PROJECT, STARTED


class CleanRoom:
    """Takes the Dockerfile's steps under one folder, without an engine.

    Every stage is built at `root`, because a virtual environment holds its own path; a stage that
    is done is put aside, so that the next one has only what it copies. What differs from an engine:
    absolute paths are moved under `root`, the image's Python is a new environment of the one that
    runs the tests, and files belong to whoever runs the tests.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.root, self.home = folder, folder / "root", folder / "home"
        self.stage = ""
        self.env: dict[str, str] = {}
        self.workdir = self.root
        self.owner = last("USER")
        self.home.mkdir()
        subprocess.run([sys.executable, "-m", "venv", folder / "python"], check=True)
        self._gather_context()

    def _gather_context(self) -> None:
        """Copy what .dockerignore lets an engine see."""
        lines = [x for x in read(PROJECT / ".dockerignore").splitlines() if x and x[0] != "#"]
        assert (lines[0], lines[-1]) == ("*", "**/__pycache__")
        self.context = self.folder / "context"
        self.context.mkdir()
        for name in (line.removeprefix("!") for line in lines[1:-1]):
            self._copy(PROJECT / name, self.context / name)

    def take(self, instruction: str, rest: str) -> None:
        taken = {"FROM": self._from, "ENV": self._set, "COPY": self._copy_step, "RUN": self._run}
        if instruction == "WORKDIR":
            self.workdir = self.root / rest.lstrip("/")
            self.workdir.mkdir(parents=True, exist_ok=True)
        elif instruction == "ARG":  # as it is where nobody gives another value
            self._set(rest)
        elif instruction in taken:
            taken[instruction](rest)
        else:  # settings of the image, which other tests look at
            assert instruction in (
                *("LABEL", "USER", "VOLUME", "EXPOSE"),
                *("HEALTHCHECK", "STOPSIGNAL", "ENTRYPOINT", "CMD"),
            )

    def _from(self, rest: str) -> None:
        image, _, name = rest.partition(" AS ")
        if self.stage:
            self.root.rename(self.folder / self.stage)
        if (self.folder / image).exists():
            self._copy(self.folder / image, self.root)
        else:
            self.root.mkdir()
        path = f"{self.folder / 'python' / 'bin'}:/usr/bin:/bin"
        self.env = {"PATH": path, "HOME": str(self.home), "LANG": "C.UTF-8"}
        self.stage, self.workdir = name or "final", self.root

    def _moved(self, text: str) -> str:
        return re.sub(r"(^|[\s=:])/(?=\w)", rf"\1{self.root}/", text)

    def _set(self, rest: str) -> None:
        for pair in shlex.split(rest):
            name, _, value = pair.partition("=")
            self.env[name] = string.Template(self._moved(value)).substitute(self.env)

    def _copy_step(self, rest: str) -> None:
        words = rest.split()
        origin = self.context
        if words[0].startswith("--from="):
            origin = self.folder / words.pop(0).removeprefix("--from=")
        *sources, target = words
        for source in sources:
            place = self.workdir / self._moved(target)
            if target.endswith("/"):
                place /= source
            self._copy(origin / source.lstrip("/"), place)

    @staticmethod
    def _copy(source: Path, target: Path) -> None:
        if source.is_dir():
            ignored = (
                shutil.ignore_patterns("__pycache__") if source.is_relative_to(PROJECT) else None
            )
            shutil.copytree(source, target, symlinks=True, ignore=ignored)
        else:
            shutil.copy2(source, target)

    def _run(self, command: str) -> None:
        user, _, group = self.owner.partition(":")
        as_us = command.replace(f"-o {user} -g {group}", f"-o {os.getuid()} -g {os.getgid()}")
        # Only the step that downloads may reach an index; the others must have all that they need.
        access = reaching_packages() if "pip download" in command else out_of_reach()
        done = subprocess.run(
            ["/bin/sh", "-c", self._moved(as_us)],
            cwd=self.workdir,
            env=self.env | access,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)

    def start(self, *command: str, **more: str) -> subprocess.Popen[str]:
        """Start a command as an engine would: in the image's environment and working folder."""
        kept = {"PYTHONDONTWRITEBYTECODE": "1"}  # as for the image's user, who may not write there
        process = subprocess.Popen(
            [self.root / "opt" / "repoledger" / "bin" / command[0], *command[1:]],
            cwd=self.workdir,
            env=self.env | kept | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        STARTED.append(process)
        return process

    def run(self, *command: str, **more: str) -> tuple[str, str]:
        process = self.start(*command, **more)
        stdout, stderr = process.communicate(timeout=60)
        assert process.returncode == 0, (command, stdout, stderr)
        return stdout, stderr

    def snapshot(self) -> set[tuple[Path, int]]:
        """Return every file outside of the volume, and when it was changed."""
        volume = self._moved(last("VOLUME"))
        found = (file for file in self.root.rglob("*") if not file.is_relative_to(volume))
        return {(file, file.lstat().st_mtime_ns) for file in found}


def reaching_packages() -> dict[str, str]:
    """Return how pip finds packages on this machine, and nothing else of the caller's."""
    names = re.compile(r"(?i)PIP_\w+|SSL_CERT_\w+|REQUESTS_CA_BUNDLE|(https?|all|no)_proxy")
    found = {name: value for name, value in os.environ.items() if names.fullmatch(name)}
    settings = Path.home() / ".config" / "pip" / "pip.conf"
    return ({"PIP_CONFIG_FILE": str(settings)} if settings.exists() else {}) | found


def out_of_reach() -> dict[str, str]:
    return {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "http://127.0.0.1:1/"}


@pytest.mark.timeout(600)  # it downloads the libraries of every extra
def test_the_steps_of_the_dockerfile_give_an_image_that_runs_the_program(tmp_path: Path) -> None:
    """Not shown without an engine: the base image itself, its Python 3.13, the user, VOLUME."""
    room = CleanRoom(tmp_path)
    for step in steps():
        room.take(*step)
    assert {path.name for path in room.root.iterdir()} == {"data", "opt"}

    # Exactly what was locked, and nothing that only builds.
    (library,) = room.root.glob("opt/repoledger/lib/python*/site-packages")
    installed = {each.name.lower(): each.version for each in distributions(path=[str(library)])}
    locked = dict(
        re.findall(r"(?m)^([\w.-]+)(?:\[[^]]*\])?==(\S+)", read(PROJECT / "constraints-all.txt"))
    )
    assert installed.pop("repoledger") == __version__
    assert {
        (re.sub(r"[-_.]+", "-", name), version) for name, version in installed.items()
    } <= locked.items()
    assert {"psycopg", "pymysql", "pyjwt"} <= installed.keys()
    assert not {"hatchling", "editables", "pip", "setuptools"} & installed.keys()

    before = room.snapshot()
    assert room.run(STARTS[0], "--version")[0] == f"repoledger {__version__}\n"
    assert "90 syncs" in room.run(STARTS[0], "demo")[0]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen = "{}:{}".format(*free.getsockname())
    room.env |= {
        "REPOLEDGER_ACCOUNTS__0__NAME": "me",
        "REPOLEDGER_ACCOUNTS__0__USERNAME": "octocat",
        "REPOLEDGER_GITHUB__API_URL": "http://127.0.0.1:1",
        "REPOLEDGER_HTTP__LISTEN": listen,
        "REPOLEDGER_SCHEDULE__RUN_AT_START": "false",
    }
    daemon = room.start(*STARTS)
    assert daemon.stderr is not None
    assert "daemon.started" in daemon.stderr.readline()
    compiled = room.run(*CHECKS_HEALTH, PYTHONVERBOSE="1")[1]
    assert "code object from '" in compiled
    assert re.findall(r"code object from ([^'].*\.py)$", compiled, re.MULTILINE) == []
    daemon.terminate()
    daemon.communicate(timeout=10)
    assert daemon.returncode == 0
    assert room.snapshot() == before  # a root file system that is read-only is enough
