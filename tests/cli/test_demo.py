"""The demo: a ledger with 90 days of past, what is shown of it, and what it leaves."""

from __future__ import annotations

import re
import shlex
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.ledger import value
from tests.support.process import COMMAND, environment, repoledger


@dataclass(frozen=True)
class Demo:
    """A demo that has ended: the folder that it made, and what it printed."""

    folder: Path
    text: str

    def value(self, sql: str) -> object:
        return value(self.folder / "repoledger.db", sql)

    def typed(self) -> list[str]:
        return re.findall(r"^  (\S.*)$", self.text.partition("On this ledger")[2], re.MULTILINE)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo")
    done = repoledger("demo", cwd=folder, COLUMNS="80")
    assert (done.returncode, done.stderr) == (0, "")
    return Demo(folder / "repoledger-demo", done.stdout)


def test_the_ledger_has_a_sync_and_counters_of_each_of_ninety_days_until_now(demo: Demo) -> None:
    runs = "SELECT count(*) FROM sync_runs WHERE status = 'succeeded'"
    assert demo.value(runs) == 90
    days = "SELECT count(*) FROM repository_daily WHERE full_name = 'ada/gravel'"
    assert demo.value(days) == 90
    recent = "SELECT julianday('now') - julianday(max(started_at)) < 0.02 FROM sync_runs"
    assert demo.value(recent) == 1


def test_the_past_has_gains_a_spike_a_lost_star_a_rename_a_transfer_and_a_deletion(
    demo: Demo,
) -> None:
    changed = "SELECT count(*) FROM repository_changes WHERE field = '{}'"
    for field in ("name", "owner_login", "removed_at"):
        assert demo.value(changed.format(field)) == 1
    steps = """SELECT {}(stars) FROM (SELECT stargazers_count - lag(stargazers_count)
        OVER (PARTITION BY repository_id ORDER BY day) AS stars FROM repository_daily)"""
    assert int(str(demo.value(steps.format("max")))) > 100
    assert int(str(demo.value(steps.format("min")))) < 0
    for table, least in (("traffic_days", 400), ("downloads_daily", 250), ("star_history", 900)):
        assert int(str(demo.value(f"SELECT count(*) FROM {table}"))) > least


def test_no_day_of_traffic_is_missing_between_the_first_and_today(demo: Demo) -> None:
    sql = "SELECT count(*) FROM traffic_daily WHERE full_name = 'ada/gravel' AND views > 0"
    assert int(str(demo.value(sql))) >= 90


def test_the_week_growth_and_what_github_forgets_are_told_in_words_for_people(demo: Demo) -> None:
    for told in (
        *("renamed paper-lantern → lantern-ui", "transferred ada → harbour-lab", "archived"),
        *("★ −1 (5 → 4)", "released v", " in 89 days", "people on"),
    ):
        assert told in demo.text
    for word in ("NULL", "None", "stargazers", "_at", "owner_id", "schema"):
        assert word not in demo.text


def test_every_command_it_advises_is_short_and_works_in_the_folder_it_names(demo: Demo) -> None:
    enter, *commands = demo.typed()
    assert len(commands) >= 7
    assert max(map(len, commands)) < 70
    for line in commands[:-2]:  # the last two are for one's own repositories
        done = subprocess.run(
            ["sh", "-c", f"{enter} && {line}"],
            cwd=demo.folder.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), line
        assert done.stdout


def test_the_chart_is_a_picture_of_the_stars_that_the_ledger_has(demo: Demo) -> None:
    picture = (demo.folder / "gravel-stars.svg").read_text(encoding="utf-8")
    root = ET.fromstring(picture)
    line = root.find("{*}g[@id='stars']/{*}path")
    assert line is not None
    assert line.attrib["d"].count("L") > 60
    stars = demo.value("SELECT stargazers_count FROM repositories WHERE full_name = 'ada/gravel'")
    assert f">ada/gravel: {stars:,} stars, +" in picture
    assert "http" not in picture.replace("http://www.w3.org/2000/svg", "")


def test_a_second_demo_replaces_its_own_files_alone_and_what_it_prints_fits_60_columns(
    demo: Demo, tmp_path: Path
) -> None:
    folder = tmp_path / "again"
    folder.mkdir()
    for file in demo.folder.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "mine.txt").write_text("precious")
    (folder / "gravel-stars.svg").write_text("old")
    done = repoledger("demo", "--directory", "again", cwd=tmp_path, COLUMNS="60")
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if not line.startswith("  ")]
    assert max(map(len, lines)) <= 60
    assert (folder / "mine.txt").read_text() == "precious"
    assert "<svg" in (folder / "gravel-stars.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["repoledger.db", "config.toml", "activate", "gravel-stars.svg"])
def test_a_folder_with_files_of_yours_is_refused_and_left_as_it_is(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / name).write_text("precious")
    refused = repoledger("demo", "--directory", "mine", cwd=tmp_path)
    assert refused.returncode == 2
    assert "choose another --directory" in refused.stderr
    assert [file.read_text() for file in (tmp_path / "mine").iterdir()] == ["precious"]


def test_a_disk_that_is_full_is_told_in_a_sentence(tmp_path: Path) -> None:
    limited = f"ulimit -f 600; exec {shlex.join(COMMAND)} demo"  # blocks of 512 bytes
    done = subprocess.run(
        ["sh", "-c", limited],
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert re.fullmatch(r"(error: .+\n){1,2}", done.stderr), done.stderr
    assert "repoledger.db" in done.stderr
