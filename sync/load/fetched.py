"""A repository's answer about a resource, and what an error stands for. No I/O here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from sync.core import errors
from sync.database.tables import LONGEST_KEY
from sync.database.writes import PageEntry
from sync.forges.answers import AnsweredPart, ChildPage
from sync.load.due import Candidate, Status

# GitHub's words for something that is switched off, or that it does not compute.
_OFF = re.compile(r"\bdisabled\b", re.IGNORECASE)
_TOO_LARGE = re.compile(r"\btoo large\b|\b10,?000 commits\b", re.IGNORECASE)


class Fetched(NamedTuple):
    """The answers for a repository: pages of items, or parts of figures.

    `status`: the one that an error stands for, or "complete". `detail`: the error, in a word or
    a sentence. `url`: the page of figures that was requested, if it was not the first.
    """

    candidate: Candidate
    status: Status
    pages: tuple[ChildPage, ...] = ()
    parts: tuple[AnsweredPart, ...] = ()
    detail: str | None = None
    url: str | None = None


def status_of(error: errors.RestError) -> Status:
    """Return the status that stands for an error; docs/resources.md lists them."""
    match error:
        case errors.Computing():
            return "computing"
        case errors.Blocked():
            return "blocked"
        case errors.Forbidden() if error.status == 451:
            return "blocked"
        case errors.Forbidden() | errors.InvalidRequest() if _TOO_LARGE.search(error.message):
            return "too_large"
        case errors.Forbidden() | errors.NotFound() if _OFF.search(error.message):
            return "off"
        case errors.Forbidden():
            return "refused"
        case errors.NotFound():
            return "off" if error.status == 410 else "missing"
        case errors.Conflict():
            return "empty"
    return "failed"


def detail_of(error: errors.RestError, needs: str) -> str:
    """Return what `resource_states.detail` says of an error.

    `needs`: the permission that a fine-grained token needs; GitHub may name it itself.
    """
    if not isinstance(error, errors.Forbidden):
        return error.code
    message = error.message[:400]
    is_told = status_of(error) != "refused" or "(" in message
    return message if is_told else f"{message} (needed: {needs})"


def page_entries(pages: Sequence[ChildPage]) -> tuple[PageEntry, ...]:
    """Return the `page_cache` entries of all pages; none if one page has no usable entry."""
    entries = tuple(
        PageEntry(each.key, each.etag, each.ids, len(each.ids), each.next_url)
        for each in pages
        if each.etag is not None and len(each.key) <= LONGEST_KEY
    )
    return entries if len(entries) == len(pages) else ()


def part_entries(parts: Sequence[AnsweredPart]) -> tuple[PageEntry, ...]:
    """Return the `page_cache` entries of answers about figures."""
    return tuple(
        PageEntry(each.key, each.etag, (), 0, each.next_url)
        for each in parts
        if each.etag is not None and len(each.key) <= LONGEST_KEY
    )
