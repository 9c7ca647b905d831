"""What leaves the listing of an App's installation."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.config.sections import Removals
from sync.database.store import Store
from sync.github.sandbox import Sandbox
from sync.outcome import RunOutcome
from tests.support.ledger import rows
from tests.support.runs import fill, sync
from tests.support.signing_in import App, app_client, installed_app


@pytest.fixture
def ids(github: Sandbox) -> list[int]:
    return fill(github, 20)


@pytest.fixture
def app(github: Sandbox, ids: list[int]) -> App:
    return installed_app(github)


@pytest.fixture
def ledger(new_sqlite_ledger: Path, tmp_path: Path) -> Store:
    file = tmp_path / "ledger.db"
    file.write_bytes(new_sqlite_ledger.read_bytes())
    return Store(f"sqlite:///{file}")


def run(github: Sandbox, app: App, store: Store, **options: object) -> RunOutcome:
    with app_client(github, app) as client:
        return sync(client, store, **options)


def removed(tmp_path: Path) -> dict[int, str]:
    found = rows(
        tmp_path / "ledger.db",
        "SELECT id, removal_reason FROM repositories WHERE removed_at IS NOT NULL",
    )
    return dict(found)


def test_what_was_taken_from_an_app_and_is_still_there_is_unlisted(
    github: Sandbox, app: App, ids: list[int], ledger: Store, tmp_path: Path
) -> None:
    assert run(github, app, ledger).status == "succeeded"
    github.select_repositories(app.installation, ids[2:])
    outcome = run(github, app, ledger)
    assert (outcome.status, outcome.counts.removed) == ("succeeded", 2)
    assert removed(tmp_path) == dict.fromkeys(ids[:2], "unlisted")
    github.select_repositories(app.installation, None)
    assert run(github, app, ledger).counts.restored == 2
    assert removed(tmp_path) == {}


def test_what_is_private_and_was_taken_from_an_app_cannot_be_told_from_what_was_deleted(
    github: Sandbox, app: App, ids: list[int], ledger: Store, tmp_path: Path
) -> None:
    secret = github.add_repository("octo", "secret", private=True)
    run(github, app, ledger, visibility="all")
    github.select_repositories(app.installation, ids)
    github.delete(ids[0])
    assert run(github, app, ledger, visibility="all").counts.removed == 2
    assert removed(tmp_path) == {secret: "not_found", ids[0]: "not_found"}


def test_what_was_deleted_transferred_or_made_private_is_told_apart(
    github: Sandbox, app: App, ids: list[int], ledger: Store, tmp_path: Path
) -> None:
    github.add_user("else")
    run(github, app, ledger)
    github.delete(ids[0])
    github.transfer(ids[1], "else")
    github.edit(ids[2], private=True)
    run(github, app, ledger)
    assert removed(tmp_path) == {ids[0]: "not_found", ids[1]: "transferred", ids[2]: "private"}


def test_much_taken_at_once_is_withheld(
    github: Sandbox, app: App, ids: list[int], ledger: Store, tmp_path: Path
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
    github: Sandbox, app: App, ledger: Store, tmp_path: Path, act: str
) -> None:
    run(github, app, ledger)
    getattr(github, act)(app.installation)
    outcome = run(github, app, ledger)
    assert outcome.status == "failed"
    assert type(outcome.error).__name__ in ("BadCredentials", "Forbidden")
    assert removed(tmp_path) == {}


@pytest.mark.parametrize("act", ["suspend_installation", "uninstall_app"])
def test_an_app_that_is_turned_out_while_missing_ones_are_asked_for_removes_nothing(
    github: Sandbox, app: App, ids: list[int], ledger: Store, tmp_path: Path, act: str
) -> None:
    run(github, app, ledger)
    github.select_repositories(app.installation, ids[2:])
    done: list[str] = []

    def turn_out(request: object) -> None:
        if str(request.path).startswith("/repositories/") and not done:  # type: ignore[attr-defined]  # a request
            done.append(act)
            github.revoke_installation_tokens(app.installation)
            getattr(github, act)(app.installation)

    github.on_request = turn_out
    outcome = run(github, app, ledger)
    assert done == [act]
    assert outcome.status in ("failed", "partial")
    assert removed(tmp_path) == {}


def test_another_app_or_a_user_in_its_place_is_withheld(
    github: Sandbox, app: App, ids: list[int], ledger: Store, tmp_path: Path
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
    github: Sandbox, app: App, ids: list[int], ledger: Store, client: object, tmp_path: Path
) -> None:
    sync(client, ledger)  # type: ignore[arg-type]  # a client
    github.select_repositories(app.installation, ids[1:])
    outcome = run(github, app, ledger)
    assert f"asked for by a user before, and is by App {app.id} now" in str(outcome.error)
    assert run(github, app, ledger, accept_removals=True).counts.removed == 1


def test_another_affiliation_means_nothing_to_an_app(
    github: Sandbox, app: App, ids: list[int], ledger: Store
) -> None:
    run(github, app, ledger)
    github.select_repositories(app.installation, ids[1:])
    assert run(github, app, ledger, affiliation=("owner",)).counts.removed == 1
