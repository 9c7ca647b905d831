"""Folders with odd names, files of other people's, users that the system does not know."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support import file_keyring
from tests.support.inside.config import load
from tests.support.inside.core import ConfigError
from tests.support.process import COMMAND, PROJECT, environment, repoledger, write_config

# A user without an entry in the system's list, as containers have them.
_NOBODY = """
import pwd
def unknown(user):
    raise KeyError(user)
pwd.getpwuid = unknown
"""


def test_a_folder_whose_name_is_no_utf_8_is_as_good_as_another(
    github: Sandbox, tmp_path: Path
) -> None:
    github.add_repository("octo", "hello")
    odd = tmp_path / os.fsdecode(b"lat\xe9in")
    odd.mkdir()
    named = ("--config", str(write_config(odd, github.url)))
    assert repoledger(*named, "backfill", cwd=odd, TOKEN=TOKEN).returncode == 0
    assert (odd / "ledger.db").exists()
    for command in ("check", "status", "repos"):
        shown = repoledger(*named, command, "--json", cwd=odd, TOKEN=TOKEN)
        assert (shown.returncode, shown.stderr) == (0, "")
        assert json.loads(shown.stdout)


def test_somebody_elses_configuration_is_read_only_if_it_is_named(
    github: Sandbox, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    run = folder / "run"
    stranger = 54321
    touch = f'[[accounts]]\nname = "me"\ntoken_command = "touch {run}"\n'
    file = write_config(folder, github.url, touch)
    if os.geteuid() == 0:
        os.chown(file, stranger, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: stranger)
    with pytest.raises(ConfigError, match="it could run commands") as caught:
        load(None, {})
    assert str(file) not in str(caught.value)
    assert load(file, {}).account("me").token_command == ("touch", str(run))
    assert load(None, {"REPOLEDGER_CONFIG": str(file)}).source == str(file)
    assert not run.exists()


def test_a_user_without_a_home_is_told_what_to_set(github: Sandbox, folder: Path) -> None:
    accounts = '[[accounts]]\nname = "me"\nkeyring = true\n'
    write_config(folder, github.url, accounts, 'client_id = "Iv1.x"')
    (folder / "sitecustomize.py").write_text(_NOBODY, encoding="utf-8")
    variables = environment(
        folder,
        PYTHONPATH=f"{folder}:{PROJECT}",
        PYTHON_KEYRING_BACKEND=file_keyring.NAME,
        KEYRING_FILE=str(folder / "keyring.json"),
    )
    del variables["HOME"]
    done = subprocess.run(
        [*COMMAND, "logout"],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "this user has no home folder; set HOME" in done.stderr
