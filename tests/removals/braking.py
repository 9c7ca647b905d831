"""Runs that withhold what is missing, and runs that remove it, with all that each must show."""

from __future__ import annotations

from typing import Any

from structlog.testing import capture_logs

from sync.sandbox import Sandbox
from tests.conftest import QUICK, TOKEN
from tests.removals.telling import lasting
from tests.support.database import values
from tests.support.inside.core import RemovalsWithheld
from tests.support.inside.database import Store
from tests.support.inside.github import GitHubClient
from tests.support.inside.removals import digest
from tests.support.inside.run import RunOutcome
from tests.support.runs import sync

_MEMBERS = "SELECT count(*) FROM account_repositories WHERE gone_at IS NULL AND account = 'me'"


def run(
    github: Sandbox, store: Store, *, token: str = TOKEN, account: str = "me", **options: Any
) -> RunOutcome:
    """Sync with a client of its own, as each run of the program does."""
    with GitHubClient(token=token, api_url=github.url, retry=QUICK) as client:
        return sync(client, store, account=account, **options)


def asked_for(github: Sandbox) -> list[int]:
    """Return the ids that were asked for one by one."""
    place = "/repositories/"
    found = (request.path for request in github.requests if request.path.startswith(place))
    return sorted({int(path.removeprefix(place)) for path in found})


def withheld(github: Sandbox, store: Store, missing: list[int], **options: Any) -> None:
    """Let a run withhold all that is missing, and look at all that it says and stores."""
    before = lasting(store.url)
    github.clear_requests()
    with capture_logs() as events:
        outcome = run(github, store, **options)
    assert (outcome.status, outcome.complete) == ("partial", True)
    assert isinstance(outcome.error, RemovalsWithheld)
    assert (outcome.counts.withheld, outcome.counts.removed) == (len(missing), 0)
    assert asked_for(github) == []
    assert lasting(store.url) == before
    ((status, number, told, error),) = values(
        store.url,
        "SELECT status, withheld, missing_digest, error_type FROM sync_runs "
        f"WHERE id = {outcome.run_id}",
    )
    assert (status, number, error) == ("partial", len(missing), "RemovalsWithheld")
    assert told == digest(sorted(missing))
    (event,) = [event for event in events if event["event"] == "sync.removals_withheld"]
    ((members,),) = values(store.url, _MEMBERS)
    assert (event["missing"], event["members"], event["log_level"]) == (
        *(len(missing), members),
        "warning",
    )


def goes_through(github: Sandbox, store: Store, missing: list[int], **options: Any) -> None:
    """Let a run remove all that is missing, and the next have nothing left to do."""
    github.clear_requests()
    outcome = run(github, store, **options)
    assert (outcome.status, outcome.counts.removed, outcome.counts.withheld) == (
        *("succeeded", len(missing)),
        0,
    )
    assert asked_for(github) == sorted(missing)
    assert gone(store) >= set(missing)
    before = lasting(store.url)
    options.pop("accept_removals", None)
    assert run(github, store, **options).status == "succeeded"
    assert lasting(store.url) == before


def gone(store: Store) -> set[int]:
    statement = "SELECT repository_id FROM account_repositories WHERE gone_at IS NOT NULL"
    return {id_ for (id_,) in values(store.url, statement)}


def delete(github: Sandbox, ids: list[int]) -> list[int]:
    for id_ in ids:
        github.delete(id_)
    return ids
