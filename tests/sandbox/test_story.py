"""The story that the stand-in can tell: a maintainer's repositories, day by day."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sync.sandbox import Sandbox
from tests.conftest import TOKEN
from tests.support.inside.sandbox import ORGANIZATION, Calendar, Past, Story

END = datetime(2026, 11, 27, 15, 30, tzinfo=UTC)  # a Friday
ONCE = {
    *("archive", "branch", "create", "delete", "description", "front", "homepage", "license"),
    *("private", "public", "release", "rename", "topics", "transfer", "unstar"),
}


def lived(story: Story) -> tuple[Sandbox, Counter[str]]:
    """Return a stand-in that has lived through a story, and the number of deeds of each kind."""
    calendar = Calendar(story.days, END)
    github = Sandbox(now=calendar)
    past, done = Past(github, story, calendar), Counter[str]()
    past.begin(TOKEN)
    for day in range(story.days):
        done.update(deed.kind for deed in past.live(day))
        assert calendar() == END - (story.days - 1 - day) * timedelta(days=1)
    return github, done


def listed(github: Sandbox) -> dict[str, Any]:
    items = github.listing_of(TOKEN, visibility="all")
    return {item["full_name"]: item for item in items}


def test_the_same_numbers_tell_the_same_story_and_another_seed_another_one() -> None:
    story = Story(repositories=20, days=30)
    told, done = lived(story)
    again, done_again = lived(Story(repositories=20, days=30))
    other, _ = lived(Story(repositories=20, days=30, seed=2))
    assert listed(told) == listed(again)
    assert done == done_again
    assert listed(told) != listed(other)


def test_of_forty_repositories_everything_happens_to_some_in_the_last_week() -> None:
    story = Story(repositories=40, days=45)
    assert {turn.kind for turn in story.turns if turn.day >= 45 - 7} == ONCE
    _, done = lived(story)
    assert done.keys() >= ONCE | {"stars", "forks", "issues", "push", "downloads"}


def test_the_leads_live_the_past_that_the_demo_tells_of() -> None:
    github, _ = lived(Story())
    found = listed(github)
    assert sorted(found) == [
        *("ada/dotfiles", "ada/gravel", "ada/harbour-notes", "ada/lantern-ui", "ada/lighthouse"),
        *("ada/tide-tables", f"{ORGANIZATION}/night-train"),
    ]
    assert found["ada/dotfiles"]["archived"]
    assert found["ada/dotfiles"]["stargazers_count"] == 4  # of 5
    assert found["ada/harbour-notes"]["private"]
    assert found["ada/tide-tables"]["license"]["spdx_id"] == "Apache-2.0"
    assert 1200 < found["ada/gravel"]["stargazers_count"] < 2000


def test_a_front_page_brings_visitors_and_stars_and_a_weekend_fewer() -> None:
    story = Story()
    (front,) = (turn for turn in story.turns if turn.kind == "front" and turn.number == 0)
    views = [story.visits(0, "views", day, (day + 1) % 7)[0] for day in range(story.days)]
    assert max(views) == views[front.day] > 8 * sorted(views)[45]
    stars = [
        sum(deed.value for deed in story.deeds(day, 2) if deed[1:3] == ("stars", 0))
        for day in range(story.days)
    ]
    assert stars[front.day] == max(stars) > 100
    weekend = [story.visits(0, "views", day, 6)[0] for day in range(40)]
    assert sum(weekend) < 0.7 * sum(story.visits(0, "views", day, 1)[0] for day in range(40))


@pytest.mark.parametrize(("repositories", "days"), [(1, 1), (1, 400), (3, 2), (9, 10), (450, 3)])
def test_any_number_of_repositories_and_days_makes_a_story(repositories: int, days: int) -> None:
    github, _ = lived(Story(repositories=repositories, days=days, seed=7))
    assert 1 <= len(listed(github)) <= repositories
