"""Commands that need a library which not every installation has: they say what to install."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import TOKEN
from tests.stand_in import StandIn
from tests.support.process import PROJECT, repoledger, write_config
from tests.support.signing_in import app_account, installed_app, login_config, write_key

POSTGRESQL, MYSQL = "postgresql://me@127.0.0.1:9/ledger", "mysql://me@127.0.0.1:9/ledger"
FOR_POSTGRESQL = (
    "a ledger on PostgreSQL needs a library that is not installed: pip install 'psycopg[binary]'"
)
FOR_MYSQL = "a ledger on MySQL needs a library that is not installed: pip install 'PyMySQL[rsa]'"
FOR_APPS = (
    "account app: signing in as a GitHub App needs a library that is not installed: "
    "pip install pyjwt cryptography"
)
LIBRARIES = (
    *("psycopg", "pymysql", "jwt", "cryptography", "keyring", "matplotlib", "tzdata"),
    *("xlsxwriter", "pyarrow"),
)
FOR_KEYRINGS = (
    "account me: keyring = true needs a library that is not installed: pip install keyring"
)


@pytest.fixture
def without(tmp_path: Path) -> dict[str, str]:
    """The variables that take away every library that is not always there."""
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    for name in LIBRARIES:
        text = f"raise ModuleNotFoundError(\"No module named '{name}'\")\n"
        (hidden / f"{name}.py").write_text(text, "utf-8")
    return {"PYTHONPATH": f"{hidden}{os.pathsep}{PROJECT}"}


@pytest.mark.parametrize(
    ("command", "url", "told"),
    [
        ("backfill", POSTGRESQL, FOR_POSTGRESQL),
        ("daemon", POSTGRESQL, FOR_POSTGRESQL),
        ("daemon", MYSQL, FOR_MYSQL),
        ("migrate", MYSQL, FOR_MYSQL),
    ],
)
def test_a_server_whose_driver_is_missing_is_a_mistake_of_the_configuration(
    folder: Path, without: dict[str, str], command: str, url: str, told: str
) -> None:
    done = repoledger(command, cwd=folder, REPOLEDGER_DATABASE__URL=url, TOKEN=TOKEN, **without)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {told}\n")


def test_a_check_and_a_copy_tell_of_a_missing_driver(
    counted: Path, without: dict[str, str]
) -> None:
    done = repoledger("check", cwd=counted, REPOLEDGER_DATABASE__URL=MYSQL, **without)
    assert done.returncode == 1
    assert f"fail  database: {FOR_MYSQL}\n" in done.stdout
    done = repoledger("copy", "--to", POSTGRESQL, cwd=counted, **without)
    assert (done.returncode, done.stderr) == (2, f"error: {FOR_POSTGRESQL}\n")


def test_an_app_without_the_library_that_signs_is_told_what_to_install(
    github: StandIn, tmp_path: Path, without: dict[str, str]
) -> None:
    write_config(tmp_path, github.url, app_account(installed_app(github)))
    write_key(tmp_path)
    done = repoledger("check", cwd=tmp_path, **without)
    assert done.returncode == 1
    assert f"fail  {FOR_APPS}\n" in done.stdout
    done = repoledger("backfill", cwd=tmp_path, **without)
    assert done.returncode == 2
    assert FOR_APPS in done.stderr
    assert "Traceback" not in done.stderr


def test_a_token_in_a_keyring_without_the_library_for_it_is_told_what_to_install(
    github: StandIn, folder: Path, without: dict[str, str]
) -> None:
    login_config(folder, github, "keyring = true")
    done = repoledger("login", cwd=folder, **without)
    assert (done.returncode, done.stderr) == (2, f"error: {FOR_KEYRINGS}\n")
    assert f"fail  {FOR_KEYRINGS}\n" in repoledger("check", cwd=folder, **without).stdout
    done = repoledger("backfill", cwd=folder, **without)
    assert done.returncode == 2
    assert FOR_KEYRINGS in done.stderr


def test_only_a_png_needs_matplotlib_and_says_what_to_install(
    counted: Path, without: dict[str, str]
) -> None:
    done = repoledger("history", "octo/alpha-two", "--format", "svg", cwd=counted, **without)
    assert (done.returncode, done.stderr) == (0, "")
    done = repoledger("history", "octo/alpha-two", "--format", "png", cwd=counted, **without)
    told = "a PNG needs a library that is not installed: pip install matplotlib"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {told}\n")


@pytest.mark.parametrize(
    ("ending", "told"),
    [
        ("xlsx", "a spreadsheet needs a library that is not installed: pip install XlsxWriter"),
        ("parquet", "a Parquet file needs a library that is not installed: pip install pyarrow"),
    ],
)
def test_a_result_in_a_format_whose_library_is_missing_leaves_no_file(
    counted: Path, without: dict[str, str], ending: str, told: str
) -> None:
    done = repoledger("repos", "-o", f"r.{ending}", cwd=counted, **without)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"error: {told}\n")
    assert not list(counted.glob(f"*.{ending}")) + list(counted.glob(".*.partial"))


def test_a_system_without_time_zones_is_told_what_to_install(
    folder: Path, without: dict[str, str]
) -> None:
    without |= {"PYTHONTZPATH": "", "REPOLEDGER_SCHEDULE__CRON": "17 * * * *", "TOKEN": TOKEN}
    assert repoledger("backfill", cwd=folder, **without).returncode == 0  # in UTC
    without |= {"REPOLEDGER_SCHEDULE__TIMEZONE": "Asia/Tokyo"}
    done = repoledger("backfill", cwd=folder, **without)
    assert done.returncode == 2
    assert "this system has no database of time zones: pip install tzdata\n" in done.stderr


def test_all_that_a_file_needs_is_there_without_them(folder: Path, without: dict[str, str]) -> None:
    for command in ("check", "backfill", "repos"):
        done = repoledger(command, cwd=folder, TOKEN=TOKEN, **without)
        assert done.returncode == 0, (command, done.stderr)
