"""Commands that ask a ledger of two hosts, on which repositories have the same OWNER/NAME."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.process import on_terminal, repoledger, write_config


class TwoHosts(NamedTuple):
    """A folder whose ledger has repositories of two hosts, which are here and there."""

    folder: Path
    here: str
    there: str

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        done = repoledger(*arguments, "--json", cwd=self.folder)
        assert done.returncode == 0, done.stderr
        found: list[dict[str, Any]] = json.loads(done.stdout)
        return found

    def table(self, *arguments: str) -> list[list[str]]:
        """Return a table's header and its rows, in columns."""
        done = repoledger(*arguments, cwd=self.folder)
        assert done.returncode == 0, done.stderr
        header, _, *lines = done.stdout.splitlines()
        return [line.split() for line in (header, *lines)]


@pytest.fixture(scope="session")
def mirrored_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoHosts]:
    folder = tmp_path_factory.mktemp("mirrored")
    with Sandbox() as here, Sandbox() as there:
        for name, host, stars in (("work", there, 8), ("me", here, 5)):
            host.add_user("octo", token=TOKEN, scopes=())
            host.add_repository("octo", "hello", description="d", stargazers_count=stars)
            removed = host.add_repository("octo", "gone")
            account = f'[[accounts]]\nname = "{name}"\ntoken_env = "TOKEN"\n'
            write_config(folder, host.url, account)
            assert repoledger("backfill", cwd=folder, TOKEN=TOKEN).returncode == 0
            host.delete(removed)
            assert repoledger("backfill", cwd=folder, TOKEN=TOKEN).returncode == 0
        yield TwoHosts(folder, *(host.url.removeprefix("http://") for host in (here, there)))


@pytest.fixture
def mirrored(mirrored_once: TwoHosts, tmp_path: Path) -> TwoHosts:
    """A copy of that folder, of the test's own."""
    return mirrored_once._replace(folder=shutil.copytree(mirrored_once.folder, tmp_path / "two"))


@pytest.mark.parametrize(
    "command",
    [("history", "octo/hello"), ("changes", "--repository", "OCTO/hello")],
    ids=["history", "changes"],
)
def test_a_name_of_two_hosts_is_wrong_use_and_both_full_names_are_told(
    mirrored: TwoHosts, command: tuple[str, ...]
) -> None:
    done = repoledger(*command, cwd=mirrored.folder)
    spellings = " or ".join(f"{host}/octo/hello" for host in sorted(mirrored[1:]))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: 2 hosts have a repository called {command[-1]}; say which: {spellings}\n"
    )


@pytest.mark.parametrize(
    "spelled", ["{}/octo/hello", "http://{}/octo/hello", "--host {} octo/hello"]
)
def test_a_full_name_an_address_and_an_option_say_which_host(
    mirrored: TwoHosts, spelled: str
) -> None:
    for host, stars in ((mirrored.here, 5), (mirrored.there, 8)):
        said = spelled.format(host).split()
        *option, name = said
        assert {row["stargazers_count"] for row in mirrored.rows("history", *said)} == {stars}
        changes = mirrored.rows("changes", *option, "--repository", name)
        assert {row["host"] for row in changes} == {host}


def test_a_host_that_is_said_twice_is_wrong_use(mirrored: TwoHosts) -> None:
    name = f"{mirrored.here}/octo/hello"
    for command in (("history", name), ("changes", "--repository", name)):
        done = repoledger(*command, "--host", mirrored.there, cwd=mirrored.folder)
        assert done.returncode == 2
        assert "the repository's name contains a host" in done.stderr


@pytest.mark.parametrize(
    ("host", "name"),
    [("", "octo/hello"), ("octo", "hello"), ("a/octo", "hello"), ("a/b", "octo/hello")],
)
def test_a_host_and_a_name_are_never_joined_into_another_name(
    mirrored: TwoHosts, host: str, name: str
) -> None:
    for command in (("history", name), ("changes", "--repository", name)):
        done = repoledger(*command, "--host", host, cwd=mirrored.folder)
        assert (done.returncode, done.stdout) == (2, "")
        told = ("HOST or HOST:PORT", "write OWNER/NAME", "the ledger knows no host octo")
        assert any(each in done.stderr for each in told)


