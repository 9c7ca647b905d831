"""The token is searched for wherever a run leaves something behind, and found nowhere."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.database import execute
from tests.support.inside.core import protect
from tests.support.inside.database import Store
from tests.support.inside.github import GitHubClient
from tests.support.ledger import rows, value
from tests.support.process import repoledger, write_config
from tests.support.runs import fill, sync

# Fails in the middle of a run, in a way that no code foresees, with the token in its message.
_SABOTAGE = """
import os, sync.load.page_plan
def explode(*args, **kwargs):
    token = os.environ["TOKEN"]
    raise RuntimeError(f"unforeseen: Bearer {token}")
sync.load.page_plan.content_hash = explode
"""


def assert_nowhere(folder: Path, *runs: subprocess.CompletedProcess[str]) -> None:
    for done in runs:
        assert TOKEN not in done.stdout
        assert TOKEN not in done.stderr
    for file in folder.rglob("*"):
        if file.is_file():
            assert TOKEN.encode() not in file.read_bytes(), file.name


def backfill(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return repoledger("--log-level", "debug", "backfill", cwd=folder, TOKEN=TOKEN, **variables)


@pytest.fixture
def folder(tmp_path: Path, github: Sandbox) -> Path:
    write_config(tmp_path, github.url)
    github.add_repository("octo", "hello")
    return tmp_path


@pytest.mark.matrix("always.secret")
def test_an_ordinary_run_leaves_no_token_behind(github: Sandbox, folder: Path) -> None:
    runs = [backfill(folder), backfill(folder), repoledger("check", cwd=folder, TOKEN=TOKEN)]
    assert [done.returncode for done in runs] == [0, 0, 0]
    assert_nowhere(folder, *runs)


def test_a_token_in_a_description_is_data_and_stays_in_its_row_alone(
    github: Sandbox, folder: Path
) -> None:
    planted = github.add_repository("octo", "leaky", description=f"my token is {TOKEN}")
    first = backfill(folder)
    github.edit(planted, description="nothing to see")
    second = backfill(folder)
    for done in (first, second):
        assert done.returncode == 0
        assert TOKEN not in done.stdout + done.stderr
    where = set()
    for (table,) in rows(
        folder / "ledger.db", "SELECT name FROM sqlite_master WHERE type = 'table'"
    ):
        for (column,) in rows(
            folder / "ledger.db", f"SELECT name FROM pragma_table_info('{table}')"
        ):
            cells = f'SELECT "{column}" FROM "{table}"'
            if any(TOKEN in str(cell) for (cell,) in rows(folder / "ledger.db", cells)):
                where.add((table, column))
    # As it was when it was new, and as it was before it changed.
    assert where == {("repository_changes", "new_value"), ("repository_changes", "old_value")}


@pytest.mark.matrix("always.secret")
def test_a_server_that_repeats_the_token_in_its_refusal_does_not_spread_it(
    github: Sandbox, folder: Path
) -> None:
    body = json.dumps({"message": f"Refused: Bearer {TOKEN} is not welcome"}).encode()
    runs = []
    for status in (400, 401, 403, 404, 422, 429):
        github.fail(times=2, path="/user*", status=status, body=body)
        runs.append(backfill(folder, REPOLEDGER_GITHUB__MAX_WAIT="1s"))
    assert all(done.returncode for done in runs)
    assert_nowhere(folder, *runs)


@pytest.mark.matrix("always.secret", "http.redirects")
def test_a_redirect_to_elsewhere_with_the_token_in_it_is_neither_followed_nor_shown(
    github: Sandbox, folder: Path
) -> None:
    github.fail(
        path="/user/repos",
        status=302,
        headers={"Location": f"http://127.0.0.1:9/{TOKEN}"},
        body=b"",
    )
    done = backfill(folder)
    assert done.returncode == 1
    assert_nowhere(folder, done)


@pytest.mark.parametrize(
    "url",
    [
        f"https://{TOKEN}@github.example/api/v3",
        f"https://octo:{TOKEN}@github.example",
        f"http://github.example/{TOKEN}",
        f"http://127.0.0.1:9/{TOKEN}",
        f"https://github.example/?access_token={TOKEN}",
        TOKEN,
    ],
)
def test_a_wrong_base_url_that_holds_the_token_is_refused_without_showing_it(
    folder: Path, url: str
) -> None:
    done = backfill(folder, REPOLEDGER_GITHUB__API_URL=url)
    assert done.returncode in (1, 2)
    assert_nowhere(folder, done)


@pytest.mark.parametrize(
    "table",
    [
        f'token = "{TOKEN}"',
        f'token_env = "{TOKEN}!"',
        f'username = "{TOKEN}!"',
        f'token_env = "TOKEN"\naffiliation = ["{TOKEN}"]',
    ],
)
def test_a_token_in_the_wrong_place_of_the_configuration_is_not_repeated(
    tmp_path: Path, table: str
) -> None:
    write_config(tmp_path, "https://api.github.com", f'[[accounts]]\nname = "me"\n{table}\n')
    done = repoledger("check", cwd=tmp_path, TOKEN=TOKEN)
    assert done.returncode == 2
    assert TOKEN not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("copy", "--to", "x", "postgresql://me:sekret-pw@h/db"),
        ("postgresql://me:sekret-pw@h/db",),
        ("repos", "--sort", "postgresql://me:sekret-pw@h/db"),
        ("backfill", "--max-wait", f"x{TOKEN}"),
        ("status", f"--{TOKEN}"),
    ],
    ids=lambda words: words[0][:8],
)
def test_a_secret_where_none_belongs_is_not_repeated(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    write_config(tmp_path, "https://api.github.com")
    done = repoledger(*words, cwd=tmp_path, TOKEN=TOKEN)
    assert done.returncode == 2
    assert "sekret-pw" not in done.stderr
    assert TOKEN not in done.stderr


@pytest.mark.matrix("always.secret")
def test_a_crash_tells_where_it_was_and_not_what_the_token_is(
    github: Sandbox, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from tests.support.process import PROJECT

    sabotage = tmp_path_factory.mktemp("sabotage")
    (sabotage / "sitecustomize.py").write_text(_SABOTAGE)
    done = backfill(folder, PYTHONPATH=f"{sabotage}:{PROJECT}")
    assert done.returncode == 1
    assert "sync/load/page_plan.py" in done.stderr
    assert "RuntimeError: unforeseen: " in done.stderr
    assert rows(folder / "ledger.db", "SELECT status FROM sync_runs") == [("failed",)]
    assert_nowhere(folder, done)


def test_a_crash_in_one_account_s_run_does_not_keep_the_next_from_being_synced(
    github: Sandbox, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from tests.support.process import PROJECT

    sabotage = tmp_path_factory.mktemp("sabotage")
    (sabotage / "sitecustomize.py").write_text(_SABOTAGE)
    accounts = '[[accounts]]\nname = "me"\ntoken_env = "TOKEN"\n'
    accounts += '[[accounts]]\nname = "nobody"\nusername = "nobody-has-any"\n'
    write_config(folder, github.url, accounts)
    done = backfill(folder, PYTHONPATH=f"{sabotage}:{PROJECT}")
    assert done.returncode == 1
    assert "RuntimeError: unforeseen: " in done.stderr
    runs = rows(folder / "ledger.db", "SELECT account, error_message FROM sync_runs ORDER BY id")
    assert [account for account, _ in runs] == ["me", "nobody"]
    assert "404" in runs[1][1]


@pytest.mark.matrix("process.odd-token")
def test_a_token_with_a_line_break_in_it_is_refused_unseen(folder: Path) -> None:
    done = repoledger("backfill", cwd=folder, TOKEN=f"{TOKEN[:10]}\n{TOKEN[10:]}")
    assert done.returncode == 2
    assert "line break" in done.stderr
    assert TOKEN[10:] not in done.stderr


def test_stored_data_is_not_masked_though_a_password_is_the_same(
    github: Sandbox, client: GitHubClient, store: Store
) -> None:
    fill(github, 2)
    token = "ghp_" + "n7" * 18
    github.add_user("octo-cat-1", token=token)
    # A password such as these is masked in every message; both stand in addresses, too.
    protect("octo-cat-1", "visibility=public")
    with GitHubClient(token=token, api_url=github.url) as other:
        sync(other, store, account="other")
    assert sync(client, store).counts.not_modified == 0
    assert sync(client, store).counts.not_modified >= 2
    login = "SELECT login FROM accounts WHERE name = 'other'"
    assert value(store.url, login) == "octo-cat-1"
    # As version 0.1.0 had stored it.
    execute(store.url, "UPDATE accounts SET login = '***' WHERE name = 'other'")
    with GitHubClient(token=token, api_url=github.url) as other:
        sync(other, store, account="other")
    assert value(store.url, login) == "octo-cat-1"
