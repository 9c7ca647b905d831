"""Wrong commands and options: each is answered with the right one, in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import sync
from tests.support.process import repoledger, write_config

ANSWERS = {
    "sync": "There is no command 'sync': `repoledger backfill` syncs now",
    "ls": "There is no command 'ls': `repoledger repos` lists the repositories.",
    "stats": "There is no command 'stats': `repoledger history OWNER/NAME` shows",
    "log": "There is no command 'log': `repoledger changes` shows what changed.",
    "compare": "`repoledger history A B` compares repositories",
    "info": "`repoledger show NAME` shows all that is known",
    "xyzzy": "There is no command 'xyzzy': `repoledger --help` lists the commands.",
    "help xyzzy": "There is no command 'xyzzy'",
    "chanegs": "Did you mean 'changes'?\n",
    "-v": "No such option '-v': `repoledger --version` tells the version",
    "status --sortt x": "No such option '--sortt'",
    "repos --sortt x": "No such option '--sortt'. Did you mean '--sort'?\n",
    "repos --owner a --owner b": "--owner was given twice; give it once.",
    "repos --fork --not-fork": "--fork or --not-fork was given twice; give it once.",
    "--config a --config b repos": "--config was given twice; give it once.",
    "--config a repos --config b": "--config was given twice; give it once.",
    "repos --limit 0": "--limit': must be a whole number from 1 to 2147483648, not '0'.",
    "repos --limit x": "--limit': must be a whole number from 1 to 2147483648, not 'x'.",
}


def test_each_wrong_use_is_answered_with_the_right_one(tmp_path: Path) -> None:
    for line, answer in ANSWERS.items():
        done = repoledger(*line.split(), cwd=tmp_path)
        assert (done.returncode, done.stdout) == (2, ""), line
        assert answer in done.stderr, line


def test_help_and_version_are_commands_too(tmp_path: Path) -> None:
    said = repoledger("help", cwd=tmp_path)
    assert (said.returncode, said.stdout) == (0, repoledger("--help", cwd=tmp_path).stdout)
    of_one = repoledger("help", "repos", cwd=tmp_path).stdout
    assert of_one == repoledger("repos", "--help", cwd=tmp_path).stdout
    for words in ("version", "-V", "--version"):
        assert repoledger(words, cwd=tmp_path).stdout == f"repoledger {sync.__version__}\n"


def test_global_options_work_before_and_behind_the_command(tmp_path: Path) -> None:
    write_config(tmp_path, "https://api.github.com").rename(tmp_path / "other.toml")
    for words in ("--config other.toml accounts", "accounts --offline --config other.toml"):
        done = repoledger(*words.split(), "--log-level", "error", cwd=tmp_path)
        assert "other.toml" not in done.stderr
        assert "me" in done.stdout


def test_a_flag_that_says_the_same_twice_is_no_mistake(tmp_path: Path) -> None:
    write_config(tmp_path, "https://api.github.com")
    done = repoledger("accounts", "--offline", "--offline", "--json", "--json", cwd=tmp_path)
    assert json.loads(done.stdout)[0]["account"] == "me"
