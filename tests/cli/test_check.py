"""`repoledger check` as a user meets it: files, disks, databases, terminals."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.daemon import RunningDaemon, write_daemon_config
from tests.support.database_processes import spawned
from tests.support.inside.database import Store, dialect_of, migrate
from tests.support.inside.doctor import Finding, database
from tests.support.process import environment, on_terminal, repoledger, write_config

NEWEST = migrate.revisions()[-1]


def findings(file: Path) -> list[Finding]:
    return list(database.findings(dialect_of(f"sqlite:///{file}")))


def checked(folder: Path, **variables: str) -> dict[str, list[tuple[str, str]]]:
    """Return what the command says of each thing: results and messages."""
    done = repoledger("check", "--json", cwd=folder, **{"TOKEN": TOKEN, **variables})
    rows = json.loads(done.stdout)
    assert done.returncode == any(row["result"] == "fail" for row in rows)
    said: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        said.setdefault(row["what"], []).append((row["result"], row["message"]))
    return said


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A ledger without rows."""
    file = tmp_path / "ledger.db"
    migrate.upgrade(f"sqlite:///{file}")
    return file


def test_a_check_of_a_ledger_changes_no_byte_and_leaves_no_file(ledger: Path) -> None:
    before = ledger.read_bytes(), sorted(ledger.parent.iterdir())
    assert findings(ledger) == []
    assert (ledger.read_bytes(), sorted(ledger.parent.iterdir())) == before


def test_a_ledger_that_another_program_writes_into_is_told_of_as_locked(ledger: Path) -> None:
    writer = sqlite3.connect(ledger, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    (finding,) = findings(ledger)
    writer.close()
    assert finding.result == "warn"
    assert finding.message.startswith(f"{ledger}: is locked: another program has been writing")


def test_a_file_that_is_no_database_is_told_of(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_bytes(b"not SQLite at all, but long enough\n" * 200)
    assert findings(file) == [Finding("fail", f"{file}: cannot be written: file is not a database")]


@pytest.mark.parametrize("mode", [0o555, 0o777], ids=["read_only_folder", "open_folder"])
def test_what_this_user_cannot_write_is_told_of(open_folder: Path, mode: int) -> None:
    file = open_folder / "ledger.db"
    migrate.upgrade(f"sqlite:///{file}")
    file.chmod(0o444)
    open_folder.chmod(mode)
    with spawned(found_without_rights, f"sqlite:///{file}") as child:
        ((result, message),) = child.receive()
    assert result == "fail"
    assert message.startswith(f"{open_folder if mode == 0o555 else file}: cannot be written: ")


# A mount of one's own needs a user namespace, which not every system allows.
_mounting = (
    subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode
    if shutil.which("unshare")
    else 1
)
needs_mounts = pytest.mark.skipif(_mounting != 0, reason="this system lets users mount nothing")
_LOOK = """
import sys
from sync.database.dialects import dialect_of
from sync.doctor.database import findings
for result, message in findings(dialect_of(sys.argv[1])):
    print(result, message)
"""


def in_mount(folder: Path, commands: str, file: str = "ledger.db") -> list[str]:
    """Return what is found of a file in a folder, after these commands in a namespace of mounts."""
    script = f'set -e; cd {folder}; {commands}; exec "$@"'
    look = [sys.executable, "-c", _LOOK, f"sqlite:///{folder / file}"]
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", *look],
        env=environment(folder),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.splitlines()


@needs_mounts
def test_a_read_only_mount_is_told_of_although_every_mode_allows_it(ledger: Path) -> None:
    folder = ledger.parent
    commands = f"mount --bind {folder} {folder}; mount -o remount,bind,ro {folder}"
    assert in_mount(folder, commands)[0].startswith(f"fail {folder}: cannot be written: Read-only")


@needs_mounts
def test_a_file_on_a_read_only_mount_in_a_folder_that_is_not_is_told_of(ledger: Path) -> None:
    folder = ledger.parent
    commands = f"mount --bind {ledger} {ledger}; mount -o remount,bind,ro {ledger}"
    assert in_mount(folder, commands)[0].startswith(f"fail {ledger}: cannot be written: ")


@needs_mounts
@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("size=20m", ["warn only 20 MiB are free in {}"]),
        ("size=200m,nr_inodes=50", ["warn only 4"]),
        ("size=200m,nr_inodes=1", ["fail {}: cannot be written: No space left on device", "warn"]),
        ("size=200m", []),
    ],
)
def test_a_disk_that_is_nearly_full_is_told_of(
    tmp_path: Path, options: str, told: list[str]
) -> None:
    commands = f"mount -t tmpfs -o {options} tmpfs {tmp_path}"
    said = in_mount(tmp_path, commands, "new.db")
    assert len(said) == len(told)
    for line, begins in zip(said, told, strict=True):
        assert line.startswith(begins.format(tmp_path))


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can get to."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


