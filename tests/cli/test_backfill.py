"""`repoledger backfill`, as a process against a real server."""

from __future__ import annotations

import json
import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.inside.database import Store
from tests.support.ledger import rows, value
from tests.support.process import on_terminal, repoledger, start_repoledger, write_config


def test_a_first_backfill_makes_the_database_and_says_what_it_did(
    github: Sandbox, folder: Path
) -> None:
    github.add_repository("octo", "hello")
    done = repoledger("backfill", cwd=folder, TOKEN=TOKEN)
    assert done.returncode == 0, done.stderr
    header, _, line = done.stdout.splitlines()
    result = dict(zip(header.split(), line.split(), strict=True))
    assert result["account"] == "me"
    assert (result["status"], result["inserted"], result["rejected"]) == ("succeeded", "1", "0")
    assert value(folder / "ledger.db", "SELECT full_name FROM repositories") == "octo/hello"


def test_the_result_as_json_is_all_there_is_on_stdout(github: Sandbox, folder: Path) -> None:
    github.add_repository("octo", "hello")
    done = repoledger("backfill", "--json", cwd=folder, TOKEN=TOKEN)
    ((outcome),) = json.loads(done.stdout)
    assert (outcome["status"], outcome["inserted"], outcome["complete"]) == ("succeeded", 1, True)


def test_without_a_terminal_the_log_is_one_json_line_a_run(github: Sandbox, folder: Path) -> None:
    github.add_repository("octo", "hello")
    done = repoledger("backfill", cwd=folder, TOKEN=TOKEN)
    (line,) = [json.loads(line) for line in done.stderr.splitlines()]
    assert (line["event"], line["level"], line["inserted"]) == ("sync.run_finished", "info", 1)


def test_on_a_terminal_the_bar_goes_on_with_the_resources(github: Sandbox, tmp_path: Path) -> None:
    resources = "[resources]\ndefault = false\nlanguages = true\n"
    write_config(tmp_path, github.url, extra=resources)
    for n in range(7):
        github.add_repository("octo", f"r{n}")
    shown = on_terminal("backfill", cwd=tmp_path, columns=80, TOKEN=TOKEN)
    assert "me: languages" in shown
    assert "7/7 readings" in shown


def test_on_a_terminal_there_is_a_progress_bar_and_no_log_line_when_all_is_well(
    github: Sandbox, folder: Path
) -> None:
    for n in range(300):
        github.add_repository("octo", f"r{n}")
    shown = on_terminal("backfill", cwd=folder, columns=80, TOKEN=TOKEN)
    assert "4/4 pages" in shown
    assert "sync.run_finished" not in shown
    assert shown.splitlines()[-1].split()[:3] == ["me", "succeeded", "300"]


def test_debug_logs_every_request(github: Sandbox, folder: Path) -> None:
    done = repoledger("--log-level", "debug", "backfill", cwd=folder, TOKEN=TOKEN)
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert [e["event"] for e in events].count("http.request") == 2
    assert {e.get("account") for e in events} == {"me"}


def test_an_unset_token_variable_is_wrong_use_before_anything_is_made(folder: Path) -> None:
    done = repoledger("backfill", cwd=folder)
    assert done.returncode == 2
    assert done.stderr == ("error: account me: the environment variable TOKEN is not set\n")
    assert not (folder / "ledger.db").exists()


def test_a_bad_token_fails_and_says_so(github: Sandbox, folder: Path) -> None:
    done = repoledger("backfill", cwd=folder, TOKEN="ghp_wrong" + "0" * 27)
    assert done.returncode == 1
    assert "401: Bad credentials" in done.stdout
    assert "ghp_wrong" not in done.stdout + done.stderr


def test_a_rejected_item_makes_the_run_partial(github: Sandbox, folder: Path) -> None:
    github.add_object({"id": 1, "name": "no full name", "private": False}, listed_by="octo")
    done = repoledger("backfill", cwd=folder, TOKEN=TOKEN)
    assert done.returncode == 3
    assert "1 items could not be stored" in done.stdout


def test_a_spent_quota_defers_and_tells_the_time(github: Sandbox, folder: Path) -> None:
    reset = datetime.now(UTC) + timedelta(hours=1)
    github.set_quota(TOKEN, limit=5000, remaining=0, reset=reset)
    done = repoledger("backfill", cwd=folder, TOKEN=TOKEN)
    assert done.returncode == 4
    assert f"GitHub answers again at {reset:%Y-%m-%d %H:}" in done.stdout
    github.clear_requests()
    again = repoledger("backfill", cwd=folder, TOKEN=TOKEN)
    assert again.returncode == 4
    assert github.requests == []


