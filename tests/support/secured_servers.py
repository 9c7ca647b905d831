"""Servers on 127.0.0.1 that ask for passwords and speak TLS, each with a CA of its own."""

from __future__ import annotations

import shutil
import socket
import subprocess
from functools import cache
from urllib.parse import urlencode

from sqlalchemy import NullPool, create_engine

from tests.support import servers
from tests.support.certificates import certify

_ATTEMPTS = 5  # at a port that nobody else has taken meanwhile


class Secured:
    """A server whose certificate, signed by `ca`, is for `localhost` and not for 127.0.0.1.

    `ca` is a file, and so is `stranger`, a CA that has signed nothing of it.
    """

    def __init__(self, kind: str, server: servers.Server, port: int) -> None:
        self.kind, self.port, self._owner = kind, port, server.url
        self.ca, self.stranger = server.home / "ca.pem", server.home / "stranger.pem"

    def owners_url(self, database: str) -> str:
        """Return its administrator's URL of a database, by a way that asks for no password."""
        return self._owner.set(database=database).render_as_string(hide_password=False)

    def execute(self, *statements: str, database: str | None = None) -> None:
        """Do what its administrator does."""
        owner = self._owner.set(database=database) if database else self._owner
        engine = create_engine(owner, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        try:
            with engine.connect() as connection:
                for statement in statements:
                    connection.exec_driver_sql(statement.replace("%", "%%"))
        finally:
            engine.dispose()

    def add_user(self, name: str, password: str, database: str) -> None:
        """Add a user, and a database of theirs."""
        quoted = password.replace("\\", "\\\\") if self.kind == "mysql" else password
        quoted = quoted.replace("'", "''")
        if self.kind == "mysql":
            self.execute(
                f"CREATE DATABASE {database}",
                f"CREATE USER {name} IDENTIFIED BY '{quoted}'",
                f"GRANT ALL ON {database}.* TO {name}",
            )
        else:
            self.execute(
                f"CREATE ROLE {name} LOGIN PASSWORD '{quoted}'",
                f"CREATE DATABASE {database} OWNER {name}",
            )

    def url(
        self,
        user: str,
        database: str,
        password: str | None = None,
        **options: object,
    ) -> str:
        """Return a URL with options; `host` and `port` stand where they belong."""
        host = str(options.pop("host", "127.0.0.1"))
        port = options.pop("port", self.port)
        made = self._owner.set(
            username=user, password=password, host=host, port=int(str(port)), database=database
        ).set(query={})
        query = f"?{urlencode(options)}" if options else ""
        return made.render_as_string(hide_password=False) + query


@cache
def secured(kind: str) -> Secured:
    """Return the server of a kind, started once in this process; skips the test like `server`."""
    server = servers.own_server(kind)
    server.stop(gently=True)
    key = certify(server.home)
    shutil.chown(key, server.home.owner())
    start = {"postgresql": _start_postgresql, "mysql": _start_mysql}[kind]
    for attempt in range(1, _ATTEMPTS + 1):
        port = _free_port()
        try:
            start(server, port)
            break
        except (subprocess.CalledProcessError, AssertionError):
            if attempt == _ATTEMPTS:
                raise
    return Secured(kind, server, port)


def _start_postgresql(server: servers.Server, port: int) -> None:
    home = server.home
    rules = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
    (home / "data/pg_hba.conf").write_text(rules, encoding="utf-8")
    # The socket's name holds the port, which the owner's URL does not know.
    server.url = server.url.set(port=port)
    server.start(
        listen_addresses="127.0.0.1",
        port=port,
        ssl="on",
        ssl_cert_file=home / "server.pem",
        ssl_key_file=home / "server.key",
    )


def _start_mysql(server: servers.Server, port: int) -> None:
    home = server.home
    server.start(
        skip_networking=0,
        # Or 127.0.0.1 is localhost, where there is a user without a name.
        skip_name_resolve=1,
        bind_address="127.0.0.1",
        port=port,
        ssl_cert=home / "server.pem",
        ssl_key=home / "server.key",
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