def found_without_rights(pipe: Any, url: str) -> None:
    """Look at a database as somebody who owns nothing of it."""
    if os.geteuid() == 0:  # whom no file's mode stops
        os.seteuid(65534)
    pipe.send([tuple(each) for each in database.findings(dialect_of(url))])


def test_a_run_in_progress_and_one_that_was_cut_off_are_told_apart(
    github: Sandbox, folder: Path
) -> None:
    url = f"sqlite:///{folder / 'ledger.db'}"
    migrate.upgrade(url)
    with Store(url) as store:
        with store.lock("me"):
            store.start_run("me", "127.0.0.1", "backfill")
            busy = "a run of me is in progress; a second one would be refused"
            assert ("ok", busy) in checked(folder)["database"]
        cut_off = "the last run of me was interrupted; the next run continues it"
        assert ("ok", cut_off) in checked(folder)["database"]


def test_a_wait_that_github_has_asked_for_is_told_of(github: Sandbox, folder: Path) -> None:
    reset = datetime.now(UTC) + timedelta(hours=1)
    github.set_quota(TOKEN, remaining=0, reset=reset)
    assert repoledger("backfill", cwd=folder, TOKEN=TOKEN).returncode == 4
    (result, message) = checked(folder)["database"][-1]
    assert (result, message[:34]) == ("warn", "GitHub has asked me to wait until ")
    assert abs(datetime.fromisoformat(message[34:50] + "Z") - reset) < timedelta(minutes=2)


def test_a_schema_of_another_version_is_told_of_with_what_to_do(folder: Path) -> None:
    assert repoledger("migrate", cwd=folder).returncode == 0
    with sqlite3.connect(folder / "ledger.db") as ledger:
        ledger.execute("UPDATE repoledger_schema SET version_num = '9999'")
    ledger.close()
    message = f"ledger.db: schema 9999 is newer than this program's {NEWEST}"
    assert checked(folder)["database"] == [("fail", f"{message}; install a newer repoledger")]


@pytest.mark.parametrize(("value", "problem"), [("", "is empty"), (" \n", "is empty")])
def test_a_variable_that_is_set_but_empty_is_told_of(
    folder: Path, value: str, problem: str
) -> None:
    assert checked(folder, TOKEN=value)["account me"] == [
        ("fail", f"the environment variable TOKEN {problem}")
    ]


@pytest.mark.matrix("process.open-file")
@pytest.mark.parametrize(("mode", "told"), [(0o644, True), (0o640, True), (0o600, False)])
def test_a_token_file_that_others_can_read_is_told_of_with_what_to_type(
    github: Sandbox, tmp_path: Path, mode: int, told: bool
) -> None:
    token = tmp_path / "my token"
    token.write_text(TOKEN)
    token.chmod(mode)
    write_config(tmp_path, github.url, '[[accounts]]\nname = "me"\ntoken_file = "my token"\n')
    warning = "others can read my token, which holds a secret: `chmod go= 'my token'`"
    assert (("warn", warning) in checked(tmp_path)["configuration"]) is told


@pytest.mark.matrix("process.open-file")
def test_a_configuration_with_a_password_in_it_is_told_of_if_others_can_read_it(
    github: Sandbox, tmp_path: Path
) -> None:
    file = write_config(tmp_path, github.url)
    url = "postgresql://ledger:passw0rd@127.0.0.1:9/ledger"
    file.write_text(file.read_text().replace("sqlite:///ledger.db", url))
    file.chmod(0o644)
    warning = ("warn", "others can read config.toml, which holds a secret: `chmod go= config.toml`")
    assert warning in checked(tmp_path)["configuration"]
    # From a variable, there is nothing in the file that others must not read.
    from_variable = checked(tmp_path, REPOLEDGER_DATABASE__URL=url)
    assert warning not in from_variable["configuration"]


