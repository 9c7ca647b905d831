"""An account that is a GitHub App: checked, synced, and several of them side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import TOKEN
from tests.stand_in import StandIn
from tests.support.daemon import RunningDaemon, write_daemon_config
from tests.support.ledger import contents, rows, value
from tests.support.process import repoledger, write_config
from tests.support.signing_in import App, app_account, installed_app, write_key


@pytest.fixture
def app(github: StandIn, tmp_path: Path) -> App:
    """An App that was given all of octo's repositories: a private one and two public ones."""
    for name in ("one", "two"):
        github.add_repository("octo", name)
    github.add_repository("octo", "secret", private=True)
    app = installed_app(github)
    write_config(tmp_path, github.url, app_account(app))
    write_key(tmp_path)
    return app


def checked(folder: Path, code: int = 0, variables: dict[str, str] | None = None) -> list[str]:
    done = repoledger("check", "--json", cwd=folder, **(variables or {}))
    found = [f"{row['result']}: {row['message']}" for row in json.loads(done.stdout)]
    assert done.returncode == code, found
    return found


def test_a_check_tells_where_an_app_is_installed_and_what_it_may(
    github: StandIn, app: App, tmp_path: Path
) -> None:
    found = checked(tmp_path)
    assert "ok: signed in as octo, GitHub App installation" in found
    assert (
        "ok: the App is installed there on all repositories, with permissions metadata: read"
        in found
    )
    assert "ok: its tokens are renewed before they expire" in found
    assert any("requests left until" in line for line in found)
    assert not any(line.startswith(("warn", "fail")) for line in found)


def test_a_check_tells_what_is_wrong_with_an_app(github: StandIn, app: App, tmp_path: Path) -> None:
    github.apps[str(app.id)].permissions = {}
    assert any("needs the repository permission metadata: read" in x for x in checked(tmp_path, 1))
    github.suspend_installation(app.installation)
    assert any("the App's installation is suspended" in line for line in checked(tmp_path, 1))
    github.uninstall_app(app.installation)
    assert any("has no installation" in line for line in checked(tmp_path, 1))
    write_key(tmp_path, key=1)
    assert any("id or private key is wrong" in line for line in checked(tmp_path, 1))
    (tmp_path / "app.pem").write_text("no key", "utf-8")
    (trouble,) = (line for line in checked(tmp_path, 1) if line.startswith("fail"))
    assert trouble.startswith("fail: the App's private key must be an RSA key in PEM")


def test_a_check_asks_once_and_does_not_wait(github: StandIn, app: App, tmp_path: Path) -> None:
    github.fail(times=99, path="/app/*", status=503)
    github.clear_requests()
    checked(tmp_path, 1)
    assert len([r for r in github.requests if r.path.startswith("/app/")]) == 1


