"""Data never acts on the terminal that shows it: no command sends it a sequence raw."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.process import (
    on_terminal,
    repoledger,
    repoledger_bytes,
    sent_to_terminal,
    write_config,
)

pytestmark = pytest.mark.slow

# What moves the cursor, colours, makes a link, sets the clipboard or the title, rings, and the
# same with C1 controls; carriage return, backspace, delete; what turns or hides text; a new line.
HOSTILE = (
    "a\x1b[66;66Hb\x1b[31mc\x1b]8;;http://evil.example\x07d\x1b]52;c;ZXZpbA==\x1b\\e\x1bcf"
    "\x9b31mg\x9d0;title\x9ch\x07i\rj\x08k\x7fl\u202am\u202bn\u202co\u202dp\u202eq"
    "\u2066r\u2067s\u2068t\u2069u\u200bv\u200dw\ufeffx\ny\x85z\u2028"
)
# What we send ourselves: styles, links to GitHub, the cursor hidden and shown, a progress bar
# drawn again, the days of the demo counted on one line.
_OURS = re.compile(
    r"\x1b\[[0-9;]*m|\x1b\]8;;(https://github\.example/[-\w]+/[-\w]+)?\x1b\\|\x1b\[\?25[lh]"
    r"|\x1b\[2K|\x1b\[1A|\r(?=\x1b\[[12]|\n|day \d|\d+ syncs)|\n"
)
_STYLED = "\x1b[31mc"

READING = {
    "repos": ("repos",),
    "changes": ("changes",),
    "status": ("status",),
    "query": ("query", f'SELECT description AS "{HOSTILE}" FROM repositories ORDER BY id'),
    "dry run": ("backfill", "--dry-run"),
    "check": ("check",),
    "verify": ("verify", "--against", "sqlite:///other.db"),
}
FORMATS = ("table", "ndjson", "csv")


def shown_by(*words: str, cwd: Path, code: int | None = None, **variables: str) -> str:
    """Return all that a command sends to a terminal, its styles included."""
    ended, sent = sent_to_terminal(*words, cwd=cwd, columns=200, **variables)
    assert code in (None, ended), sent
    return sent.decode()


def harmless(shown: str) -> bool:
    """Tell whether nothing is left that acts on a terminal, besides what is ours."""
    return _STYLED not in shown and _OURS.sub("", shown).isprintable()


@pytest.fixture(scope="session")
def filled_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two ledgers of hostile data, and a run that failed with a hostile message."""
    folder = tmp_path_factory.mktemp("hostile")
    with Sandbox() as github:
        github.add_user("octo", token=TOKEN, scopes=())
        write_config(folder, github.url)
        for number in range(3):
            github.add_repository(
                "octo",
                f"r{number}",
                description=HOSTILE,
                language=HOSTILE[:200],
                homepage=HOSTILE,
                topics=[HOSTILE],
            )
        assert repoledger("backfill", cwd=folder, TOKEN=TOKEN).returncode == 0
        refuse(github)
        assert repoledger("backfill", cwd=folder, TOKEN=TOKEN).returncode == 1
    ledger = sqlite3.connect(folder / "ledger.db")
    ledger.execute("UPDATE repositories SET full_name = ? || id, name = ?", (HOSTILE, HOSTILE))
    ledger.execute("UPDATE accounts SET name = ?", (HOSTILE[:60],))
    for table in ("account_repositories", "sync_runs", "page_cache"):
        ledger.execute(f"UPDATE {table} SET account = ?", (HOSTILE[:60],))
    ledger.commit()
    with sqlite3.connect(folder / "other.db") as other:
        ledger.backup(other)
        other.execute("UPDATE repositories SET stargazers_count = 9")
        other.execute("UPDATE accounts SET name = name || 'x'")
    other.close()
    ledger.close()
    return folder


def refuse(github: Sandbox) -> None:
    """Have GitHub refuse everything once, with a hostile message."""
    github.fail(times=9, status=403, body=json.dumps({"message": HOSTILE}).encode())


@pytest.fixture
def filled(filled_once: Path, tmp_path: Path) -> Iterator[tuple[Path, Sandbox]]:
    """A copy of that folder, and the GitHub that its configuration names."""
    folder = shutil.copytree(filled_once, tmp_path / "filled")
    with Sandbox() as github:
        github.add_user("octo", token=TOKEN, scopes=())
        github.add_repository("octo", "new\x1b[31mc", description=HOSTILE)
        write_config(folder, github.url)
        yield folder, github


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("command", READING)
def test_what_a_command_shows_of_hostile_data_does_nothing_to_a_terminal(
    filled: tuple[Path, Sandbox], command: str, fmt: str
) -> None:
    folder, github = filled
    if command == "check":
        refuse(github)
    words = READING[command]
    shown = shown_by(*words, "--format", fmt, cwd=folder, TOKEN=TOKEN)
    assert "x1b" in shown or "u001b" in shown  # it was there to be shown
    assert harmless(shown)


@pytest.mark.parametrize("command", READING)
def test_a_table_in_a_pipe_holds_nothing_that_acts_on_a_terminal(
    filled: tuple[Path, Sandbox], command: str
) -> None:
    folder, github = filled
    if command == "check":
        refuse(github)
    done = repoledger(*READING[command], cwd=folder, TOKEN=TOKEN)
    assert "x1b" in done.stdout
    assert harmless(done.stdout)
    assert harmless(done.stderr)


