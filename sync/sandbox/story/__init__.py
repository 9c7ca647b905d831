"""A story for the stand-in: a maintainer's repositories, day by day, on a clock that is moved.

    story = Story(repositories=8, days=90, seed=1)
    clock = Calendar(story.days, end=datetime.now(UTC))
    with Sandbox(now=clock) as github:
        past = Past(github, story, clock)
        past.begin(token="a-token")
        for day in range(story.days):
            past.live(day)   # what happens on this day; then it is time to sync
            ...

The same numbers tell the same story, whenever it is told.
"""

from sync.sandbox.story.calendar import Calendar
from sync.sandbox.story.past import OWNER, Past
from sync.sandbox.story.plot import Story
from sync.sandbox.story.turns import ORGANIZATION

__all__ = ["ORGANIZATION", "OWNER", "Calendar", "Past", "Story"]
