"""The state of resources by the ledger, on each database."""

from __future__ import annotations

from datetime import timedelta

from tests.conftest import QUICK, TOKEN
from tests.stand_in import StandIn
from tests.support.database import HandClock, execute
from tests.support.inside.config import ResourceSetting
from tests.support.inside.database import Ledger, ResourceStatus, Store
from tests.support.inside.github import GitHubClient
from tests.support.inside.load import Choice
from tests.support.inside.resources import BY_NAME, OF_REPOSITORIES
from tests.support.runs import sync

AUTO = ResourceSetting(on=True, by_name=False)


def synced(github: StandIn, url: str, clock: HandClock, *names: str) -> None:
    choices = tuple(Choice(resource=each) for each in OF_REPOSITORIES if each.name in names)
    with (
        Store(url, clock=clock) as store,
        GitHubClient(token=TOKEN, api_url=github.url, retry=QUICK, clock=clock) as client,
    ):
        sync(client, store, resources=choices)


def states(
    url: str, clock: HandClock, setting: ResourceSetting = AUTO
) -> dict[str, ResourceStatus]:
    with Ledger(url, clock=clock) as ledger:
        found = ledger.resources({"me": dict.fromkeys(BY_NAME, setting)})
    return {each.resource: each for each in found}


def test_states_are_counted_by_account_and_resource(github: StandIn, ledger_url: str) -> None:
    github.now = clock = HandClock()
    github.set_scopes(TOKEN, ("public_repo",))
    ids = [github.add_repository("octo", f"r{n}") for n in range(3)]
    today = clock().date()
    github.set_traffic(ids[0], "views", {today - timedelta(days=1): (5, 2)})
    synced(github, ledger_url, clock, "traffic")
    github.star(ids[1])
    github.add_user("hubot")
    github.add_collaborator("octo", github.add_repository("hubot", "r9"), permission="pull")
    synced(github, ledger_url, clock)
    found = states(ledger_url, clock)
    traffic, popular, stars = (found[name] for name in ("traffic", "traffic_popular", "stars"))
    assert (traffic.wanted, traffic.read, traffic.waiting) == (3, 3, 0)
    assert traffic.requests_of_day == 10  # two were asked before a day was shown, and once more
    assert (traffic.oldest, traffic.newest) == (clock(), clock())
    assert (popular.wanted, popular.never_read, popular.read) == (1, 1, 0)
    assert (stars.wanted, stars.waiting) == (1, 1)
    assert found["languages"].waiting == 4
    clock.advance(days=2)
    later = states(ledger_url, clock)["traffic"]
    assert (later.waiting, later.requests_of_day) == (3, 0)


def test_patterns_and_removed_repositories_count_too(github: StandIn, ledger_url: str) -> None:
    github.now = clock = HandClock()
    for name in ("one", "two", "three"):
        github.add_repository("octo", name)
    synced(github, ledger_url, clock, "languages")
    execute(ledger_url, "UPDATE repositories SET removed_at = changed_at WHERE name = 'three'")
    found = states(ledger_url, clock)["languages"]
    assert (found.wanted, found.read) == (2, 2)
    chosen = ResourceSetting(True, True, repositories=("OCTO/o*",))
    assert states(ledger_url, clock, chosen)["downloads"].waiting == 1


def test_an_empty_ledger_has_nothing(ledger_url: str) -> None:
    found = states(ledger_url, HandClock())
    assert {each.waiting for each in found.values()} == {0}
    with Ledger(ledger_url) as ledger:
        assert set(ledger.resource_rows().values()) == {0}