@pytest.mark.parametrize("command", ["repos", "changes", "status"])
def test_an_empty_host_is_wrong_use(mirrored: TwoHosts, command: str) -> None:
    done = repoledger(command, "--host", "", cwd=mirrored.folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: '' is not a host; write HOST or HOST:PORT, such as github.com\n"


def test_lists_show_the_host_and_may_be_of_one_alone(mirrored: TwoHosts) -> None:
    for command in (("repos",), ("repos", "--removed"), ("changes", "--fields")):
        header, *rows = mirrored.table(*command)
        column = header.index("host")
        assert header[column + 1] == "full_name"
        shown = [cells for cells in rows if any("octo/" in cell for cell in cells)]
        for host in mirrored[1:]:
            assert [cells for cells in shown if host in cells], command
            assert {row["host"] for row in mirrored.rows(*command, "--host", host)} == {host}
            assert {row["host"] for row in mirrored.rows(*command)} == {*mirrored[1:]}


def test_status_shows_the_host_of_each_account(mirrored: TwoHosts) -> None:
    header, *rows = mirrored.table("status")
    assert header[:2] == ["account", "host"]
    assert [cells[:2] for cells in rows] == [["me", mirrored.here], ["work", mirrored.there]]
    (row,) = mirrored.rows("status", "--host", mirrored.there)
    assert (row["account"], row["host"]) == ("work", mirrored.there)


@pytest.mark.parametrize(
    "command",
    [("repos", "--host", "x"), ("changes", "--host", "x"), ("status", "--host", "x")],
    ids=["repos", "changes", "status"],
)
def test_a_host_that_the_ledger_does_not_hold_is_wrong_use_and_those_that_it_holds_are_told(
    mirrored: TwoHosts, command: tuple[str, ...]
) -> None:
    done = repoledger(*command, cwd=mirrored.folder)
    known = ", ".join(sorted(mirrored[1:]))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: the ledger knows no host x; known: {known}\n"


def test_a_plot_says_of_which_host_it_is(mirrored: TwoHosts) -> None:
    name = f"{mirrored.there}/octo/hello"
    shown = on_terminal("history", name, cwd=mirrored.folder, columns=100)
    assert f"{name}: " in shown


def test_verify_tells_rows_of_two_hosts_apart(mirrored: TwoHosts) -> None:
    copy = shutil.copyfile(mirrored.folder / "ledger.db", mirrored.folder / "copy.db")
    with contextlib.closing(sqlite3.connect(copy)) as connection, connection:
        connection.execute("UPDATE repositories SET size = size + 1 WHERE name = 'hello'")
    done = repoledger("verify", "--against", "sqlite:///copy.db", cwd=mirrored.folder)
    assert done.returncode == 1
    for host in mirrored[1:]:
        assert re.search(rf"repositories {host} \d+: differs in size", done.stdout)


def test_a_dry_run_shows_the_hosts_where_accounts_have_several(tmp_path: Path) -> None:
    with Sandbox() as here, Sandbox() as there:
        for host in (here, there):
            host.add_user("octo", token=TOKEN, scopes=())
            host.add_repository("octo", "hello")
        forge = f'[forges.work]\napi_url = "{there.url}"\n'
        accounts = (
            '[[accounts]]\nname = "me"\ntoken_env = "TOKEN"\n'
            '[[accounts]]\nname = "colleague"\ntoken_env = "TOKEN"\nforge = "work"\n'
        )
        write_config(tmp_path, here.url, accounts, forge)
        done = repoledger("backfill", "--dry-run", cwd=tmp_path, TOKEN=TOKEN)
        header, _, *rows = [line.split() for line in done.stdout.splitlines()]
        assert header[:3] == ["host", "repository", "action"], done.stderr
        assert {tuple(cells[:3]) for cells in rows if cells[1:2] == ["octo/hello"]} == {
            (host.url.removeprefix("http://"), "octo/hello", "insert") for host in (here, there)
        }
