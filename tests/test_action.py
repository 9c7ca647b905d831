"""The GitHub Action: its script, run by hand with a git repository on disk, and its texts."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.process import PROJECT, environment

SCRIPT = PROJECT / "deploy" / "action.sh"
BIN = Path(sys.executable).parent
Act = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """An empty git repository."""
    git(tmp_path, "init", "-q", "--bare", "remote.git")
    return tmp_path / "remote.git"


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture
def act(github: Sandbox, remote: Path, tmp_path: Path) -> Act:
    """Run the Action's script in an empty folder, as on a machine that holds nothing."""
    number = 0

    def run(folder: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        nonlocal number
        number += 1
        folder = folder or tmp_path / f"run{number}"
        folder.mkdir(exist_ok=True)
        given = {
            "FOLDER": str(folder),
            "REMOTE": str(remote),
            "REPOLEDGER_TOKEN": TOKEN,
            "REPOLEDGER_GITHUB__API_URL": github.url,
            "GITHUB_OUTPUT": str(folder / "output"),
            **variables,
        }
        env = environment(folder, **given)
        env["PATH"] = f"{BIN}:{env['PATH']}"
        return subprocess.run(
            ["bash", SCRIPT], cwd=folder, env=env, capture_output=True, text=True, timeout=100
        )

    return run


def commits(remote: Path) -> int:
    return int(git(remote, "rev-list", "--count", "ledger"))


def test_runs_without_a_change_make_no_commit_and_one_with_a_change_makes_one(
    act: Act, github: Sandbox, remote: Path, tmp_path: Path
) -> None:
    id_ = github.add_repository("octo", "hello")
    first = act()
    assert first.returncode == 0, first.stderr
    assert commits(remote) == 1
    for _ in range(2):
        again = act()
        assert (again.returncode, again.stdout) == (0, "Nothing changed.\n"), again.stderr
    assert commits(remote) == 1
    assert (tmp_path / "run3" / "output").read_text().startswith("changed=false\n")
    github.rename(id_, "goodbye")
    summary = tmp_path / "summary.md"
    assert act(GITHUB_STEP_SUMMARY=str(summary)).returncode == 0
    assert commits(remote) == 2
    changed = git(
        remote, "diff", "--unified=0", "ledger~1", "ledger", "--", "ledger/repositories.ndjson"
    )
    assert len(re.findall(r"^\+\{", changed, re.MULTILINE)) == 1
    assert "goodbye" in summary.read_text()


@pytest.mark.slow
def test_without_history_the_branch_is_one_commit(act: Act, github: Sandbox, remote: Path) -> None:
    for name in ("one", "two"):
        github.add_repository("octo", name)
        done = act(HISTORY="false")
        assert done.returncode == 0, done.stderr
    assert commits(remote) == 1
    assert "octo/two" in git(remote, "show", "ledger:ledger/repositories.ndjson")


@pytest.mark.slow
def test_a_cache_is_saved_only_after_a_change(act: Act, github: Sandbox, tmp_path: Path) -> None:
    github.add_repository("octo", "hello")
    kept = tmp_path / "kept"
    shown = [act(kept, KEEP="cache").stdout for _ in range(2)]
    assert "The ledger was kept." in shown[0]
    assert shown[1] == "Nothing changed.\n"


@pytest.mark.slow
def test_a_remote_that_cannot_be_read_begins_no_new_ledger(act: Act, tmp_path: Path) -> None:
    done = act(REMOTE=str(tmp_path / "nowhere.git"))
    assert done.returncode == 1
    assert "nowhere.git cannot be read" in done.stderr


@pytest.mark.slow
def test_a_failed_run_fails_and_is_kept(act: Act, github: Sandbox, remote: Path) -> None:
    github.add_repository("octo", "hello")
    assert act().returncode == 0
    failed = act(REPOLEDGER_TOKEN="ghp_" + "w0" * 18)
    assert failed.returncode == 1
    assert '"status":"failed"' in git(remote, "show", "ledger:ledger/sync_runs.ndjson")


def test_the_action_gives_the_script_what_it_reads_and_pins_what_it_uses() -> None:
    action: Any = yaml.safe_load((PROJECT / "action.yml").read_text(encoding="utf-8"))
    steps = action["runs"]["steps"]
    (sync,) = (step for step in steps if step.get("id") == "sync")
    text = SCRIPT.read_text(encoding="utf-8")
    assert all(name in text for name in sync["env"])
    assert SCRIPT.stat().st_mode & 0o111
    used = [step["uses"] for step in steps if "uses" in step]
    assert all(re.search(r"@[0-9a-f]{40}\Z", each) for each in used)
    page = (PROJECT / "docs" / "actions.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in (*action["inputs"], *action["outputs"]))