@pytest.mark.parametrize("words", [("history",), ("history", "--format", "csv")])
def test_the_plot_and_the_table_of_a_hostile_name_do_nothing_to_a_terminal(
    filled: tuple[Path, Sandbox], words: tuple[str, ...]
) -> None:
    folder, _ = filled
    name = _full_name(folder)
    shown = shown_by(*words, name, cwd=folder, code=0)
    assert ("stargazers_count" in shown) is ("csv" in words)
    assert ("one day is known" in shown) is ("csv" not in words)
    assert harmless(shown)


def test_a_chart_of_a_hostile_name_is_a_picture_without_control_characters(
    filled: tuple[Path, Sandbox],
) -> None:
    folder, _ = filled
    name = _full_name(folder)
    drawn = repoledger("history", name, "--format", "svg", cwd=folder)
    assert "a\\x1b[66;66Hb" in drawn.stdout
    assert harmless(drawn.stdout)


def _full_name(folder: Path) -> str:
    with sqlite3.connect(folder / "ledger.db") as ledger:
        ((name,),) = ledger.execute("SELECT full_name FROM repositories LIMIT 1").fetchall()
    ledger.close()
    return str(name)


@pytest.mark.parametrize("log", ["console", "json"])
def test_a_run_that_a_hostile_server_refuses_does_nothing_to_a_terminal(
    filled: tuple[Path, Sandbox], log: str
) -> None:
    folder, github = filled
    refuse(github)
    words = ("--log-format", log, "--log-level", "debug", "backfill")
    shown = shown_by(*words, cwd=folder, code=1, TOKEN=TOKEN)
    assert "a\\x1b[66;66Hb" in shown
    assert harmless(shown)


def test_a_run_of_hostile_repositories_does_nothing_to_a_terminal(
    filled: tuple[Path, Sandbox],
) -> None:
    folder, _ = filled
    words = ("--log-level", "debug", "backfill")
    shown = shown_by(*words, cwd=folder, code=0, TOKEN=TOKEN)
    assert "succeeded" in shown
    assert harmless(shown)


# Texts of the user's own: a file name, a name asked for, a key of the configuration.
def test_what_the_user_gives_is_told_of_without_acting_on_the_terminal(
    filled: tuple[Path, Sandbox],
) -> None:
    folder, _ = filled
    odd = HOSTILE[:20]
    (folder / "odd.toml").write_text(f"[github]\n{json.dumps(HOSTILE)} = 1\n")
    for code, *words in (
        (2, "history", HOSTILE),
        (2, "repos", "--sort", HOSTILE),
        (2, "repos", "--as-of", HOSTILE),
        (2, "query", f"SELECT {HOSTILE}"),
        (2, HOSTILE),
        (2, "check", HOSTILE),
        (2, "--config", "odd.toml", "status"),
        (0, "--config", odd, "init", "--yes"),
        (2, "--config", odd, "init", "--yes"),
        (0, "demo", "--directory", f"{odd}-demo"),
        (2, "copy", "--to", f"sqlite:///{odd}.db"),
    ):
        shown = shown_by(*words, cwd=folder, code=code)
        assert harmless(shown), words


def test_a_crash_with_hostile_data_in_its_message_does_nothing_to_a_terminal(
    filled: tuple[Path, Sandbox], tmp_path: Path
) -> None:
    from tests.support.process import PROJECT

    folder, _ = filled
    (tmp_path / "sitecustomize.py").write_text(
        f"import sync.cli.status\ndef explode(*_):\n    raise RuntimeError({HOSTILE!r})\n"
        "sync.cli.status._age = sync.cli.status._with_age = explode\n"
    )
    path = f"{tmp_path}:{PROJECT}"
    shown = shown_by("status", cwd=folder, code=1, PYTHONPATH=path)
    assert "RuntimeError: a\\x1b[66;66Hb" in shown
    assert harmless(shown)


def test_what_a_stranger_answers_in_place_of_the_daemon_does_nothing_to_a_terminal(
    filled: tuple[Path, Sandbox],
) -> None:
    class Stranger(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(503)
            self.end_headers()
            self.wfile.write(HOSTILE.encode())

        def log_message(self, *_: object) -> None: ...

    folder, _ = filled
    with HTTPServer(("127.0.0.1", 0), Stranger) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        listen = f"127.0.0.1:{server.server_port}"
        shown = shown_by("health", cwd=folder, code=1, REPOLEDGER_HTTP__LISTEN=listen)
        thread.join()
    assert "a\\x1b[66;66Hb" in shown
    assert harmless(shown)


@pytest.mark.parametrize("fmt", ["json", "ndjson"])
def test_json_has_the_same_value_although_nothing_in_it_acts_on_a_terminal(
    filled: tuple[Path, Sandbox], fmt: str
) -> None:
    folder, _ = filled
    done = repoledger(
        "query", "SELECT description AS d FROM repositories", "--format", fmt, cwd=folder
    )
    rows = (
        json.loads(done.stdout)
        if fmt == "json"
        else list(map(json.loads, done.stdout.split("\n")[:-1]))
    )
    assert rows == [{"d": HOSTILE}] * 3
    assert harmless(done.stdout)


def test_csv_for_a_program_is_the_data_itself(filled: tuple[Path, Sandbox]) -> None:
    folder, _ = filled
    words = ("query", "SELECT description AS d FROM repositories", "--format", "csv")
    piped = repoledger_bytes(folder, *words).stdout.decode()
    assert list(csv.reader(io.StringIO(piped, newline=""))) == [["d"], *[[HOSTILE]] * 3]
    assert HOSTILE not in on_terminal(*words, cwd=folder, columns=200)
