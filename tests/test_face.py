"""What other programs may import from `sync`, and what that costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sync
from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.process import PROJECT

SLOW = {"requests", "urllib3", "sqlalchemy", "msgspec", "structlog", "click", "rich", "apscheduler"}


def python(code: str, folder: Path = PROJECT) -> str:
    """Return what a new interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_package_imports_nothing_slow() -> None:
    loaded = python("import sys, sync; print(*sys.modules)").split()
    assert SLOW & {name.partition(".")[0] for name in loaded} == set()
    assert [name for name in loaded if name.startswith("sync.")] == []


def test_the_version_is_told_before_anything_slow_is_imported() -> None:
    code = "import sys; sys.argv[1:] = ['--version']; import sync.__main__ as m; m.main(); "
    version, *loaded = python(code + "print(*sys.modules)").removeprefix("repoledger ").split()
    assert version == sync.__version__
    assert SLOW & {name.partition(".")[0] for name in loaded} == set()


def test_another_program_gets_structlog_whole() -> None:
    told = python("from sync import RestClient; import structlog; print(structlog.dev.rich)")
    assert "rich" in told


def test_a_client_needs_no_database() -> None:
    loaded = python("import sys; from sync import GitHubClient; print(*sys.modules)").split()
    assert "requests" in loaded
    assert "sqlalchemy" not in loaded


@pytest.mark.parametrize("name", sync.__all__)
def test_every_promised_name_can_be_imported_and_is_found_by_who_looks(name: str) -> None:
    assert getattr(sync, name) is not None
    assert name in dir(sync)
    exec(f"from sync import {name}", {})


def test_everything_can_be_imported_at_once() -> None:
    assert python("from sync import *; print(RestClient.__name__, errors.__name__)").split() == [
        "RestClient",
        "sync.core.errors",
    ]


def test_a_name_that_there_is_not_is_an_ordinary_mistake() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Banana'"):
        _ = sync.Banana
    with pytest.raises(ImportError, match="cannot import name 'Banana'"):
        exec("from sync import Banana", {})


def test_type_checkers_are_told_the_same_as_the_interpreter() -> None:
    tree = ast.parse((PROJECT / "sync" / "__init__.py").read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    told = {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert sorted(told) == sync.__all__ == sorted(sync.__all__)
    for name, module in told.items():
        expected = getattr(__import__(str(module), fromlist=[name]), name)
        assert getattr(sync, name) is expected


def test_the_types_are_there_for_other_programs(tmp_path: Path) -> None:
    assert (PROJECT / "sync" / "py.typed").is_file()
    user = tmp_path / "user.py"
    user.write_text(
        "from sync import GitHubClient, RestClient, errors\n"
        "with GitHubClient(token='x' * 20) as client:\n"
        "    reveal_type(client)\n"
        "    reveal_type(client.get_user('octo').login)\n"
        "    reveal_type(errors.NotFound('x').status)\n"
        "GitHubClient(tokn='x')\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path / "cache", user],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    for said in (
        'is "sync.forges.github.client.GitHubClient"',
        'is "str"',
        'is "int | None"',
        'Unexpected keyword argument "tokn"',
    ):
        assert said in done.stdout.replace("builtins.", "")
    assert done.stdout.count("error:") == 1


def test_the_readme_shows_how_to_begin(github: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    code = readme.partition("```python\n")[2].partition("```")[0]
    code = code.replace("token=...", f"token={TOKEN!r}, api_url={github.url!r}")
    exec(compile(code, "README.md", "exec", dont_inherit=True), {})
    assert "octo" in capsys.readouterr().out.splitlines()
