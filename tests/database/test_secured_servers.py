"""Servers that ask for passwords and speak TLS: what the URL asks for is what is done."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING
from urllib.parse import quote
from uuid import uuid4

import pytest

from tests.conftest import TOKEN
from tests.support.database import values
from tests.support.inside.core import DatabaseError
from tests.support.inside.database import migrate
from tests.support.process import PROJECT, repoledger, write_config
from tests.support.secured_servers import Secured, secured
from tests.support.servers import own_server

if TYPE_CHECKING:
    from pathlib import Path

    from sync.sandbox import Sandbox

pytestmark = pytest.mark.slow

PLAIN = "a-plain-password"
# What means something in a URL, in SQL, in a driver's format, or is not Latin-1.
ODD = "p@ss:w/o%rd#?&= %41+'\"\\[é☃]"


@pytest.fixture(params=["postgresql", "mysql"])
def server(request: pytest.FixtureRequest) -> Secured:
    return secured(request.param)


@pytest.fixture
def name(server: Secured) -> str:
    """A user with a plain password, and the database of theirs that has the same name."""
    name = f"u{uuid4().hex[:12]}"
    server.add_user(name, PLAIN, name)
    return name


# Passwords


@pytest.mark.parametrize("way", ["url", "variable", "file"])
def test_an_odd_password_arrives_whichever_way_it_is_given(
    server: Secured, github: Sandbox, tmp_path: Path, way: str
) -> None:
    name = f"u{uuid4().hex[:12]}"
    server.add_user(name, ODD, name)
    write_config(tmp_path, github.url)
    variables = {"REPOLEDGER_DATABASE__URL": server.url(name, name)}
    if way == "url":
        variables["REPOLEDGER_DATABASE__URL"] = server.url(name, name, ODD)
    elif way == "variable":
        variables |= {"REPOLEDGER_DATABASE__PASSWORD_ENV": "SECRET", "SECRET": ODD}
    else:
        (tmp_path / "secret").write_text(f"{ODD}\n", encoding="utf-8")
        variables["REPOLEDGER_DATABASE__PASSWORD_FILE"] = str(tmp_path / "secret")
    done = repoledger("--log-level", "debug", "migrate", cwd=tmp_path, **variables)
    assert done.returncode == 0, done.stderr
    assert_unseen(ODD, done)
    assert values(server.owners_url(name), "SELECT count(*) FROM sync_runs") == [(0,)]


def assert_unseen(password: str, *runs: subprocess.CompletedProcess[str]) -> None:
    for done in runs:
        for form in (password, quote(password), quote(password, safe=""), repr(password)[1:-1]):
            assert form not in done.stdout + done.stderr


COMMANDS = (("--log-level", "debug", "backfill"), ("check", "--json"), ("status",))


@pytest.fixture
def folder(github: Sandbox, tmp_path: Path) -> Path:
    write_config(tmp_path, github.url)
    return tmp_path


@pytest.mark.parametrize(
    ("trouble", "advice"),
    [
        ("wrong password", "check the user, and the password in database.password_file"),
        ("unknown database", "CREATE DATABASE"),
        ("unreachable host", "check the host and the port, and that the server runs"),
    ],
)
def test_a_server_that_cannot_be_used_is_told_of_in_one_line_without_the_password(
    server: Secured, name: str, folder: Path, trouble: str, advice: str
) -> None:
    password, database = PLAIN, name
    options: dict[str, object] = {}
    if trouble == "wrong password":
        password = "another-password"
    elif trouble == "unknown database":
        database = "nowhere"
        if server.kind == "mysql":  # which says so only to those who might use it
            server.execute(f"GRANT ALL ON nowhere.* TO {name}")
    else:
        options = {"port": 9}
    url = server.url(name, database, password, **options)
    commands = [("check",), ("--log-level", "debug", "migrate")]
    for command in commands if trouble == "wrong password" else commands[:1]:
        done = repoledger(*command, cwd=folder, TOKEN=TOKEN, REPOLEDGER_DATABASE__URL=url)
        assert done.returncode in (1, 2)
        shown = done.stdout + done.stderr
        (line,) = [line for line in shown.splitlines() if advice in line]
        assert "***@127.0.0.1" in line
        assert "Traceback" not in shown
        assert_unseen(password, done)


def test_no_command_shows_the_password_of_a_database(
    server: Secured, name: str, folder: Path
) -> None:
    url = server.url(name, name, PLAIN)
    runs = [
        repoledger(*command, cwd=folder, TOKEN=TOKEN, REPOLEDGER_DATABASE__URL=url)
        for command in COMMANDS
    ]
    assert [done.returncode for done in runs] == [0, 0, 0], runs
    assert f"{name}:***@127.0.0.1" in runs[1].stdout
    assert_unseen(PLAIN, *runs)


def test_a_crash_does_not_show_the_password_of_a_database(
    server: Secured, name: str, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    sabotage = tmp_path_factory.mktemp("sabotage")
    (sabotage / "sitecustomize.py").write_text(
        "import sync.database.migrate as it\n"
        "def explode(url, *_):\n"
        "    raise RuntimeError(f'unforeseen: {url}')\n"
        "it.upgrade = explode\n"
    )
    path = f"{sabotage}{os.pathsep}{PROJECT}"
    url = server.url(name, name, PLAIN)
    done = repoledger("migrate", cwd=folder, REPOLEDGER_DATABASE__URL=url, PYTHONPATH=path)
    assert done.returncode == 1
    assert "RuntimeError: unforeseen" in done.stderr
    assert_unseen(PLAIN, done)


# TLS


def encrypted(server: Secured, url: str) -> bool:
    """Tell whether the program's connections are encrypted, by what the server says."""
    from tests.support.inside.database import dialect_of

    ask = "SHOW SESSION STATUS LIKE 'Ssl_cipher'"
    if server.kind == "postgresql":
        ask = "SELECT pid, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    engine = dialect_of(url).reading_engine()
    with engine.connect() as connection:
        _, told = connection.exec_driver_sql(ask).one()
    engine.dispose()
    return bool(told)


