"""What the README and the other texts say is true: commands exist, configurations load."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import msgspec
import pytest

from sync import config
from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.inside.cli import ExitCode
from tests.support.inside.database import metadata
from tests.support.inside.resources import OF_REPOSITORIES
from tests.support.process import PROJECT, repoledger

README = (PROJECT / "README.md").read_text(encoding="utf-8")
RESOURCES = (PROJECT / "docs" / "resources.md").read_text(encoding="utf-8")
TEXTS = [
    *(PROJECT / name for name in ("README.md", "CONTRIBUTING.md")),
    *(
        PROJECT / "docs" / name
        for name in (
            "actions.md",
            "api.md",
            "databases.md",
            "deploy.md",
            "design.md",
            "environment.md",
            "raspberry-pi.md",
            "removals.md",
            "rest-client.md",
            "security.md",
        )
    ),
]


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", README, re.DOTALL)


def typed() -> list[str]:
    """Return every line that a reader is told to type."""
    return [
        line.removeprefix("$ ")
        for block in blocks("console")
        for line in block.splitlines()
        if line.startswith("$ ")
    ]


def table(heading: str, text: str = README) -> list[list[str]]:
    """Return the rows of the table whose first column is called `heading`."""
    match = re.search(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert match
    return [[cell.strip(" `") for cell in row.split("|")[1:-1]] for row in match[1].splitlines()]


def test_every_command_that_the_readme_shows_works_in_its_order(
    github: Sandbox, tmp_path: Path
) -> None:
    github.add_repository("octo", "hello", language="Python")
    commands = [shlex.split(line) for line in typed() if line.startswith("repoledger ")]
    assert ["repoledger", "daemon"] in commands  # runs until it is stopped: tests/daemon
    commands = [words for words in commands if words != ["repoledger", "daemon"]]
    assert len(commands) >= 7
    for words in commands:
        done = repoledger(
            *words[1:], cwd=tmp_path, GITHUB_TOKEN=TOKEN, REPOLEDGER_GITHUB__API_URL=github.url
        )
        assert done.returncode == 0, (words, done.stderr)


def test_everything_else_that_the_readme_tells_to_type_exists() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    for line in typed():
        program, *arguments = shlex.split(line)
        assert program in ("repoledger", "make", "export")
        if program == "make":
            assert re.search(rf"^{arguments[0]}:", makefile, re.MULTILINE)


def test_every_configuration_in_the_readme_loads() -> None:
    samples = blocks("toml")
    assert samples
    for sample in samples:
        config.parse(tomllib.loads(sample), {}, source="README.md", folder=Path())


def test_the_command_table_lists_every_command_and_no_other(tmp_path: Path) -> None:
    listed = [row[0].split()[1] for row in table("command")]
    help_text = repoledger("--help", cwd=tmp_path).stdout
    commands = re.findall(r"^  ([a-z]+) ", help_text.partition("Commands")[2], re.MULTILINE)
    assert listed == commands


def test_the_exit_codes_of_the_readme_are_those_of_the_program() -> None:
    assert [int(row[0]) for row in table("exit code")] == [code.value for code in ExitCode]


def test_every_table_of_the_database_is_described_once() -> None:
    described = [row[0] for text in (README, RESOURCES) for row in table("table", text)]
    assert sorted(described) == sorted(metadata.tables)


def test_every_resource_is_described() -> None:
    assert [row[0] for row in table("resource", RESOURCES)] == [r.name for r in OF_REPOSITORIES]


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: file.name)
def test_every_file_that_a_text_links_to_exists(file: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", file.read_text(encoding="utf-8")):
        assert (file.parent / target).exists(), target


def test_every_path_that_a_text_names_exists() -> None:
    for file in TEXTS:
        named = re.findall(r"`((?:sync|tests|migrations|docs)/[\w./]+)`", file.read_text("utf-8"))
        for path in named:
            assert (PROJECT / path).exists(), (file.name, path)


def test_every_defence_is_shown_by_tests_that_exist() -> None:
    text = (PROJECT / "docs" / "security.md").read_text(encoding="utf-8")
    rows = [row for row in text.splitlines() if re.match(r"\| (?!threat)", row)]
    assert len(rows) > 15
    for row in rows:
        shown_by = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", row.split("|")[3])
        assert shown_by, row
        for file, name in shown_by:
            source = (PROJECT / file).read_text(encoding="utf-8")
            begins = rf"{name}\(" if name else "test_"
            assert re.search(f"^def {begins}", source, re.MULTILINE), (file, name)


def test_the_shipped_configuration_documents_every_key() -> None:
    text = (PROJECT / "config.toml").read_text(encoding="utf-8")
    sections: dict[str, type[msgspec.Struct]] = {**config._SECTIONS, "accounts": config.Account}
    for section, kind in sections.items():
        assert f"[{section}]" in text
        for key in kind.__struct_fields__:
            assert re.search(rf"^(# )?{key} = ", text, re.MULTILINE), f"{section}.{key}"