def test_one_failing_account_does_not_stop_the_others(github: Sandbox, tmp_path: Path) -> None:
    github.add_repository("octo", "hello")
    accounts = "".join(
        f'[[accounts]]\nname = "{name}"\ntoken_env = "{variable}"\n'
        for name, variable in (("broken", "BROKEN"), ("me", "TOKEN"))
    )
    write_config(tmp_path, github.url, accounts)
    done = repoledger("backfill", "--json", cwd=tmp_path, TOKEN=TOKEN, BROKEN="a-wrong-token")
    assert done.returncode == 1
    assert [o["status"] for o in json.loads(done.stdout)] == ["failed", "succeeded"]


@pytest.mark.parametrize("arguments", [(), ("--dry-run",)])
def test_an_account_whose_secret_is_missing_does_not_keep_the_others_from_being_synced(
    github: Sandbox, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    github.add_repository("octo", "hello")
    secrets = {
        "unset": 'token_env = "UNSET"',
        "no-file": 'token_file = "nowhere"',
        "me": 'token_env = "TOKEN"',
        "no-command": 'token_command = "false"',
        "no-key": 'app_id = "1"\nprivate_key_file = "nowhere"',
    }
    accounts = "".join(
        f'[[accounts]]\nname = "{name}"\n{secret}\n' for name, secret in secrets.items()
    )
    write_config(tmp_path, github.url, accounts)
    done = repoledger("backfill", *arguments, "--json", cwd=tmp_path, TOKEN=TOKEN)
    assert done.returncode == 2
    if arguments:
        assert {row["account"] for row in json.loads(done.stdout)} == {"me"}
        assert "account unset: the environment variable UNSET is not set" in done.stderr
        return
    outcomes = {row["account"]: row for row in json.loads(done.stdout)}
    assert {name: outcome["status"] for name, outcome in outcomes.items()} == {
        name: "succeeded" if name == "me" else "failed" for name in secrets
    }
    assert "variable UNSET is not set" in outcomes["unset"]["error_message"]
    told = json.loads(repoledger("status", "--json", cwd=tmp_path).stdout)
    assert {row["account"] for row in told if row["status"] == "failed"} == {*secrets} - {"me"}


def test_where_no_account_has_its_secret_all_are_named_and_nothing_is_made(
    github: Sandbox, tmp_path: Path
) -> None:
    accounts = "".join(f'[[accounts]]\nname = "{n}"\ntoken_env = "T_{n}"\n' for n in "ab")
    write_config(tmp_path, github.url, accounts)
    done = repoledger("backfill", cwd=tmp_path)
    assert done.returncode == 2
    assert "T_a is not set" in done.stderr
    assert "T_b is not set" in done.stderr
    assert not (tmp_path / "ledger.db").exists()


def test_only_the_named_account_is_synced(github: Sandbox, tmp_path: Path) -> None:
    write_config(
        tmp_path,
        github.url,
        "".join(f'[[accounts]]\nname = "{name}"\nusername = "octo"\n' for name in "ab"),
    )
    done = repoledger("backfill", "--account", "b", "--json", cwd=tmp_path)
    assert [o["account"] for o in json.loads(done.stdout)] == ["b"]
    wrong = repoledger("backfill", "--account", "bb", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "no account 'bb'" in wrong.stderr
    assert "did you mean b?" in wrong.stderr


def test_two_accounts_of_one_github_user_are_pointed_out(github: Sandbox, tmp_path: Path) -> None:
    github.add_token("octo", "a-second-token")
    accounts = "".join(f'[[accounts]]\nname = "{n}"\ntoken_env = "TOKEN_{n}"\n' for n in "ab")
    write_config(tmp_path, github.url, accounts)
    done = repoledger("backfill", cwd=tmp_path, TOKEN_a=TOKEN, TOKEN_b="a-second-token")
    events = [json.loads(line) for line in done.stderr.splitlines()]
    shared = next(event for event in events if event["event"] == "account.quota_shared")
    assert (shared["account"], shared["other"], shared["level"]) == ("b", "a", "warning")


def test_an_account_that_was_not_reached_is_interrupted_and_not_failed(
    github: Sandbox, tmp_path: Path
) -> None:
    accounts = "".join(f'[[accounts]]\nname = "{n}"\ntoken_env = "TOKEN"\n' for n in "ab")
    write_config(tmp_path, github.url, accounts)
    github.delay = 30.0
    process = start_repoledger("backfill", "--json", cwd=tmp_path, TOKEN=TOKEN)

    def interrupt(request: object) -> None:  # once: a second signal ends the process at once
        if getattr(request, "path", "") == "/user/repos":
            os.kill(process.pid, signal.SIGTERM)

    github.on_request = interrupt
    stdout, stderr = process.communicate(timeout=20)
    assert process.returncode == 130
    assert [o["status"] for o in json.loads(stdout)] == ["interrupted", "interrupted"]
    assert "sync.run_failed" not in stderr


def test_waiting_for_another_run_ends_with_a_signal(github: Sandbox, folder: Path) -> None:
    assert repoledger("migrate", cwd=folder).returncode == 0
    with Store(f"sqlite:///{folder / 'ledger.db'}") as store, store.lock("me"):
        process = start_repoledger("backfill", "--wait", cwd=folder, TOKEN=TOKEN)
        assert process.stderr is not None
        assert "sync.run_waiting" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        stdout, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "interrupted" in stdout
    assert github.requests == []


def test_all_waits_for_quota_together_stay_within_max_wait(github: Sandbox, folder: Path) -> None:
    github.fail(times=9, path="/user*", status=429, headers={"Retry-After": "0"}, body=b"{}")
    done = repoledger("backfill", "--max-wait", "2s", "--json", cwd=folder, TOKEN=TOKEN)
    assert done.returncode == 4
    (outcome,) = json.loads(done.stdout)
    assert 0 < outcome["wait_seconds"] <= 2


@pytest.mark.matrix("process.signal")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_an_answer_is_awaited_records_the_run_as_interrupted(
    github: Sandbox, folder: Path, number: signal.Signals
) -> None:
    github.add_repository("octo", "hello")
    github.delay = 30.0
    process = start_repoledger("backfill", cwd=folder, TOKEN=TOKEN)

    def interrupt(request: object) -> None:
        if getattr(request, "path", "") == "/user/repos":
            os.kill(process.pid, number)

    github.on_request = interrupt
    stdout, stderr = process.communicate(timeout=20)
    assert process.returncode == 130, stderr
    assert "interrupted; stored pages stay" in stdout
    assert rows(folder / "ledger.db", "SELECT status FROM sync_runs") == [("interrupted",)]


def test_a_process_that_was_killed_leaves_no_run_running_and_the_next_one_converges(
    github: Sandbox, folder: Path
) -> None:
    for n in range(250):
        github.add_repository("octo", f"r{n}")
    process = start_repoledger("backfill", cwd=folder, TOKEN=TOKEN)

    def kill(request: object) -> None:
        if getattr(request, "query", {}).get("page") == "2":
            os.kill(process.pid, signal.SIGKILL)

    github.on_request = kill
    process.communicate(timeout=20)
    assert process.returncode == -signal.SIGKILL
    github.on_request = None
    done = repoledger("backfill", cwd=folder, TOKEN=TOKEN)
    assert done.returncode == 0, done.stderr
    assert value(folder / "ledger.db", "SELECT count(*) FROM repositories") == 250
    assert rows(folder / "ledger.db", "SELECT status FROM sync_runs ORDER BY id") == [
        ("interrupted",),
        ("succeeded",),
    ]


@pytest.mark.matrix("database.two-runs")
def test_a_second_backfill_of_the_account_says_that_one_is_at_work(
    github: Sandbox, folder: Path
) -> None:
    github.add_repository("octo", "hello")
    second: list[object] = []

    def run_another(request: object) -> None:
        if getattr(request, "path", "") == "/user/repos" and not second:
            second.append(None)
            second.append(repoledger("backfill", cwd=folder, TOKEN=TOKEN))

    github.on_request = run_another
    first = repoledger("backfill", cwd=folder, TOKEN=TOKEN)
    assert first.returncode == 0
    refused = second[1]
    assert getattr(refused, "returncode", None) == 1
    assert "another process is syncing the account me" in getattr(refused, "stdout", "")


def test_a_wait_that_is_no_length_of_time_is_wrong_use(folder: Path) -> None:
    done = repoledger("backfill", "--max-wait", "soon", cwd=folder, TOKEN=TOKEN)
    assert done.returncode == 2
    assert "length of time" in done.stderr


@pytest.mark.matrix("database.older-schema")
def test_an_older_schema_is_refused_where_migrations_are_manual(
    github: Sandbox, tmp_path: Path
) -> None:
    write_config(tmp_path, github.url)
    done = repoledger("backfill", cwd=tmp_path, TOKEN=TOKEN, REPOLEDGER_DATABASE__MIGRATE="manual")
    assert done.returncode == 2
    assert "`repoledger migrate`" in done.stderr


@pytest.mark.matrix("database.unusable")
def test_a_folder_that_is_not_there_is_named(github: Sandbox, folder: Path) -> None:
    url = f"sqlite:///{folder}/nowhere/ledger.db"
    done = repoledger("backfill", cwd=folder, TOKEN=TOKEN, REPOLEDGER_DATABASE__URL=url)
    assert done.returncode == 2
    assert "nowhere does not exist" in done.stderr
