"""The command digest: a week in one message."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.counters import set_counters
from tests.support.process import repoledger, write_config


@pytest.fixture(scope="session")
def week_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose ledger knows a week with stars gained and lost, and the week before."""
    folder = tmp_path_factory.mktemp("week")
    with Sandbox() as github:
        github.add_user("ada", token=TOKEN, scopes=())
        write_config(folder, github.url)
        gravel, site, *_ = (
            github.add_repository("ada", name) for name in ("gravel", "site", "kit")
        )
        assert repoledger("backfill", cwd=folder, TOKEN=TOKEN).returncode == 0
        github.rename(gravel, "pebble")
        github.delete(site)
        assert repoledger("backfill", cwd=folder, TOKEN=TOKEN).returncode == 0
    set_counters(folder, "pebble", [(60, 10), (10, 17), (3, 67)])
    set_counters(folder, "kit", [(60, 5), (1, 3)])
    return folder


@pytest.fixture
def week(week_once: Path, tmp_path: Path) -> Path:
    """A copy of that folder, of the test's own."""
    return shutil.copytree(week_once, tmp_path / "week")


def test_a_digest_tells_news_gains_and_losses(week: Path) -> None:
    done = repoledger("digest", cwd=week)
    assert done.returncode == 0, done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[lines.index("In sum") + 1] == "2 repositories"
    assert any(line.startswith("stars: +48 to ") for line in lines)
    assert "ada/site deleted, or no longer visible" in lines
    assert "ada/pebble renamed gravel → pebble" in lines
    gained = lines.index("Most stars gained")
    assert lines[gained + 1].startswith("ada/pebble +50 to 67")
    lost = lines.index("Stars lost")
    assert lines[lost + 1].startswith("ada/kit −2 to 3")


def test_a_digest_is_written_in_the_format_of_a_files_name(week: Path) -> None:
    for name, begin in (("w.html", "<!doctype html>"), ("w.md", "# Your"), ("w.json", "{")):
        done = repoledger("digest", "--output", name, cwd=week)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert (week / name).read_text().startswith(begin)
    growth = json.loads((week / "w.json").read_text())["growth"]
    assert [each["counter"] for each in growth][:2] == ["stars", "forks"]
    wrong = repoledger("digest", "--output", "w.docx", cwd=week)
    assert wrong.returncode == 2
    assert ".html" in wrong.stderr


def test_a_digest_of_one_owner_or_of_a_time_without_a_sync_is_of_that_alone(week: Path) -> None:
    nobody = repoledger("digest", "--owner", "grace", cwd=week)
    assert "0 repositories" in nobody.stdout
    assert "ada/" not in nobody.stdout
    past = repoledger("digest", "--since", "2020-01-01", "--until", "2020-02-01", cwd=week)
    assert past.returncode == 0
    assert "ada/" not in past.stdout


def test_what_needs_a_person_comes_first(week: Path) -> None:
    failed = repoledger("backfill", cwd=week, TOKEN=TOKEN)  # the server has ended
    assert failed.returncode == 1
    lines = repoledger("digest", cwd=week).stdout.splitlines()
    assert lines[3] == "Needs you"
    assert "failed 1 time in a row" in lines[4]
