"""The turns of a story: what happens once, to which repository, on which day. No I/O here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sync.sandbox.activity import draw
from sync.sandbox.story.cast import Character

ORGANIZATION, FRIEND = "harbour-lab", "grace"

Kind = Literal[
    "archive", "branch", "create", "delete", "description", "front", "homepage", "license",
    "private", "public", "release", "rename", "topics", "transfer", "unstar",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Turn:
    """What happens to the repository `number` on a day, such as its new name in `value`."""

    day: int
    kind: Kind
    number: int
    value: Any = None


# Of the leads: how many days before the end it happens.
_OF_LEADS: tuple[tuple[int, Kind, str, Any], ...] = (
    (76, "topics", "tide-tables", ["tides", "sailing", "almanac"]),
    (68, "license", "tide-tables", "apache-2.0"),
    (60, "release", "night-train", None),
    (55, "description", "gravel", "An embeddable key-value store, in one file"),
    (52, "release", "gravel", None),
    (48, "delete", "old-website", None),
    (41, "front", "gravel", None),
    (35, "private", "harbour-notes", None),
    (26, "create", "lighthouse", None),
    (20, "branch", "dotfiles", "trunk"),
    (16, "release", "tide-tables", None),
    (6, "rename", "paper-lantern", "lantern-ui"),
    (5, "release", "gravel", None),
    (4, "front", "lighthouse", None),
    (3, "transfer", "night-train", ORGANIZATION),
    (3, "license", "lighthouse", "apache-2.0"),
    (2, "unstar", "dotfiles", 1),
    (1, "description", "lantern-ui", "A small UI kit, now with dark mode"),
    (1, "archive", "dotfiles", None),
)
# Of the others, each at least once; those that end a repository last, so that it has had others.
_OF_OTHERS: tuple[Kind, ...] = (
    *("rename", "release", "topics", "license", "description", "unstar", "homepage", "branch"),
    *("create", "public", "transfer", "archive", "private", "delete", "front"),
)
_ONE_IN = 24  # of so many others, one has each turn


def turns(characters: Sequence[Character], days: int, seed: int, leads: int) -> list[Turn]:
    """The turns within this many days, in their order; the first `leads` characters are leads."""
    found = [*_of_leads(characters[:leads], days), *_of_others(characters, days, seed, leads)]
    found = [turn for turn in found if turn.day >= 1]
    begins = {turn.number: turn.day for turn in found if turn.kind == "create"}
    ends = {turn.number: turn.day for turn in found if turn.kind == "delete"}
    alive = (
        turn
        for turn in found
        if begins.get(turn.number, 0) <= turn.day <= ends.get(turn.number, days)
    )
    # On one day, what ends a repository comes last.
    return sorted(alive, key=lambda turn: (turn.day, turn.kind == "delete"))


def _of_leads(leads: Sequence[Character], days: int) -> Iterator[Turn]:
    numbers = {each.name: number for number, each in enumerate(leads)}
    for ago, kind, name, value in _OF_LEADS:
        if name in numbers:
            yield Turn(days - 1 - ago, kind, numbers[name], value)
        if kind == "rename" and name in numbers:
            numbers[value] = numbers[name]


def _of_others(characters: Sequence[Character], days: int, seed: int, leads: int) -> Iterator[Turn]:
    others = len(characters) - leads
    order = sorted(range(leads, len(characters)), key=lambda at: draw(seed, "turn", at))
    taken = 0
    for kind in _OF_OTHERS if others else ():
        for again in range(1 + others // _ONE_IN):
            number = order[taken % others]
            taken += 1
            # The first of each kind is in the last week, the others on any day.
            share = draw(seed, f"day of {kind}", again)
            ago = int(1 + 6 * share) if again == 0 else int(1 + (days - 2) * share)
            yield Turn(days - 1 - ago, kind, number, _value(kind, characters[number], again))


def _value(kind: Kind, of: Character, again: int) -> Any:
    match kind:
        case "rename":
            return of.name.replace("-", "", 1)
        case "transfer":
            return ORGANIZATION if again % 2 else FRIEND
        case "license":
            return "mit" if of.license == "apache-2.0" else "apache-2.0"
        case "topics":
            return [*of.topics, "hacktoberfest"]
        case "description":
            return f"{of.description or of.name.capitalize()}, maintained again"
        case "homepage":
            return f"https://{of.name}.example"
        case "branch":
            return "trunk"
        case "unstar":
            return 1
    return None
