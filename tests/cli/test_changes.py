"""The command changes: what happened, told as events."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.counters import set_counters
from tests.support.process import repoledger, sent_to_terminal, write_config

MARKUP = "évil\x1b[31m\u202e" + "x" * 80


@pytest.fixture(scope="session")
def eventful_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose ledger knows of two syncs, and what happened between them."""
    folder = tmp_path_factory.mktemp("eventful")
    with Sandbox() as github:
        github.add_user("ada", token=TOKEN, scopes=())
        github.add_user("grace")
        write_config(folder, github.url, extra="[resources]\ndefault = false\ndownloads = true\n")
        larch, tide, site, gravel = (
            github.add_repository("ada", name, license="mit", description="One")
            for name in ("larch", "tide", "site", "gravel")
        )
        github.add_release(gravel, "v2.1")
        assert repoledger("backfill", cwd=folder, TOKEN=TOKEN).returncode == 0
        github.rename(larch, "larch-tree")
        github.transfer(tide, "grace")
        github.delete(site)
        github.edit(gravel, description=MARKUP)
        github.archive(gravel)
        github.push(gravel)
        github.add_repository("ada", "lighthouse")
        done = repoledger("backfill", cwd=folder, TOKEN=TOKEN)
        assert done.returncode == 0, done.stderr
    set_counters(folder, "gravel", [(40, 10), (20, 47), (5, 447)])
    set_counters(folder, "larch-tree", [(60, 9), (2, 7)])
    return folder


@pytest.fixture
def eventful(eventful_once: Path, tmp_path: Path) -> Path:
    """A copy of that folder, of the test's own."""
    return shutil.copytree(eventful_once, tmp_path / "eventful")


def lines(folder: Path, *options: str) -> list[str]:
    done = repoledger("changes", *options, cwd=folder)
    assert done.returncode == 0, done.stderr
    return [" ".join(line.split()) for line in done.stdout.splitlines()]


def test_each_event_is_one_line_by_day_and_counters_are_summed(eventful: Path) -> None:
    shown = lines(eventful, "--since", "7d", "--kind", "renamed", "--kind", "stars")
    heading, renamed, _, period, *sums = shown
    assert re.fullmatch(r"[A-Z][a-z]+day \d{4}-\d\d-\d\d", heading)
    assert re.fullmatch(r"\d\d:\d\d ada/larch-tree renamed larch → larch-tree", renamed)
    assert period.endswith("in sum")
    assert sums == [
        "ada/gravel ★ +400 (47 → 447)",
        "ada/larch-tree ★ −2 (9 → 7)",
    ]


def test_what_happened_is_told_in_words_and_noise_is_left_out(eventful: Path) -> None:
    told = [line.partition(" ")[2] for line in lines(eventful, "--since", "yesterday")]
    for sentence in (
        "grace/tide transferred ada → grace; no longer listed",
        "ada/site deleted, or no longer visible",
        "ada/gravel archived",
        "ada/gravel released v2.1",
        "ada/lighthouse new",
    ):
        assert sentence in told
    assert not [line for line in told if "updated" in line or "pushed" in line]
    everything = lines(eventful, "--since", "yesterday", "--all")
    assert len(everything) > len(told)


