"""A folder with a configuration for a daemon, and what a daemon needs around it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.sandbox import Sandbox
from tests.support.daemon import write_daemon_config
from tests.support.runs import fill


@pytest.fixture
def folder(tmp_path: Path, github: Sandbox) -> Path:
    """A folder whose daemon syncs the three repositories of `github` once, and then in an hour."""
    fill(github, 3)
    write_daemon_config(tmp_path, github.url, 'every = "1h"')
    return tmp_path
