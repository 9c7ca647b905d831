"""Two hosts in one configuration: each account is synced from its own, and stays there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TOKEN
from tests.stand_in import StandIn
from tests.support.ledger import contents, rows, value
from tests.support.process import LISTING_ALONE, repoledger

WORK = "ghp_" + "w7" * 18
MINE = '[[accounts]]\nname = "me"\ntoken_env = "TOKEN"\n'
COLLEAGUE = '[[accounts]]\nname = "colleague"\ntoken_env = "WORK"\nforge = "work"\n'


@pytest.fixture
def work() -> Iterator[StandIn]:
    """Another host, whose user octo has the same id as that of `github`."""
    with StandIn(enterprise=True) as sandbox:
        sandbox.add_user("octo", token=WORK, scopes=())
        yield sandbox
        assert sandbox.errors == []


@pytest.fixture
def both(github: StandIn, work: StandIn, tmp_path: Path) -> Path:
    """A folder with an account at each of the two, where octo/hello is another repository."""
    github.add_repository("octo", "hello", description="at home")
    work.add_repository("octo", "hello", description="at work")
    write(tmp_path, github, work)
    return tmp_path


def write(
    folder: Path,
    github: StandIn,
    work: StandIn,
    accounts: str = MINE + COLLEAGUE,
    *,
    home: str = "",
    there: str = "",
) -> None:
    (folder / "config.toml").write_text(
        f'{LISTING_ALONE}[database]\nurl = "sqlite:///ledger.db"\n'
        f'[github]\napi_url = "{github.url}"\n{home}\n'
        f'[forges.work]\napi_url = "{work.url}"\n{there}\n{accounts}',
        encoding="utf-8",
    )


def host(sandbox: StandIn) -> str:
    return sandbox.url.removeprefix("http://").partition("/")[0]


def run(folder: Path, *arguments: str) -> tuple[int, str, str]:
    done = repoledger(*arguments, cwd=folder, TOKEN=TOKEN, WORK=WORK)
    return done.returncode, done.stdout, done.stderr


def backfill(folder: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    code, printed, _ = run(folder, "backfill", "--json", *arguments)
    return code, {row["account"]: row for row in json.loads(printed)}


def test_one_name_at_two_hosts_is_two_repositories(
    github: StandIn, work: StandIn, both: Path
) -> None:
    code, outcomes = backfill(both)
    assert (code, [row["inserted"] for row in outcomes.values()]) == (0, [1, 1])
    found = rows(both / "ledger.db", "SELECT host, full_name, description FROM repositories")
    assert sorted(found) == sorted(
        [(host(github), "octo/hello", "at home"), (host(work), "octo/hello", "at work")]
    )
    assert all(row["unchanged"] for row in backfill(both)[1].values())
    sent = [{r.headers["authorization"] for r in each.requests} for each in (github, work)]
    assert sent == [{f"Bearer {TOKEN}"}, {f"Bearer {WORK}"}]  # each token to its own host


def test_status_accounts_and_check_tell_each_account_s_host(
    github: StandIn, work: StandIn, both: Path
) -> None:
    hosts = {"me": host(github), "colleague": host(work)}
    for command in ("status", "accounts"):
        backfill(both)
        shown = run(both, command)[1]
        assert shown.split()[:2] == ["account", "host"]
        assert all(place in shown for place in hosts.values())
        told = json.loads(run(both, command, "--json")[1])
        assert {row["account"]: row["host"] for row in told} == hosts
    code, checked, _ = run(both, "check")
    assert code == 0
    assert f"account me: {github.url} answers" in checked
    assert f"account colleague: {work.url} answers" in checked
    assert "one quota" not in checked + run(both, "status")[1]


def test_limits_of_one_host_do_not_hold_at_the_other(
    github: StandIn, work: StandIn, tmp_path: Path
) -> None:
    """The same token, of a user with the same id: only the host tells the two apart."""
    work.add_token("octo", TOKEN)
    reset = datetime.now(UTC) + timedelta(hours=1)
    github.set_quota(TOKEN, limit=5000, remaining=0, reset=reset)
    both = MINE + COLLEAGUE.replace("WORK", "TOKEN")
    write(tmp_path, github, work, both, home='max_wait = "0s"')
    code, outcomes = backfill(tmp_path)
    assert (code, outcomes["me"]["status"], outcomes["colleague"]["status"]) == (
        *(4, "deferred"),
        "succeeded",
    )


@pytest.fixture
def spent(github: StandIn) -> Iterator[StandIn]:
    """A host with limits like `github`; at both, 40 of 100 requests are left for an hour."""
    reset = datetime.now(UTC) + timedelta(hours=1)
    with StandIn() as other:
        other.add_user("octo", token=WORK, scopes=())
        for sandbox, token in ((github, TOKEN), (other, WORK)):
            sandbox.add_repository("octo", "hello")
            sandbox.set_quota(token, limit=100, remaining=40, reset=reset)
        yield other


@pytest.mark.parametrize(
    ("home", "there", "expected"),
    [(0.0, 0.5, ["succeeded", "deferred"]), (0.5, 0.0, ["deferred", "succeeded"])],
)
def test_each_host_has_a_reserve_of_its_own(
    github: StandIn, spent: StandIn, tmp_path: Path, home: float, there: float, expected: list[str]
) -> None:
    write(tmp_path, github, spent, home=f"reserve = {home}", there=f"reserve = {there}")
    code, outcomes = backfill(tmp_path)
    assert code == 4
    assert [outcomes[name]["status"] for name in ("me", "colleague")] == expected


def test_each_host_has_a_longest_wait_of_its_own(
    github: StandIn, spent: StandIn, tmp_path: Path
) -> None:
    keys = ('reserve = 0.5\nmax_wait = "2h"', 'reserve = 0.6\nmax_wait = "0s"')
    write(tmp_path, github, spent, home=keys[0], there=keys[1])
    checked = run(tmp_path, "check")[1]
    assert "github.reserve keeps 50: a run would wait until then" in checked
    assert "forges.work.reserve keeps 60: a run would be deferred" in checked


def test_check_names_the_section_of_a_wrong_address(
    github: StandIn, work: StandIn, tmp_path: Path
) -> None:
    address = work.url.removesuffix("/api/v3")
    write(tmp_path, github, work)
    file = tmp_path / "config.toml"
    file.write_text(file.read_text().replace(work.url, address))
    code, checked, _ = run(tmp_path, "check")
    assert code == 1
    assert (
        f'{address} does not seem to be the API: try forges.work.api_url = "{work.url}"' in checked
    )


def test_check_warns_of_a_forge_that_no_account_uses(
    github: StandIn, work: StandIn, tmp_path: Path
) -> None:
    write(tmp_path, github, work)
    file = tmp_path / "config.toml"
    file.write_text(file.read_text() + '[forges.club]\napi_url = "https://club.example.com"\n')
    code, checked, _ = run(tmp_path, "check")
    assert code == 0
    assert "warn  configuration: no account uses [forges.club]" in checked
    assert "[forges.work]" not in checked


def test_what_an_account_logs_in_with_is_its_forge_s(
    github: StandIn, work: StandIn, tmp_path: Path
) -> None:
    kept = COLLEAGUE.replace('token_env = "WORK"', 'token_file = "token"')
    write(tmp_path, github, work, MINE + kept, home='client_id = "Iv1.home"')
    code, _, told = run(tmp_path, "login", "--account", "colleague")
    assert code == 2
    assert "set forges.work.client_id or give --client-id" in told
    assert f"http://{host(work)}/settings/apps" in told
    (tmp_path / "token").write_text(WORK)
    assert (
        f"http://{host(work)}/settings/applications"
        in run(tmp_path, "logout", "--account", "colleague")[1]
    )


# An account that is pointed at another host.


def refusal(github: StandIn, work: StandIn) -> str:
    return (
        f"the account was synced from {host(github)}, and is configured for {host(work)} now: ids "
        f"are unique on one host only, so give the account for {host(work)} a name of its own"
    )


def stored(folder: Path) -> dict[str, Any]:
    """Return all that the ledger holds of repositories, and who its accounts are."""
    who = "SELECT name, host, id, login, last_synced_at, listing_basis FROM accounts ORDER BY name"
    return {**contents(folder / "ledger.db"), "accounts": rows(folder / "ledger.db", who)}


def test_an_account_that_is_pointed_at_another_host_is_refused_and_nothing_is_mixed(
    github: StandIn, work: StandIn, both: Path
) -> None:
    backfill(both)
    before = stored(both)
    for sandbox in (github, work):
        sandbox.add_repository("octo", "more")
    work.add_token("octo", TOKEN)
    write(both, github, work, MINE + 'forge = "work"\n' + COLLEAGUE)
    work.clear_requests()
    code, outcomes = backfill(both, "--account", "me")
    assert (code, outcomes["me"]["status"]) == (2, "failed")
    assert outcomes["me"]["error_message"] == refusal(github, work)
    assert stored(both) == before
    last = "SELECT status, error_type, error_message FROM sync_runs ORDER BY id DESC LIMIT 1"
    assert rows(both / "ledger.db", last) == [("failed", "ConfigError", refusal(github, work))]
    assert work.requests == []
    assert f"me: {refusal(github, work)}" in run(both, "status")[1].replace("\n", " ")
    # The other account goes on, and so does this one where it belongs.
    code, outcomes = backfill(both)
    assert (code, outcomes["colleague"]["inserted"]) == (2, 1)
    write(both, github, work)
    code, outcomes = backfill(both)
    assert (code, outcomes["me"]["inserted"], outcomes["colleague"]["inserted"]) == (0, 1, 0)


def test_a_dry_run_and_check_refuse_what_a_run_would(
    github: StandIn, work: StandIn, both: Path
) -> None:
    backfill(both)
    before = stored(both)
    work.add_token("octo", TOKEN)
    write(both, github, work, MINE + 'forge = "work"\n' + COLLEAGUE)
    code, printed, told = run(both, "backfill", "--dry-run")
    assert (code, printed) == (2, "")
    assert told.endswith(f"nothing to show\nerror: account me: {refusal(github, work)}\n")
    code, checked, _ = run(both, "check")
    assert code == 1
    assert f"fail  account me: {refusal(github, work)}\n" in checked
    assert stored(both) == before


@pytest.mark.parametrize("command", ["check", "accounts"])
def test_the_token_of_a_refused_account_is_not_sent_to_the_other_host(
    github: StandIn, work: StandIn, both: Path, command: str
) -> None:
    backfill(both)
    write(both, github, work, MINE + 'forge = "work"\n')
    work.clear_requests()
    code, shown, _ = run(both, command)
    assert (code, work.requests) == (1, [])
    assert f"me: {refusal(github, work)}" in " ".join(shown.split())


def test_an_account_without_a_token_is_refused_at_the_host_that_it_was_synced_from(
    github: StandIn, work: StandIn, both: Path
) -> None:
    backfill(both)
    write(both, github, work, MINE.replace("TOKEN", "UNSET") + 'forge = "work"\n' + COLLEAGUE)
    assert backfill(both)[1]["me"]["error_message"].endswith("UNSET is not set")
    place = "SELECT host FROM accounts WHERE name = 'me'"
    assert value(both / "ledger.db", place) == host(github)
    last = "SELECT error_type FROM sync_runs WHERE account = 'me' ORDER BY id DESC LIMIT 1"
    assert value(both / "ledger.db", last) == "ConfigError"


def test_an_account_whose_address_was_wrong_from_the_start_may_be_put_right(
    github: StandIn, work: StandIn, tmp_path: Path
) -> None:
    work.fail(20, 404)
    write(tmp_path, github, work, MINE + 'forge = "work"\n')
    assert backfill(tmp_path)[1]["me"]["status"] == "failed"
    write(tmp_path, github, work, MINE)
    assert backfill(tmp_path)[1]["me"]["status"] == "succeeded"


def test_what_turns_private_does_not_wait_for_accounts_of_another_host(
    github: StandIn, work: StandIn, both: Path
) -> None:
    github.set_scopes(TOKEN, ("repo",))
    secret = github.add_repository("octo", "secret")
    backfill(both, "--account", "me")
    github.make_private(secret)
    backfill(both, "--account", "me")
    name = f"SELECT name FROM repositories WHERE id = {secret} AND removed_at IS NOT NULL"
    assert value(both / "ledger.db", name) == f"[redacted-{secret}]"
    assert "since private now" not in run(both, "status")[1]
