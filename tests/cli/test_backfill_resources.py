"""The options of `repoledger backfill` that narrow it, and what it says of resources."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TOKEN
from tests.stand_in import StandIn
from tests.support.ledger import rows, value
from tests.support.process import repoledger, write_config

ON = '\n[resources]\ndefault = "auto"\n'
TWO = '\n[resources]\ndefault = false\ntraffic = "auto"\nlanguages = "auto"\n'
BARE = "github_pat_bare"  # a fine-grained token


def asked(github: StandIn, after: int = 0) -> Counter[str]:
    """Count the requests after the first ones, by what they are about."""
    paths = [request.path.partition("?")[0] for request in github.requests[after:]]
    return Counter(path.split("/", 3)[-1] if "/repositories/" in path else path for path in paths)


@pytest.fixture
def shown(github: StandIn, tmp_path: Path) -> Path:
    """A folder with every resource on, for an account with two repositories that have traffic."""
    github.set_scopes(TOKEN, ("public_repo",))
    today = datetime.now(UTC).date()
    for name in ("one", "two"):
        id_ = github.add_repository("octo", name)
        github.set_traffic(id_, "views", {today - timedelta(days=n): (5, 2) for n in range(9)})
        github.set_child(id_, "languages", {"C": 3})
        github.star(id_)
    write_config(tmp_path, github.url, extra=ON)
    return tmp_path


def said(folder: Path, *options: str, token: str = TOKEN, code: int = 0) -> list[str]:
    """Return what a backfill prints below its table."""
    done = repoledger("backfill", *options, cwd=folder, TOKEN=token)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout.splitlines()[3:]


def outcome(folder: Path, *options: str, token: str = TOKEN) -> dict[str, Any]:
    done = repoledger("backfill", "--json", *options, cwd=folder, TOKEN=token)
    (told,) = json.loads(done.stdout)
    return dict(told)


def refused(folder: Path, *options: str) -> str:
    """Return the last line about wrong use."""
    done = repoledger("backfill", *options, cwd=folder, TOKEN=TOKEN)
    assert (done.returncode, done.stdout) == (2, ""), done.stdout
    return done.stderr.splitlines()[-1]


def test_a_backfill_says_what_it_read_of_each_resource(shown: Path) -> None:
    (line,) = said(shown)
    assert line == (
        "me: read traffic of 2 repositories, traffic_popular of 2, downloads of 2, stars of 2, "
        "languages of 2"
    )
    assert said(shown) == []  # nothing is due, and a run with the listing need not say so


def test_the_same_is_in_its_json(shown: Path) -> None:
    told = outcome(shown)
    assert (told["waiting"], told["lost_days"], told["nothing_lost_before"]) == (0, 0, None)
    traffic = told["resources"][0]
    assert traffic == {
        "resource": "traffic",
        "requests": 4,
        "not_modified": 0,
        "read": 2,
        "waiting": 0,
        "lost_days": 0,
        "lost_repositories": 0,
        "refused": 0,
        "missing": 0,
        "failed": 0,
        "reason": None,
    }


def test_one_resource_can_be_read_without_the_listing(github: StandIn, shown: Path) -> None:
    said(shown, "--resources", "none")
    synced = value(shown / "ledger.db", "SELECT last_synced_at FROM accounts")
    before = len(github.requests)
    assert said(shown, "--only", "traffic") == ["me: read traffic of 2 repositories"]
    assert asked(github, before) == {"/user": 1, "traffic/views": 2, "traffic/clones": 2}
    runs = rows(shown / "ledger.db", 'SELECT "trigger", status FROM sync_runs ORDER BY id')
    assert runs == [("backfill", "succeeded"), ("resources", "succeeded")]
    assert value(shown / "ledger.db", "SELECT last_synced_at FROM accounts") == synced
    assert said(shown, "--only", "traffic") == [
        "me: nothing was due; `repoledger resources` shows when something is"
    ]
    assert said(shown, "--only", "stars,languages", "--only", "downloads") == [
        "me: read downloads of 2 repositories, stars of 2, languages of 2"
    ]


def test_an_account_that_was_never_listed_is_listed_first_and_that_is_said(
    github: StandIn, shown: Path
) -> None:
    done = repoledger("backfill", "--only", "languages", cwd=shown, TOKEN=TOKEN)
    assert "warning: me: never listed until now, so its list comes first" in done.stderr
    assert "me: read languages of 2 repositories" in done.stdout
    assert value(shown / "ledger.db", 'SELECT "trigger" FROM sync_runs') == "backfill"
    assert "traffic/views" not in asked(github)


def test_the_listing_can_come_without_resources_or_with_some(github: StandIn, shown: Path) -> None:
    assert said(shown, "--resources", "none") == []
    assert asked(github).keys() == {"/user", "/user/repos"}
    before = len(github.requests)
    assert said(shown, "--resources", "languages") == ["me: read languages of 2 repositories"]
    assert asked(github, before).keys() == {"/user", "/user/repos", "languages"}


def test_a_repository_that_is_named_is_read_now_due_or_not(github: StandIn, shown: Path) -> None:
    said(shown)
    before = len(github.requests)
    assert said(shown, "--repository", "OCTO/one", "--only", "traffic,languages") == [
        "me: read traffic of 1 repository, languages of 1"
    ]
    requests = {"/user": 1, "traffic/views": 1, "traffic/clones": 1, "languages": 1}
    assert asked(github, before) == requests
    both = said(shown, "--repository", "octo/one", "--repository", "octo/two")
    assert both[0].startswith("me: read traffic of 2 repositories, traffic_popular of 2")


def test_a_repository_is_read_for_the_account_that_lists_it(github: StandIn, shown: Path) -> None:
    github.add_user("hubot", token="ghp_hubot", scopes=("public_repo",))
    github.add_repository("hubot", "mine")
    accounts = "".join(
        f'[[accounts]]\nname = "{name}"\ntoken_env = "{variable}"\n'
        for name, variable in (("me", "TOKEN"), ("bot", "BOT"))
    )
    write_config(shown, github.url, accounts, ON)
    tokens = {"TOKEN": TOKEN, "BOT": "ghp_hubot"}
    assert repoledger("backfill", cwd=shown, **tokens).returncode == 0
    done = repoledger("backfill", "--repository", "hubot/mine", cwd=shown, **tokens)
    assert [line.split()[0] for line in done.stdout.splitlines()[2:]] == ["bot", "bot:"]
    wrong = ("backfill", "--repository", "hubot/mine", "--account", "me")
    told = repoledger(*wrong, cwd=shown, **tokens)
    assert told.returncode == 2
    assert told.stderr == "error: hubot/mine: account me does not list it\n"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (
            ("--only", "trafic"),
            "Error: Invalid value for --only: there is no resource 'trafic'; did you mean traffic?",
        ),
        (
            ("--resources", "none,stars"),
            "Error: Invalid value for --resources: none goes with no other name",
        ),
        (
            ("--only", "stars", "--resources", "none"),
            "Error: --resources goes with the listing, --only skips it: give one of the two",
        ),
        (
            ("--repository", "octo/one", "--resources", "stars"),
            "Error: --resources goes with the listing, --repository skips it: give one of the two",
        ),
        (
            ("--only", "stars", "--dry-run"),
            "Error: --only skips the listing, which --dry-run is about",
        ),
        (
            ("--repository", "octo/one", "--accept-removals"),
            "Error: --repository skips the listing, which --accept-removals is about",
        ),
        (
            ("--resources", "stars", "--dry-run"),
            "Error: --dry-run is about the listing alone: write --resources none, or no names",
        ),
    ],
)
def test_wrong_names_and_options_that_contradict_each_other_are_refused(
    shown: Path, options: tuple[str, ...], error: str
) -> None:
    assert refused(shown, *options) == error
    assert not (shown / "ledger.db").exists()


def test_an_unknown_resource_is_answered_with_the_known_ones(shown: Path) -> None:
    told = refused(shown, "--only", "x")
    assert "there is no resource 'x'; known: traffic, traffic_popular, downloads, stars" in told


def test_an_unknown_repository_is_refused(shown: Path) -> None:
    said(shown)
    assert refused(shown, "--repository", "octo/three") == (
        "error: the ledger holds no repository called octo/three; `repoledger repos` lists what "
        "it holds"
    )


def test_a_resource_that_is_off_is_not_read_and_it_is_said_where_to_switch_it_on(
    github: StandIn, folder: Path
) -> None:
    assert refused(folder, "--only", "stars") == (
        "Error: stars is off for account me: write stars = true under [resources] in the "
        "configuration"
    )
    assert refused(folder, "--repository", "octo/one") == (
        "Error: every resource is off for account me: [resources] in the configuration switches "
        "them on"
    )
    assert asked(github) == {}


def test_a_dry_run_says_that_it_leaves_resources_out(github: StandIn, shown: Path) -> None:
    done = repoledger("backfill", "--dry-run", cwd=shown, TOKEN=TOKEN)
    assert done.stdout.splitlines()[-1] == (
        "resources are left out of a dry run; `repoledger resources` shows what is due"
    )
    quiet = repoledger("backfill", "--dry-run", "--resources", "none", cwd=shown, TOKEN=TOKEN)
    assert "left out" not in quiet.stdout
    assert asked(github).keys() == {"/user", "/user/repos"}


def test_what_the_quota_leaves_for_later_is_told(github: StandIn, shown: Path) -> None:
    said(shown)
    reset = datetime.now(UTC) + timedelta(minutes=50)
    github.set_quota(TOKEN, remaining=504, reset=reset)  # a tenth of 5,000 is kept back
    names = ("--repository", "octo/one", "--repository", "octo/two", "--max-wait", "1m")
    (read, waiting) = said(shown, *names, "--full")
    assert read == "me: read traffic of 1 repository"
    lost_on = (datetime.now(UTC) + timedelta(days=14)).date()
    assert waiting == (
        "me: waiting for quota: traffic of 1 repository, traffic_popular of 2, downloads of 2, "
        f"stars of 2, languages of 2; nothing is lost before {lost_on}"
    )
    github.set_quota(TOKEN, remaining=504, reset=reset)
    told = outcome(shown, *names, "--full")
    assert (told["waiting"], told["nothing_lost_before"]) == (9, f"{lost_on}T00:00:00+00:00")


def test_lost_days_are_told_and_make_the_run_partial(shown: Path) -> None:
    said(shown)
    long_ago = datetime.now(UTC) - timedelta(days=17)
    sql = (
        "UPDATE resource_states SET lost_at = lost_at - 0, checked_at = '{0}', next_at = '{0}'"
    ).format(f"{long_ago:%Y-%m-%d %H:%M:%S.%f}")
    lost_at = (long_ago + timedelta(days=14)).date()
    sql = sql.replace("lost_at - 0", f"'{lost_at} 00:00:00.000000'")
    change(shown, f"{sql} WHERE resource = 'traffic'")
    assert said(shown, code=3)[1] == (
        "me: lost: 8 days of traffic of 2 repositories; see resource.lost in the log and NULL in "
        "traffic_daily"
    )
    told = outcome(shown)
    assert (told["status"], told["lost_days"]) == ("succeeded", 0)  # told once


def change(folder: Path, sql: str) -> None:
    import sqlite3

    with sqlite3.connect(folder / "ledger.db") as ledger:
        ledger.execute(sql)
    ledger.close()


@pytest.mark.parametrize(
    ("value", "code"), [('"auto"', 0), ("true", 3)], ids=["auto", "asked for by name"]
)
def test_a_classic_token_without_the_scope_is_told_what_is_refused(
    github: StandIn, shown: Path, value: str, code: int
) -> None:
    github.set_scopes(TOKEN, ())
    write_config(shown, github.url, extra=f"\n[resources]\ndefault = false\ntraffic = {value}\n")
    for _ in range(2):  # a refusal that still holds is told again
        (line,) = said(shown, code=code)
        assert line == (
            "me: traffic: refused for 2 repositories: the token needs push access; a classic one "
            "also the scope public_repo or repo"
        )
    assert said(shown, "--only", "traffic", code=3)[-1].startswith("me: traffic: refused for 2")


def test_a_fine_grained_token_without_administration_is_told_what_is_refused(
    github: StandIn, shown: Path
) -> None:
    github.add_token("octo", BARE, permissions={"metadata": "read", "contents": "read"})
    write_config(shown, github.url, extra=TWO)
    assert said(shown, token=BARE) == [
        "me: read languages of 2 repositories",
        "me: traffic: refused for 2 repositories: the token needs read access to Administration",
    ]
    told = outcome(shown, token=BARE)["resources"][0]
    assert (told["resource"], told["refused"]) == ("traffic", 2)
    assert told["reason"].endswith("the token needs read access to Administration")


def test_an_enterprise_server_without_traffic_is_told_of(tmp_path: Path) -> None:
    with StandIn(enterprise=True) as github:
        github.add_user("octo", token=TOKEN, scopes=("repo",))
        github.set_child(github.add_repository("octo", "one"), "languages", {"C": 3})
        write_config(tmp_path, github.url, extra=TWO)
        assert said(tmp_path) == [
            "me: read languages of 1 repository",
            "me: traffic: not on this server: it answers 404 for 1 repository",
        ]


def test_a_repository_asked_for_by_name_that_is_gone_leaves_the_backfill_partial(
    github: StandIn, shown: Path
) -> None:
    said(shown)
    (one,) = [each["id"] for each in github.listing_of(TOKEN) if each["name"] == "one"]
    github.delete(one)
    answers, advice = "me: GitHub answers 404 for", "a backfill with the list tells whether"
    for _ in range(2):  # the second time, nothing was found before either
        (line,) = said(shown, "--repository", "octo/one", code=3)
        assert line.startswith(f"{answers} traffic of 1 repository, traffic_popular of 1, ")
    both = ("--repository", "octo/one", "--repository", "octo/two", "--only", "stars")
    assert said(shown, *both, code=3) == [
        "me: read stars of 1 repository",
        f"{answers} stars of 1 repository; {advice} that is gone",
    ]


def test_lists_are_read_where_the_configuration_no_longer_has_views_counted(
    github: StandIn, shown: Path
) -> None:
    github.add_repository("octo", "quiet")  # no views, as far as its traffic tells
    assert said(shown, "--resources", "traffic") == ["me: read traffic of 3 repositories"]
    assert said(shown)[0].startswith("me: read traffic_popular of 2 repositories")
    named = '[resources]\ndefault = false\ntraffic_popular = "auto"\n'
    write_config(shown, github.url, extra=f'\n{named}traffic = {{ repositories = ["octo/one"] }}\n')
    assert said(shown) == ["me: read traffic_popular of 1 repository"]


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("disabled", "switched off at GitHub for"),
        ("too large", "too large for GitHub to compute for"),
    ],
)
def test_what_github_does_not_have_of_a_repository_is_said(
    github: StandIn, shown: Path, case: str, words: str
) -> None:
    said(shown)
    github.answer_child("languages", case)
    named = ("--repository", "octo/one", "--only", "languages")
    assert said(shown, *named) == [f"me: languages: {words} 1 repository"]
