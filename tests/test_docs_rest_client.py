"""docs/rest-client.md is true: its code runs, and prints what it shows."""

from __future__ import annotations

import ast
import contextlib
import doctest
import io
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import structlog

import sync
from tests.support.process import PROJECT
from tests.support.shelf import READERS, shelf

PAGE = (PROJECT / "docs" / "rest-client.md").read_text(encoding="utf-8")
SHOWN_URL = "https://api.shelf.example"
ADA, BOB = READERS


def blocks() -> list[tuple[str, str]]:
    """Return each block of Python and what the page shows that it prints, maybe nothing."""
    found = re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", PAGE, re.DOTALL)
    assert len(found) == PAGE.count("```python") >= 8
    return found


def same(shown: str, printed: str) -> bool:
    return doctest.OutputChecker().check_output(shown, printed, doctest.ELLIPSIS)


def no_events(*_: object) -> str:
    raise structlog.DropEvent


def test_every_block_of_the_page_runs_and_prints_what_it_shows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    structlog.configure(processors=[no_events])  # until the page says otherwise
    page: dict[str, Any] = {"__name__": "page"}
    with shelf() as server:
        monkeypatch.setenv("SHELF_URL", server.url)
        monkeypatch.setenv("SHELF_KEY", ADA)
        monkeypatch.setenv("SHELF_KEY_OF_BOB", BOB)
        for code, shown in blocks():
            with contextlib.redirect_stdout(io.StringIO()) as stdout:
                exec(compile(code, "docs/rest-client.md", "exec", dont_inherit=True), page)
            printed = stdout.getvalue().replace(server.url, SHOWN_URL)
            assert same(shown, printed), f"{code}\nprinted:\n{printed}\nthe page shows:\n{shown}"
    assert len(server.requests) > 30


def test_the_client_of_the_page_has_under_40_lines() -> None:
    tree = ast.parse(blocks()[0][0])
    (client,) = [
        node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "ShelfClient"
    ]
    assert client.end_lineno is not None
    assert client.end_lineno - client.lineno + 1 < 40
    # It overrides what a service differs in, and all of that exists.
    methods = {node.name for node in client.body if isinstance(node, ast.FunctionDef)}
    overridden = {"page_items", "next_page", "classify", "log_fields"}
    assert overridden <= methods
    assert all(hasattr(sync.RestClient, name) for name in overridden)


def test_the_page_imports_what_is_promised_and_nothing_else() -> None:
    for code, _ in blocks():
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("sync"):
                assert node.module == "sync"
                assert {alias.name for alias in node.names} <= set(sync.__all__)


def test_every_way_of_signing_in_that_the_page_lists_is_called_as_it_says() -> None:
    rows = re.findall(r"^\| .+ \| (`.+) \|$", PAGE, re.MULTILINE)
    calls = [call for row in rows for call in re.findall(r"`(\w+Auth|\w+)\((.*?)\)`", row)]
    assert len(calls) >= 8
    for name, arguments in calls:
        if name == "obtain":
            continue
        assert name in sync.__all__
        text = re.sub(r"\b(\w+)=…", r"\1=_stand_in('\1')", arguments)
        values: dict[str, Any] = {
            word: f"{word}-of-somebody"
            for word in re.findall(r"\b[a-z_]+\b", re.sub(r'"[^"]*"|\w+=', "", text))
        }
        values["_stand_in"] = lambda word: {"token_url": "https://a.example/"}.get(word, word)
        auth = eval(f"{name}({text})", {name: getattr(sync, name)}, values)
        assert auth is not None


def test_the_client_of_the_page_satisfies_a_type_checker(tmp_path: Path) -> None:
    file = tmp_path / "shelf_client.py"
    file.write_text("\n".join(code for code, _ in blocks()), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path / "cache", file],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
