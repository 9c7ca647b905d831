"""Columns and orders of lists of repositories, by the names that people type. No I/O here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Any

import click

from sync.cli.tables import Cell, Signed

# Short names of GitHub's fields.
SHORT = {
    "stars": "stargazers_count",
    "forks": "forks_count",
    "issues": "open_issues_count",
    "watchers": "watchers_count",
    "owner": "owner_login",
    "license": "license_spdx_id",
    "branch": "default_branch",
    "template": "is_template",
    "url": "html_url",
    "created": "created_at",
    "updated": "updated_at",
    "pushed": "pushed_at",
    "removed": "removed_at",
    "reason": "removal_reason",
}
GAINED, LOST, FORKS_GAINED = "gained", "lost", "forks_gained"
GAINS = (GAINED, LOST, FORKS_GAINED)
FIGURES = ("views", "clones", "downloads")
# The column of each order, and whether the largest value comes first.
ORDERS: Mapping[str, tuple[str, bool]] = {
    "name": ("full_name", False),
    "owner": ("owner_login", False),
    "language": ("language", False),
    "license": ("license_spdx_id", False),
    **{name: (SHORT[name], True) for name in ("stars", "forks", "issues")},
    "size": ("size", True),
    **{name: (SHORT[name], True) for name in ("created", "updated", "pushed")},
    GAINED: (GAINED, True),
    LOST: (GAINED, False),  # who lost most has gained least
    FORKS_GAINED: (FORKS_GAINED, True),
    **{name: (name, True) for name in FIGURES},
}


def names_in(texts: Sequence[str], known: Collection[str], option: str, kind: str) -> list[str]:
    """Return the names in values of an option that may be repeated, and separated by commas.

    Raises BadParameter for the first name that is not known, with the nearest one.
    """
    words = (word.strip().lower() for text in texts for word in text.split(","))
    names = list(dict.fromkeys(word for word in words if word))
    if texts and not names:
        raise click.BadParameter(f"name at least one {kind}", param_hint=option)
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            advice = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
            raise click.BadParameter(
                f"there is no {kind} {name[:60]!r}; {advice}", param_hint=option
            )
    return names


def shown_columns(*, removed: bool, gains: bool, figures: bool) -> tuple[str, ...]:
    """Return the columns of a table for which no others were chosen."""
    when, text = ("removed", "reason") if removed else ("pushed", "description")
    gained, counted = (GAINED, FORKS_GAINED) if gains else (), FIGURES if figures else ()
    # What was asked for takes the place of the description.
    last = () if gained or counted else (text,)
    return ("full_name", "stars", *gained, "language", *counted, when, *last)


def value_of(row: Mapping[str, Any], name: str) -> Any:
    """Return the value of a column of any name."""
    if name == LOST:
        gained = row[GAINED]
        return None if gained is None else max(0, -gained)
    return row[SHORT.get(name, name)]


def cell_of(row: Mapping[str, Any], name: str) -> Any:
    """Return what a table shows of a column."""
    value = value_of(row, name)
    if value is None:
        return None
    if name in (GAINED, FORKS_GAINED):
        return Signed(value)
    if name in SHORT and isinstance(value, datetime):
        return value.date()
    if name in ("full_name", "name"):
        gone = row["removed_at"] is not None
        return Cell(value, url=row["html_url"], colour="dim" if gone or row["archived"] else None)
    return value
