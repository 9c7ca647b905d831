"""A folder with a configuration for the sandbox, as a user would have it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.github.sandbox import Sandbox
from tests.support.process import write_config


@pytest.fixture
def folder(tmp_path: Path, github: Sandbox) -> Path:
    """A folder whose config.toml names `github`, with one account whose token is in $TOKEN."""
    write_config(tmp_path, github.url)
    return tmp_path