def test_an_event_as_json_has_names_kind_and_fields_before_and_after(eventful: Path) -> None:
    done = repoledger("changes", "larch", "--kind", "renamed", "--json", cwd=eventful)
    (event,) = json.loads(done.stdout)
    assert event["kind"] == "renamed"
    assert event["summary"] == "renamed larch → larch-tree"
    assert (event["full_name_then"], event["full_name"]) == ("ada/larch", "ada/larch-tree")
    assert event["fields"]["name"] == {"old": "larch", "new": "larch-tree"}
    assert isinstance(event["run_id"], int)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (("ada/larch*",), {"ada/larch-tree"}),
        (("--owner", "ada", "--kind", "transferred"), {"grace/tide"}),
        (("--owner", "GRACE"), {"grace/tide"}),
        (("--repository", "larch-tree", "--repository", "*/site"), {"ada/larch-tree", "ada/site"}),
        (("--account", "me", "--kind", "removed"), {"ada/site"}),
        (("--until", "30d ago"), set()),
        (("--change", "removed", "--change", "renamed"), {"ada/site", "ada/larch-tree"}),
    ],
)
def test_events_are_narrowed_by_name_owner_account_kind_and_time(
    eventful: Path, options: tuple[str, ...], names: set[str]
) -> None:
    options = (*options, "--since", "all")
    without_first = ("--kind",) if "--kind" in options or "--change" in options else ()
    done = repoledger("changes", *options, "--json", cwd=eventful)
    events = json.loads(done.stdout)
    shown = {each["full_name"] for each in events if without_first or each["kind"] != "stars"}
    assert shown == names


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--since", "7"), "30d ago"),
        (("--since", "1d", "--until", "2d"), "--until 2d is before --since 1d"),
        (("--field", "descripton"), "did you mean description?"),
        (("--field", "stargazers_count"), "repoledger history"),
        (("--kind", "stars", "--fields"), "rows of the change log have no kind 'stars'"),
        (("--kind", "star"), "no kind 'star'; did you mean stars?"),
        (("--since", "2999-01-01"), "that is in the future"),
        (("--account", "nobody"), "no account 'nobody'"),
        (("nosuch",), "holds no repository called nosuch"),
    ],
)
def test_wrong_use_is_one_sentence_that_names_what_is_accepted(
    eventful: Path, options: tuple[str, ...], said: str
) -> None:
    done = repoledger("changes", *options, cwd=eventful)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_an_owner_that_occurs_nowhere_is_told_with_the_nearest(eventful: Path) -> None:
    for command in ("changes", "digest"):
        done = repoledger(command, "--owner", "adaa", cwd=eventful)
        assert "no repository belongs to adaa; did you mean ada?" in done.stderr


def test_seven_days_are_the_same_days_in_every_command(eventful: Path) -> None:
    sums = repoledger("changes", "--since", "7d", "--kind", "stars", cwd=eventful).stdout
    digest = json.loads(repoledger("digest", "--format", "json", cwd=eventful).stdout)
    today = datetime.now(UTC).date()
    assert digest["days"] == 7
    assert f"{today - timedelta(days=6)} to {today}, in sum" in sums


def test_a_time_or_a_pattern_without_events_says_so(eventful: Path) -> None:
    done = repoledger("changes", "zz*", cwd=eventful)
    assert (done.returncode, done.stdout) == (0, "")
    assert "nothing happened to repositories like zz*" in done.stderr
    assert "--since all" in done.stderr


def shown_on_terminal(folder: Path, *options: str, columns: int = 80, **variables: str) -> str:
    code, output = sent_to_terminal(
        "changes", *options, cwd=folder, columns=columns, **{"PAGER": "cat", **variables}
    )
    assert code == 0, output
    return output.decode()


@pytest.mark.parametrize("columns", [20, 60, 80, 500])
def test_lines_fit_a_terminal_and_nothing_acts_on_it(eventful: Path, columns: int) -> None:
    shown = shown_on_terminal(eventful, "gravel", columns=columns)
    assert "\x1b[31m" + "\u202e" not in shown
    plain = re.sub(r"\x1b\]8;;.*?\x1b\\|\x1b\[\d*m", "", shown)
    assert "archived" in plain or columns == 20
    assert all(len(line) <= columns for line in plain.replace("\r", "").split("\n"))


def test_a_name_is_a_link_and_bad_news_are_red_unless_colours_are_unwanted(eventful: Path) -> None:
    shown = shown_on_terminal(eventful, "site")
    assert "\x1b]8;;" in shown
    assert "\x1b[31mdeleted" in shown
    plain = shown_on_terminal(eventful, "site", NO_COLOR="1")
    assert "\x1b[31m" not in plain


def test_a_long_answer_goes_through_the_pager_which_may_end_early(eventful: Path) -> None:
    options = ("--since", "all", "--all")
    shown = shown_on_terminal(eventful, *options, PAGER="head -2", LINES="5")
    assert len(shown.strip().splitlines()) == 2
    assert "Traceback" not in shown


def test_many_new_repositories_of_a_run_share_a_line(tmp_path: Path) -> None:
    with Sandbox() as github:
        github.add_user("ada", token=TOKEN, scopes=())
        write_config(tmp_path, github.url)
        for number in range(12):
            github.add_repository("ada", f"r{number:02}")
        assert repoledger("backfill", cwd=tmp_path, TOKEN=TOKEN).returncode == 0
    _, line = lines(tmp_path)
    assert "12 new repositories: ada/r00, ada/r01" in line
    done = repoledger("changes", "--json", cwd=tmp_path)
    assert len(json.loads(done.stdout)) == 12
