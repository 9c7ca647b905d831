"""What a digest shows of names and texts that would act on its medium."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from tests.support.inside.digest import (
    Counted,
    CounterGrowth,
    Digest,
    Growth,
    Section,
    as_html,
    as_markdown,
    as_text,
    times_of,
)
from tests.support.inside.events import Event, EventKind

NOW = datetime(2026, 11, 29, 15, tzinfo=UTC)
ODD = '<script>alert("1")</script>\u202e\x1b[31m\n| `x` [a](https://evil.example)'


def made(name: str = ODD, html_url: str | None = "https://github.com/ada/x") -> Digest:
    event = Event(
        observed_at=NOW,
        kind=EventKind.description,
        host="github.com",
        repository_id=1,
        full_name_then=name,
        full_name=name,
        html_url=html_url,
        fields={"description": (None, ODD)},
    )
    growth = Growth(full_name=name, html_url=html_url, gained=5, before=2, total=9)
    return Digest(
        since=NOW - timedelta(days=7),
        until=NOW,
        days=7,
        repositories=1,
        growth=[CounterGrowth(counter=Counted.stars, all=growth, gained_most=[growth])],
        sections=[Section(title="Changed", events=[event])],
        needs=[f"me: {ODD}"],
    )


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_html_loads_nothing_runs_nothing_and_links_only_to_the_repository() -> None:
    page = as_html(made())
    parser = _Elements()
    parser.feed(page)
    tags = {tag for tag, _ in parser.found}
    assert not tags & {"script", "img", "link", "iframe", "object", "form"}
    addresses = {
        value
        for _, found in parser.found
        for name, value in found.items()
        if name in ("href", "src")
    }
    assert addresses == {"https://github.com/ada/x"}
    assert "\u202e" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("url", ["javascript:alert(1)", 'https://x/"onclick="y', None])
def test_an_address_that_is_no_page_is_no_link(url: str | None) -> None:
    assert "<a " not in as_html(made("ada/x", url))
    assert "](" not in as_markdown(made("ada/x", url)).replace("\\]\\(", "")


def test_markdown_and_text_show_markup_and_control_characters_as_they_are_spelled() -> None:
    markdown = as_markdown(made())
    assert "\\<script\\>" in markdown
    assert "\\[a\\]\\(https" in markdown
    for text in (markdown, as_text(made())):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "\\n" in text


@pytest.mark.parametrize(
    ("since", "days"),
    [
        (NOW - timedelta(days=7), 7),
        (datetime(2026, 11, 22, tzinfo=UTC), 8),
        (NOW - timedelta(hours=2), 1),
    ],
)
def test_figures_are_those_of_whole_days_and_of_as_many_before(since: datetime, days: int) -> None:
    times = times_of(since, NOW)
    assert (times.last - times.first).days + 1 == days
    assert (times.first - times.before).days == days
