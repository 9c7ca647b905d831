"""What leaves the listing of an App's installation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.stand_in import StandIn
from tests.support.inside.config import Removals
from tests.support.inside.database import Store
from tests.support.inside.run import RunOutcome
from tests.support.ledger import rows
from tests.support.runs import fill, sync
from tests.support.signing_in import App, app_client, installed_app


@pytest.fixture
def ids(github: StandIn) -> list[int]:
    return fill(github, 20)


@pytest.fixture
def app(github: StandIn, ids: list[int]) -> App:
    return installed_app(github)


@pytest.fixture
def ledger(new_sqlite_ledger: Path, tmp_path: Path) -> Store:
    file = tmp_path / "ledger.db"
    file.write_bytes(new_sqlite_ledger.read_bytes())
    return Store(f"sqlite:///{file}")


def run(github: StandIn, app: App, store: Store, **options: Any) -> RunOutcome:
    with app_client(github, app) as client:
        return sync(client, store, **options)


def removed(tmp_path: Path) -> dict[int, str]:
    found = rows(
        tmp_path / "ledger.db",
        "SELECT id, removal_reason FROM repositories WHERE removed_at IS NOT NULL",
    )
    return dict(found)


def test_a_repository_that_was_taken_from_an_app_and_still_exists_is_unlisted(
    github: StandIn, app: App, ids: list[int], ledger: Store, tmp_path: Path
) -> None:
    assert run(github, app, ledger).status == "succeeded"
    github.select_repositories(app.installation, ids[2:])
    outcome = run(github, app, ledger)
    assert (outcome.status, outcome.counts.removed) == ("succeeded", 2)
    assert removed(tmp_path) == dict.fromkeys(ids[:2], "unlisted")
    github.select_repositories(app.installation, None)
    assert run(github, app, ledger).counts.restored == 2
    assert removed(tmp_path) == {}


def test_a_private_repository_taken_from_an_app_cannot_be_told_from_a_deleted_one(
    github: StandIn, app: App, ids: list[int], ledger: Store, tmp_path: Path
) -> None:
    secret = github.add_repository("octo", "secret", private=True)
    run(github, app, ledger, visibility="all")
    github.select_repositories(app.installation, ids)
    github.delete(ids[0])
    assert run(github, app, ledger, visibility="all").counts.removed == 2
    assert removed(tmp_path) == {secret: "not_found", ids[0]: "not_found"}


def test_deleted_transferred_and_private_repositories_are_told_apart(
    github: StandIn, app: App, ids: list[int], ledger: Store, tmp_path: Path
) -> None:
    github.add_user("else")
    run(github, app, ledger)
    github.delete(ids[0])
    github.transfer(ids[1], "else")
    github.edit(ids[2], private=True)
    run(github, app, ledger)
    assert removed(tmp_path) == {ids[0]: "not_found", ids[1]: "transferred", ids[2]: "private"}


def test_much_taken_at_once_is_withheld(
    github: StandIn, app: App, ids: list[int], ledger: Store, tmp_path: Path
) -> None:
    run(github, app, ledger)
    for left in (ids[10:], []):
        github.select_repositories(app.installation, left)
        assert run(github, app, ledger).status == "partial"
        assert removed(tmp_path) == {}
    accepted = run(github, app, ledger, accept_removals=True)
    assert accepted.counts.removed == 20


@pytest.mark.parametrize("act", ["suspend_installation", "uninstall_app"])
def test_an_app_that_was_turned_out_fails_and_removes_nothing(
    github: StandIn, app: App, ledger: Store, tmp_path: Path, act: str
) -> None:
    run(github, app, ledger)
    getattr(github, act)(app.installation)
    outcome = run(github, app, ledger)
    assert outcome.status == "failed"
    assert type(outcome.error).__name__ in ("BadCredentials", "Forbidden")
    assert removed(tmp_path) == {}


@pytest.mark.parametrize("act", ["suspend_installation", "uninstall_app"])
def test_an_app_that_is_turned_out_while_missing_ones_are_asked_for_removes_nothing(
    github: StandIn, app: App, ids: list[int], ledger: Store, tmp_path: Path, act: str
) -> None:
    run(github, app, ledger)
    github.select_repositories(app.installation, ids[2:])
    done: list[str] = []

    def turn_out(request: Any) -> None:
        if str(request.path).startswith("/repositories/") and not done:
            done.append(act)
            github.revoke_installation_tokens(app.installation)
            getattr(github, act)(app.installation)

    github.on_request = turn_out
    outcome = run(github, app, ledger)
    assert done == [act]
    assert outcome.status in ("failed", "partial")
    assert removed(tmp_path) == {}


def test_another_app_or_a_user_in_its_place_is_withheld(
    github: StandIn, app: App, ids: list[int], ledger: Store, tmp_path: Path
) -> None:
    other = installed_app(github, key=1)
    github.select_repositories(other.installation, ids[1:])
    run(github, app, ledger)
    with app_client(github, other, key=1) as client:
        outcome = sync(client, ledger, removals=Removals())
    assert outcome.status == "partial"
    assert f"by App {app.id} before, and is by App {other.id} now" in str(outcome.error)
    assert removed(tmp_path) == {}


def test_a_user_who_becomes_an_app_is_withheld(
    github: StandIn, app: App, ids: list[int], ledger: Store, client: object, tmp_path: Path
) -> None:
    sync(client, ledger)  # type: ignore[arg-type]  # a client
    github.select_repositories(app.installation, ids[1:])
    outcome = run(github, app, ledger)
    assert f"asked for by a user before, and is by App {app.id} now" in str(outcome.error)
    assert run(github, app, ledger, accept_removals=True).counts.removed == 1


def test_another_affiliation_means_nothing_to_an_app(
    github: StandIn, app: App, ids: list[int], ledger: Store
) -> None:
    run(github, app, ledger)
    github.select_repositories(app.installation, ids[1:])
    assert run(github, app, ledger, affiliation=("owner",)).counts.removed == 1
