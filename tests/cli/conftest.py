"""Folders as a user would have them: with a configuration, with a ledger."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.stand_in import StandIn
from tests.support import counters
from tests.support.process import write_config
from tests.support.signing_in import keyring_in, login_config


@pytest.fixture
def folder(tmp_path: Path, github: StandIn) -> Path:
    """A folder whose config.toml names `github`, with one account whose token is in $TOKEN."""
    write_config(tmp_path, github.url)
    return tmp_path


@pytest.fixture(scope="session")
def counted_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose ledger knows counters of some days."""
    folder = tmp_path_factory.mktemp("counted")
    counters.fill(folder)
    return folder


@pytest.fixture
def counted(counted_once: Path, tmp_path: Path) -> Path:
    """A copy of that folder, of the test's own."""
    return shutil.copytree(counted_once, tmp_path / "counted")


@pytest.fixture
def keyring(folder: Path, github: StandIn) -> dict[str, str]:
    """Have the account of `folder` keep its token in a keyring; the variables that lead to it."""
    login_config(folder, github, "keyring = true")
    return keyring_in(folder)
