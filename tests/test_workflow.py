"""The workflow of CI: it runs targets of the Makefile, on each Python that is supported."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
import yaml

from tests.support.process import PROJECT


@pytest.fixture
def checks() -> Any:
    workflow = PROJECT / ".github" / "workflows" / "ci.yml"
    return yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"]["checks"]


def test_the_workflow_runs_on_every_python_that_the_package_supports(checks: Any) -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [c.rpartition(" ")[2] for c in project["classifiers"] if "Python :: 3" in c]
    assert checks["strategy"]["matrix"]["python"] == named


def test_the_workflow_runs_targets_of_the_makefile(checks: Any) -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    commands = [step["run"].split() for step in checks["steps"] if "run" in step]
    targets = [words[1] for words in commands if words[0] == "make"]
    assert targets == ["test", "slow"]
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