def begun(*words: str, folder: Path, **variables: str) -> list[dict[str, Any]]:
    """Return what a command logs of files that others can read."""
    done = repoledger("--log-format", "json", *words, cwd=folder, **variables)
    events = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    return [event for event in events if event["event"] == "secret.file_open"]


@pytest.mark.matrix("process.open-file")
def test_a_run_warns_once_of_a_token_file_that_others_can_read(
    github: Sandbox, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o604)
    names = "".join(f'[[accounts]]\nname = "{n}"\ntoken_file = "token"\n' for n in "ab")
    write_config(tmp_path, github.url, names)
    (event,) = begun("backfill", folder=tmp_path)
    del event["timestamp"]
    assert event == {
        "level": "warning",
        "event": "secret.file_open",
        "file": "token",
        "cure": "chmod go= token",
    }
    token.chmod(0o600)
    assert begun("backfill", folder=tmp_path) == []


@pytest.mark.matrix("process.open-file")
def test_a_run_warns_of_a_password_file_that_others_can_read(
    github: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("passw0rd")
    (tmp_path / "password").chmod(0o644)
    file = write_config(tmp_path, github.url)
    named = 'url = "mysql://ledger@127.0.0.1:9/ledger"\npassword_file = "password"'
    file.write_text(file.read_text().replace('url = "sqlite:///ledger.db"', named))
    (event,) = begun("backfill", folder=tmp_path, TOKEN=TOKEN)
    assert (event["file"], event["cure"]) == ("password", "chmod go= password")


@pytest.mark.matrix("process.open-file")
def test_a_daemon_warns_of_it_when_it_starts_and_when_it_reads_its_configuration_again(
    github: Sandbox, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o604)
    account = '[[accounts]]\nname = "me"\ntoken_file = "token"\n'
    write_daemon_config(tmp_path, github.url, 'every = "1h"', account)
    with RunningDaemon(tmp_path) as daemon:
        (event,) = daemon.logged("secret.file_open")
        assert event["cure"] == "chmod go= token"
        daemon.reload()
        assert len(daemon.logged("secret.file_open")) == 2


@needs_mounts
@pytest.mark.matrix("process.open-file")
def test_secrets_on_a_read_only_mount_as_containers_get_them_are_left_alone(
    tmp_path: Path,
) -> None:
    look = "import sys; from sync.config.exposure import open_files as o; print([*o(sys.argv[1:])])"
    script = (
        'set -e; mount -t tmpfs tmpfs "$1"; mkdir "$1/..data"; echo secret > "$1/..data/token"; '
        'ln -s ..data/token "$1/token"; "$2" -c "$3" "$1/token"; '
        'mount -o remount,ro "$1"; "$2" -c "$3" "$1/token"'
    )
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", str(tmp_path), sys.executable, look],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    writable, read_only = done.stdout.splitlines()
    assert "chmod go=" in writable
    assert read_only == "[]"


def test_a_terminal_shows_long_findings_within_its_width(github: Sandbox, folder: Path) -> None:
    github.set_scopes(TOKEN, ("gist",))
    account = '[[accounts]]\nname = "me"\ntoken_env = "TOKEN"\nvisibility = "all"\n'
    write_config(folder, github.url, account)
    shown = on_terminal("check", cwd=folder, columns=80, TOKEN=TOKEN)
    lines = shown.splitlines()
    assert max(map(len, lines)) <= 80
    assert all(line[:6].strip() in ("ok", "warn", "") for line in lines)
    assert "the token lacks the scope repo and sees no private" in " ".join(shown.split())
    piped = repoledger("check", cwd=folder, TOKEN=TOKEN).stdout
    assert len(piped.split()) == len(shown.split())
    assert all(line[:4].strip() in ("ok", "warn") for line in piped.splitlines())