@pytest.mark.parametrize(
    ("visibility", "names"),
    [("public", ["one", "two"]), ("private", ["secret"]), ("all", ["one", "secret", "two"])],
)
def test_a_backfill_stores_the_visibility_that_is_wanted(
    github: StandIn, app: App, tmp_path: Path, visibility: str, names: list[str]
) -> None:
    write_config(tmp_path, github.url, app_account(app, visibility=f'"{visibility}"'))
    first = repoledger("--log-level", "debug", "backfill", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    ledger = tmp_path / "ledger.db"
    assert rows(ledger, "SELECT name FROM repositories ORDER BY name") == [(n,) for n in names]
    second = repoledger("backfill", "--json", cwd=tmp_path)
    assert second.returncode == 0, second.stderr
    (told,) = json.loads(second.stdout)
    assert (told["inserted"], told["updated"], told["removed"]) == (0, 0, 0)
    pem = (tmp_path / "app.pem").read_text("utf-8").splitlines()[2]
    for text in (first.stdout + first.stderr, ledger.read_bytes().decode("latin-1")):
        assert "ghs_" not in text
        assert "eyJ" not in text
        assert pem not in text


def test_an_app_reads_pages_whole_in_each_run_and_writes_no_row_again(
    github: StandIn, app: App, tmp_path: Path
) -> None:
    repoledger("backfill", cwd=tmp_path)
    before = contents(tmp_path / "ledger.db")
    github.clear_requests()
    (told,) = json.loads(repoledger("backfill", "--json", cwd=tmp_path).stdout)
    assert (told["pages"], told["unchanged"]) == (1, 2)
    pages = [r.status for r in github.requests if r.path == "/installation/repositories"]
    assert pages == [200]  # an ETag holds for one token, and this run has another
    after = contents(tmp_path / "ledger.db")
    del before["page_cache"], after["page_cache"]
    assert after == before


def test_two_apps_and_a_user_are_synced_side_by_side(
    github: StandIn, app: App, tmp_path: Path
) -> None:
    github.add_user("org", kind="Organization")
    github.add_repository("org", "three")
    other = installed_app(github, key=1)
    github.select_repositories(other.installation, [github.find("octo/two").fields["id"]])
    elsewhere = App(app.id, github.install_app(app.id, "org"))
    accounts = [
        app_account(app),
        app_account(other, "other"),
        app_account(elsewhere, "org", private_key_env='"KEY"').replace(
            'private_key_file = "org.pem"\n', ""
        ),
        '[[accounts]]\nname = "me"\ntoken_env = "TOKEN"\n',
    ]
    write_config(tmp_path, github.url, "".join(accounts))
    write_key(tmp_path, "other", key=1)
    variables = {"TOKEN": TOKEN, "KEY": (tmp_path / "app.pem").read_text("utf-8")}
    done = repoledger("backfill", cwd=tmp_path, **variables)
    assert done.returncode == 0, done.stderr
    assert "account.quota_shared" not in done.stderr
    listed = rows(
        tmp_path / "ledger.db",
        "SELECT account, name FROM account_repositories JOIN repositories "
        "ON repositories.id = account_repositories.repository_id ORDER BY account, name",
    )
    assert listed == [
        *(("app", "one"), ("app", "two"), ("me", "one"), ("me", "two")),
        *(("org", "three"), ("other", "two")),
    ]
    assert not any("shares the quota" in line for line in checked(tmp_path, variables=variables))


def test_two_accounts_of_one_installation_share_its_quota(
    github: StandIn, app: App, tmp_path: Path
) -> None:
    accounts = app_account(app) + app_account(app, "again", visibility='"private"')
    write_config(tmp_path, github.url, accounts)
    write_key(tmp_path, "again")
    assert "warn: shares the quota of account app: the same App installation" in checked(tmp_path)
    done = repoledger("backfill", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "account.quota_shared" in done.stderr
    stored = value(tmp_path / "ledger.db", "SELECT count(*) FROM account_repositories")
    assert stored == 3


def test_a_key_that_is_exchanged_is_used_by_the_next_run_of_the_daemon(
    github: StandIn, app: App, tmp_path: Path
) -> None:
    from tests.stand_in import jwts
    from tests.support.app_keys import key_pair

    write_daemon_config(tmp_path, github.url, 'every = "1s"', app_account(app))
    with RunningDaemon(tmp_path) as daemon:
        daemon.wait_for("sync.run_finished", status="succeeded")
        write_key(tmp_path, key=1)
        github.apps[str(app.id)].key = jwts.public_key(key_pair(1).public)
        github.revoke_installation_tokens(app.installation)
        github.add_repository("octo", "later")
        daemon.wait_for("sync.run_finished", status="succeeded", inserted=1)


def test_a_daemon_of_an_app_without_its_key_does_not_start(
    github: StandIn, app: App, tmp_path: Path
) -> None:
    write_daemon_config(tmp_path, github.url, 'every = "1h"', app_account(app))
    (tmp_path / "app.pem").unlink()
    done = repoledger("daemon", cwd=tmp_path)
    assert done.returncode == 2
    assert "account app: the private key file app.pem cannot be read" in done.stderr
