"""Who may log in, with what, and what a terminal shows of it; and `logout`."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from tests.conftest import TOKEN
from tests.stand_in import StandIn
from tests.support import file_keyring
from tests.support.daemon import wait_until
from tests.support.process import (
    on_terminal,
    repoledger,
    sent_to_terminal,
    start_repoledger,
    write_config,
)
from tests.support.signing_in import (
    CLIENT,
    end_of,
    log_in,
    login_config,
    start_login,
)


@pytest.fixture
def folder(github: StandIn, tmp_path: Path) -> Path:
    """A folder whose account keeps its token in the file `token`."""
    github.add_oauth_app(CLIENT, interval=1)
    github.add_repository("octo", "hello")
    login_config(tmp_path, github)
    return tmp_path


ACCOUNTS = """
[[accounts]]
name = "kept"
token_file = "token"
[[accounts]]
name = "variable"
token_env = "TOKEN"
[[accounts]]
name = "nobody"
username = "octo"
[[accounts]]
name = "app"
app_id = "1"
private_key_file = "app.pem"
"""


@pytest.mark.parametrize("command", ["login", "logout"])
def test_an_account_that_is_not_meant_for_it_is_told(
    github: StandIn, folder: Path, command: str
) -> None:
    write_config(folder, github.url, ACCOUNTS, f'client_id = "{CLIENT}"\n')
    several = repoledger(command, cwd=folder)
    assert several.returncode == 2
    assert "choose one with --account (kept, variable, nobody, app)" in several.stderr
    for name in ("variable", "nobody", "app"):
        done = repoledger(command, "--account", name, cwd=folder, TOKEN=TOKEN)
        assert done.returncode == 2
        assert f"account {name}: to let repoledger save its token" in done.stderr
    unknown = repoledger(command, "--account", "kpet", cwd=folder)
    assert "did you mean kept?" in unknown.stderr
    assert github.requests == []


def test_one_of_several_accounts_logs_in(github: StandIn, folder: Path) -> None:
    write_config(folder, github.url, ACCOUNTS, f'client_id = "{CLIENT}"\n')
    process, code = start_login(github, folder, "--account", "kept")
    github.authorize(code, "octo")
    status, out, _ = end_of(process)
    assert (status, out) == (0, "kept: the token is in token, signed in as octo\n")


def test_the_scope_repo_is_asked_for_if_private_repositories_are_wanted(
    github: StandIn, folder: Path
) -> None:
    for keys, arguments, scope in [
        ('visibility = "all"', (), b"scope=repo"),
        ("", ("--scope", "read:org gist"), b"scope=read%3Aorg+gist"),
        ('visibility = "all"', ("--scope", ""), None),
    ]:
        github.clear_requests()
        login_config(folder, github, f'token_file = "token"\n{keys}')
        process, code = start_login(github, folder, *arguments)
        github.deny(code)
        end_of(process)
        (asked,) = (r.body for r in github.requests if r.path == "/login/device/code")
        assert (scope in asked) if scope else (b"scope" not in asked)


def test_who_is_somebody_else_than_the_account_says_is_told(github: StandIn, folder: Path) -> None:
    login_config(folder, github, 'token_file = "token"\nusername = "hubber"')
    assert "it belongs to octo, not to hubber" in log_in(github, folder)


def test_a_token_that_cannot_be_tried_is_kept_all_the_same(github: StandIn, folder: Path) -> None:
    process, code = start_login(github, folder)
    github.fail(times=9, path="/user", status=502)
    github.authorize(code, "octo")
    status, out, _ = end_of(process)
    assert status == 0
    assert "the token is in token; the test of the token failed: GET" in out
    assert (folder / "token").exists()


def decided(github: StandIn, login: str = "octo") -> threading.Thread:
    """Enter the code as soon as there is one."""

    def enter() -> None:
        wait_until(lambda: github.pending_authorizations)
        github.authorize(github.pending_authorizations[-1], login)

    thread = threading.Thread(target=enter)
    thread.start()
    return thread


def test_a_terminal_of_80_columns_shows_the_address_as_a_qr_code(
    github: StandIn, folder: Path
) -> None:
    thread = decided(github)
    shown = on_terminal("login", cwd=folder, columns=80)
    thread.join()
    lines = shown.splitlines()
    drawn = [line for line in lines if "▀" in line or "▄" in line or "█" in line]
    assert len(drawn) > 10
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("columns", "variables"),
    [(30, {}), (80, {"PYTHONIOENCODING": "ascii"})],
    ids=["narrow", "ascii"],
)
def test_a_terminal_that_cannot_show_it_shows_the_code_alone(
    github: StandIn, folder: Path, columns: int, variables: dict[str, str]
) -> None:
    thread = decided(github)
    status, sent = sent_to_terminal("login", cwd=folder, columns=columns, **variables)
    thread.join()
    assert status == 0
    assert b"/login/device" in sent
    for drawn in ("▀", "▄", "█"):
        assert drawn.encode() not in sent
        assert drawn.encode("ascii", "backslashreplace") not in sent


def test_logout_removes_the_token_once(
    github: StandIn, folder: Path, keyring: dict[str, str]
) -> None:
    log_in(github, folder, **keyring)
    first = repoledger("logout", cwd=folder, **keyring)
    second = repoledger("logout", cwd=folder, **keyring)
    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stdout.startswith("me: removed the token from the system's keyring. GitHub still")
    assert second.stdout == "me: there is no token in the system's keyring\n"
    assert file_keyring.entries(folder / "keyring.json") == {}
    again = repoledger("backfill", cwd=folder, **keyring)
    assert again.returncode == 2
    assert "get one with `repoledger login --account me`" in again.stderr


def test_logout_removes_the_file(github: StandIn, folder: Path) -> None:
    log_in(github, folder)
    assert "removed the token from token" in repoledger("logout", cwd=folder).stdout
    assert not (folder / "token").exists()
    assert repoledger("logout", cwd=folder).stdout == "me: there is no token in token\n"


def test_a_login_that_is_cut_off_leaves_the_former_token_whole(
    github: StandIn, folder: Path
) -> None:
    (folder / "token").write_text("former\n", "utf-8")
    process, _ = start_login(github, folder)
    os.kill(process.pid, signal.SIGKILL)
    assert end_of(process)[0] == -signal.SIGKILL
    assert (folder / "token").read_text("utf-8") == "former\n"


def test_a_login_waits_for_whoever_changes_the_token_now(github: StandIn, folder: Path) -> None:
    holder = subprocess.Popen(
        ["flock", str(folder / ".token.lock"), "sh", "-c", "echo held; read line"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    process = start_repoledger("login", cwd=folder)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=1.5)
    assert github.requests == []
    holder.communicate("go on\n")
    wait_until(lambda: github.pending_authorizations)
    github.deny(github.pending_authorizations[-1])
    assert end_of(process)[0] == 1