# The server's certificate is for localhost. Of each: the server, the host, the options, and
# whether it is encrypted or else what it says.
CASES = [
    ("postgresql", "127.0.0.1", {}, True),
    ("postgresql", "127.0.0.1", {"sslmode": "disable"}, False),
    ("postgresql", "127.0.0.1", {"sslmode": "require"}, True),
    ("postgresql", "127.0.0.1", {"sslmode": "verify-ca", "sslrootcert": "ca"}, True),
    ("postgresql", "localhost", {"sslmode": "verify-full", "sslrootcert": "ca"}, True),
    (
        *("postgresql", "127.0.0.1", {"sslmode": "verify-full", "sslrootcert": "ca"}),
        "does not match host name",
    ),
    (
        *("postgresql", "localhost", {"sslmode": "verify-full", "sslrootcert": "stranger"}),
        "certificate verify failed",
    ),
    (
        *("postgresql", "localhost", {"sslmode": "verify-ca", "sslrootcert": "/no/file"}),
        "check the CA's file in the URL",
    ),
    ("postgresql", "localhost", {"sslmod": "require"}, 'invalid connection option "sslmod"'),
    ("postgresql", "localhost", {"sslmode": "always"}, 'invalid sslmode value: "always"'),
    ("mysql", "127.0.0.1", {}, True),
    ("mysql", "127.0.0.1", {"ssl_disabled": "true"}, False),
    ("mysql", "127.0.0.1", {"ssl_verify_cert": "false"}, True),
    ("mysql", "localhost", {"ssl_ca": "ca"}, True),
    ("mysql", "127.0.0.1", {"ssl_ca": "ca", "ssl_verify_identity": "false"}, True),
    ("mysql", "127.0.0.1", {"ssl_ca": "ca"}, "IP address mismatch"),
    ("mysql", "localhost", {"ssl_ca": "stranger"}, "certificate verify failed"),
    (
        *("mysql", "localhost", {"ssl_ca": "stranger", "ssl_verify_identity": "false"}),
        "certificate verify failed",
    ),
    ("mysql", "localhost", {"ssl_verify_cert": "true"}, "certificate verify failed"),
    ("mysql", "localhost", {"ssl_verify_identity": "true"}, "certificate verify failed"),
    ("mysql", "localhost", {"ssl_ca": "/no/file"}, "cannot be read: No such file"),
]


@pytest.mark.parametrize(("kind", "host", "options", "expected"), CASES)
def test_tls_options_do_what_they_say(
    kind: str, host: str, options: dict[str, str], expected: bool | str
) -> None:
    server = secured(kind)
    name = f"u{uuid4().hex[:12]}"
    server.add_user(name, PLAIN, name)
    files = {"ca": str(server.ca), "stranger": str(server.stranger)}
    options = {key: files.get(value, value) for key, value in options.items()}
    url = server.url(name, name, PLAIN, host=host, **options)
    if isinstance(expected, bool):
        assert encrypted(server, url) is expected
        return
    with pytest.raises(DatabaseError, match=expected) as caught:
        migrate.upgrade(url)
    assert PLAIN not in str(caught.value)


def test_mysql_without_tls_is_refused_where_the_url_asks_for_it() -> None:
    server = own_server("mysql")
    server.stop(gently=True)
    server.start(ssl=0)
    url = server.url.render_as_string(hide_password=False)
    assert migrate.check(url) is None
    with pytest.raises(DatabaseError, match="SSL"):
        migrate.check(f"{url}&ssl_verify_cert=false")
    server.stop(gently=False)
