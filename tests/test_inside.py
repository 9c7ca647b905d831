"""Tests reach what is inside of `sync/` only through tests/support, so that code can move."""

from __future__ import annotations

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
SUPPORT = HERE / "support"
PUBLIC = ("sync", "sync.rest", "sync.sandbox")  # documented for programs of other people


def internals(file: Path) -> list[str]:
    """Return the modules inside of `sync/` that a file imports."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    modules = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    modules += [
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    ]
    return [name for name in modules if name and name.startswith("sync.") and name not in PUBLIC]


def test_no_test_imports_an_internal_module_by_itself() -> None:
    tests = [file for file in HERE.rglob("*.py") if SUPPORT not in file.parents]
    reaching = {file: internals(file) for file in tests}
    assert {str(file): names for file, names in reaching.items() if names} == {}
    assert internals(SUPPORT / "inside" / "removals.py")  # which shows that it is seen


def test_the_page_about_tests_support_names_every_module_there() -> None:
    page = (SUPPORT / "README.md").read_text(encoding="utf-8")
    named = [
        name for row in re.findall(r"^\| (`.+?) \|", page, re.MULTILINE) for name in row.split(", ")
    ]
    assert sorted(named) == sorted(f"`{file.stem}`" for file in SUPPORT.glob("[a-z]*.py"))
