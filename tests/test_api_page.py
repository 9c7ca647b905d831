"""docs/api.md: every promised name, with its parameters, units, errors and GitHub's page."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import pytest

import sync
from sync.sandbox import Sandbox
from tests.api_page import FILE, Part, Section, promised_errors, render, sections
from tests.conftest import TOKEN
from tests.support.inside.core import errors

SECTIONS = {each.name: each for each in sections()}
UNITS = re.compile(
    r"seconds|bytes|UTC|characters|pages|requests|how often|share|\bid\b|number|port|pause"
)
NUMBERS = re.compile(r"\b(float|int|datetime|timedelta)\b")
# A page of GitHub's documentation: no version, no language, so that it leads to the current one.
GITHUB_PAGE = re.compile(r"https://docs\.github\.com/(rest|apps)(/[a-z0-9-]+){1,3}(#[a-z0-9-]+)?")


def prose(section: Section, *, inherited: bool = True) -> str:
    """Return all that is said in a section, and in those of classes that it sends the reader to."""
    text = "\n\n".join(part.text for part in section.parts)
    named = {*section.bases, *re.findall(r"\bSee `?(?:sync\.)?(\w+)`?", text)}
    named |= set(re.findall(r"\b(?:See|and) `(\w+)`", text))
    others = [SECTIONS[name] for name in sorted(named) if inherited and name in SECTIONS]
    return "\n\n".join([text, *(prose(each, inherited=False) for each in others)])


def parts() -> Iterator[tuple[Section, Part]]:
    for section in SECTIONS.values():
        for part in section.parts:
            yield section, part


def sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.;])\s+", " ".join(text.split()))


def test_the_page_is_what_the_docstrings_say() -> None:
    assert FILE.read_text(encoding="utf-8") == render(), "stale: python -m tests.api_page"


def test_the_example_runs(github: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    github.add_repository("octo", "hello", stargazers_count=7)
    example = re.search(r"```python\n(.*?)```", render(), re.DOTALL)
    assert example
    code = example[1].replace('token="..."', f"token={TOKEN!r}, api_url={github.url!r}")
    exec(compile(code, "docs/api.md", "exec", dont_inherit=True), {})
    assert "octo/hello 7" in capsys.readouterr().out.splitlines()


def test_every_promised_name_has_a_section_and_no_other() -> None:
    titles = re.findall(r"^## `(\w+)`$", render(), re.MULTILINE)
    assert sorted(titles) == sync.__all__


@pytest.mark.parametrize("name", SECTIONS)
def test_everything_promised_is_described(name: str) -> None:
    for part in SECTIONS[name].parts:
        assert len(part.text) > 15, part.title


@pytest.mark.parametrize("name", SECTIONS)
def test_every_parameter_is_described(name: str) -> None:
    section = SECTIONS[name]
    text = prose(section)
    missing = {
        f"{part.title.partition('(')[0]}: {parameter}"
        for part in section.parts
        for parameter in part.parameters
        if f"`{parameter}`" not in text
    }
    assert missing == set()


@pytest.mark.parametrize("name", SECTIONS)
def test_every_number_has_a_unit_and_every_time_a_zone(name: str) -> None:
    section = SECTIONS[name]
    said = sentences(prose(section))
    for part in section.parts:
        for parameter, annotation in part.parameters.items():
            if NUMBERS.search(annotation):
                about = [sentence for sentence in said if f"`{parameter}`" in sentence]
                assert any(UNITS.search(sentence) for sentence in about), (part.title, parameter)


def test_every_error_that_is_named_exists() -> None:
    named = set()
    for section, part in parts():
        for raises in re.findall(r"\bRaises\b(.*?)(?:\.\s|\.$|\n\n|$)", part.text, re.DOTALL):
            for error in re.findall(r"\b[A-Z][a-z]+[A-Z]\w+|\bInterrupted|\bForbidden", raises):
                kind = getattr(errors, error, None) or getattr(errors, error.rstrip("s"), None)
                assert kind is not None, (section.name, error)
                named.add(kind)
    assert len(named) > 8


def test_every_error_that_a_client_raises_is_described() -> None:
    described = set(re.findall(r"^- `errors\.(\w+)`: \S", render(), re.MULTILINE))
    assert described == {kind.__name__ for kind in promised_errors()}
    rest = {
        name
        for name, kind in vars(errors).items()
        if inspect.isclass(kind) and issubclass(kind, errors.RestError)
    }
    assert rest <= described


def test_links_to_github_have_the_form_of_its_pages() -> None:
    links = re.findall(r"https?://\S*github\S*", render())
    pages = [link for link in links if "docs.github.com" in link]
    assert len(pages) > 8
    for link in pages:
        assert GITHUB_PAGE.fullmatch(link.rstrip(".,)")), link


def test_every_name_that_stands_for_something_of_github_names_its_page() -> None:
    from_github = {
        name for name in SECTIONS if getattr(sync, name).__module__.startswith("sync.forges")
    }
    # Not GitHub's: what is remembered of a page, and an item that is none.
    ours = {"CachedPage", "Rejected", "Item", "Page"}
    for name in from_github - ours:
        assert "https://docs.github.com/" in prose(SECTIONS[name], inherited=False), name


def test_every_question_that_github_is_asked_names_its_page() -> None:
    asking = {"check", "identify", "get_authenticated_user", "get_user", "get_repository"}
    asking |= {"repository_pages"}
    found = {
        part.title.partition("(")[0].partition(".")[2]: part
        for part in SECTIONS["GitHubClient"].parts
    }
    for name in asking:
        assert "https://docs.github.com/rest/" in found[name].text, name
