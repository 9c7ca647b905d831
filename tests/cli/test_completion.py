"""Completion in a shell: what it offers of the ledger, and that it never fails or prints."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conftest import TOKEN
from tests.stand_in import StandIn
from tests.support.process import repoledger, write_config


@pytest.fixture(scope="session")
def synced_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("words")
    with StandIn() as github:
        github.add_user("octo", token=TOKEN, scopes=())
        write_config(folder, github.url)
        github.add_repository("octo", "Gravel", language="Python", topics=["sql", "stones"])
        github.add_repository("octo", "heap", language="Jupyter Notebook", topics=["sand"])
        assert repoledger("backfill", cwd=folder, TOKEN=TOKEN).returncode == 0
    return folder


@pytest.fixture
def synced(synced_once: Path, tmp_path: Path) -> Path:
    return shutil.copytree(synced_once, tmp_path / "synced")


def completed(folder: Path, *words: str) -> list[str]:
    """Return what a shell is offered for the last of `words`."""
    done = repoledger(
        cwd=folder,
        _REPOLEDGER_COMPLETE="zsh_complete",
        COMP_WORDS=" ".join(["repoledger", *(repr(word) for word in words)]),
        COMP_CWORD=str(len(words)),
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip().splitlines()[1::3]


OFFERED = {
    ("history", "oc"): ["octo/Gravel", "octo/heap"],
    ("history", "octo/g"): ["octo/Gravel"],
    ("history", "gr"): ["Gravel"],
    ("changes", "--repository", "octo/h"): ["octo/heap"],
    ("backfill", "--repository", "he"): ["heap"],
    ("repos", "--owner", ""): ["octo"],
    ("repos", "--language", "j"): ["Jupyter Notebook"],
    ("repos", "--topic", "s"): ["sand", "sql", "stones"],
    ("repos", "--account", ""): ["me"],
    ("repos", "--host", ""): ["127.0.0.1"],
    ("changes", "--field", "desc"): ["description"],
    ("backfill", "--only", "traffic,sta"): ["traffic,stars"],
}


@pytest.mark.parametrize("words", OFFERED, ids=" ".join)
def test_a_shell_is_offered_words_of_the_ledger(synced: Path, words: tuple[str, ...]) -> None:
    offered = [each.partition(":")[0] for each in completed(synced, *words)]
    assert offered == OFFERED[words]


def test_a_configuration_named_before_or_behind_the_command_is_the_one_asked(
    synced: Path, tmp_path: Path
) -> None:
    named = ("--config", str(synced / "config.toml"))
    assert completed(tmp_path, *named, "repos", "--owner", "o") == ["octo"]
    assert completed(tmp_path, "repos", *named, "--owner", "o") == ["octo"]


def test_where_there_is_no_ledger_nothing_is_offered_or_printed(tmp_path: Path) -> None:
    assert completed(tmp_path, "history", "o") == []
    write_config(tmp_path, "https://api.github.com")
    assert completed(tmp_path, "history", "o") == []
    (tmp_path / "ledger.db").write_text("not a database, but longer than its header" * 9)
    assert completed(tmp_path, "repos", "--language", "") == []
    (tmp_path / "config.toml").write_text("[[accounts")
    assert completed(tmp_path, "repos", "--account", "") == []
