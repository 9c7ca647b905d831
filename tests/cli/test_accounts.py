"""`repoledger accounts` lists who signs in, by what, and until when."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import TOKEN
from tests.stand_in import StandIn
from tests.support.inside.cli import ending
from tests.support.process import on_terminal, repoledger, write_config
from tests.support.signing_in import (
    CLIENT,
    app_account,
    installed_app,
    keep,
    keyring_in,
    stored,
    write_key,
)

FINE = "github_pat_" + "q5" * 11 + "_" + "q5" * 29


@pytest.fixture
def folder(github: StandIn, tmp_path: Path) -> Path:
    """A folder with an account of every kind."""
    github.add_oauth_app(CLIENT, expiring=True)
    end = datetime(2027, 3, 1, 12, tzinfo=UTC)
    github.add_token("octo", FINE, expires=end)
    keep(tmp_path, stored(github, ends_in=600))
    (tmp_path / "fine").write_text(FINE, "utf-8")
    (tmp_path / "fine").chmod(0o600)
    host = github.url.removeprefix("http://")
    entries = {f"repoledger/ring at {host}": TOKEN}
    (tmp_path / "keyring.json").write_text(json.dumps(entries), "utf-8")
    write_key(tmp_path)
    accounts = [
        '[[accounts]]\nname = "classic"\ntoken_env = "TOKEN"\n',
        '[[accounts]]\nname = "fine"\ntoken_file = "fine"\n',
        '[[accounts]]\nname = "basic"\ntoken_command = "printenv TOKEN"\nscheme = "basic"\n',
        'username = "octo"\n',
        '[[accounts]]\nname = "ring"\nkeyring = true\n',
        '[[accounts]]\nname = "ending"\ntoken_file = "token"\n',
        '[[accounts]]\nname = "nobody"\nusername = "octo"\n',
        app_account(installed_app(github)),
    ]
    write_config(tmp_path, github.url, "".join(accounts))
    return tmp_path


def variables(folder: Path) -> dict[str, str]:
    return {"TOKEN": TOKEN, **keyring_in(folder)}


def listed(folder: Path, *arguments: str, code: int = 0) -> dict[str, dict[str, Any]]:
    done = repoledger("accounts", "--json", *arguments, cwd=folder, **variables(folder))
    assert done.returncode == code, done.stderr
    assert done.stderr == ""
    return {row["account"]: row for row in json.loads(done.stdout)}


def test_every_kind_is_listed_with_where_its_secret_is(folder: Path) -> None:
    rows = listed(folder)
    told = {name: (row["kind"], row["source"], row["secret"]) for name, row in rows.items()}
    assert told == {
        "classic": ("classic token", "variable TOKEN", "…t0t0"),
        "fine": ("fine-grained token", "file fine", "…q5q5"),
        "basic": ("classic token", "command printenv", "…t0t0"),
        "ring": ("classic token", "keyring", "…t0t0"),
        "ending": ("GitHub App user token", "file token", None),
        "nobody": ("no token", "none", None),
        "app": ("GitHub App installation", "App 3001, key in app.pem", None),
    }
    assert {row["login"] for row in rows.values()} == {"octo"}
    assert {name for name, row in rows.items() if row["scopes"] is not None} == {
        "classic",
        "basic",
        "ring",
    }
    assert rows["fine"]["expires_at"] == "2027-03-01T12:00:00Z"
    assert [name for name, row in rows.items() if row["renewed"]] == ["ending", "app"]
    assert {row["problem"] for row in rows.values()} == {None}


def test_of_no_secret_more_than_four_characters_are_shown(folder: Path) -> None:
    table = repoledger("accounts", cwd=folder, **variables(folder))
    rows = repoledger("accounts", "--json", cwd=folder, **variables(folder))
    shown = table.stdout + table.stderr + rows.stdout + rows.stderr
    key = (folder / "app.pem").read_text("utf-8").splitlines()[3]
    kept = json.loads((folder / "token").read_text("utf-8"))
    for secret in (TOKEN, FINE, key, kept["token"], kept["refresh_token"]):
        assert secret[-5:] not in shown


@pytest.mark.parametrize("secret", ["", "short", "x" * 19])
def test_of_a_short_secret_nothing_is_shown(secret: str) -> None:
    assert ending(secret) == "…"


def test_offline_nothing_is_asked(github: StandIn, folder: Path) -> None:
    github.clear_requests()
    rows = listed(folder, "--offline")
    assert github.requests == []
    assert rows["fine"]["kind"] == "fine-grained token"
    assert rows["fine"]["login"] is None


def test_accounts_that_fail_are_told_of_beside_the_others(github: StandIn, folder: Path) -> None:
    github.revoke_token(FINE)
    (folder / "app.pem").unlink()
    rows = listed(folder, code=1)
    assert "make a new one" in rows["fine"]["problem"]
    assert rows["app"]["problem"].startswith("the private key file app.pem cannot be read: No such")
    assert [row["login"] for name, row in rows.items() if name not in ("fine", "app")] == [
        "octo"
    ] * 5
    shown = repoledger("accounts", cwd=folder, **variables(folder))
    assert shown.returncode == 1
    assert "\napp: the private key file app.pem cannot be read" in shown.stdout


def test_the_table_fits_a_terminal(folder: Path) -> None:
    shown = on_terminal("accounts", cwd=folder, columns=80, **variables(folder))
    lines = shown.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == [
        *("account", "login", "kind", "source", "secret", "scopes", "expires_at"),
    ]
    assert any("renewed" in line for line in lines)
    assert any("2027-03-01" in line for line in lines)


def test_a_file_that_others_can_read_is_warned_of(folder: Path) -> None:
    for name in ("fine", "app.pem"):
        (folder / name).chmod(0o644)
    done = repoledger("accounts", cwd=folder, **variables(folder))
    assert done.returncode == 0
    for name in ("fine", "app.pem"):
        assert (
            f"warning: others can read {name}, which holds a secret: `chmod go= {name}`"
            in done.stderr.splitlines()
        )


def test_a_limit_that_is_reached_is_told_and_not_waited_for(github: StandIn, folder: Path) -> None:
    later = int((datetime.now(UTC) + timedelta(minutes=30)).timestamp())
    spent = {
        "X-RateLimit-Limit": "60",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(later),
    }
    github.fail(path="/users/octo", status=403, headers=spent)
    assert "403" in listed(folder, code=1)["nobody"]["problem"]
